"""Contact data at rest: AES-256-GCM under the service's master key, bound to the person's random id.

A token of one person cannot be passed off as another's. Whoever holds both the key and the table can read it; erasing
the row is what erases the data here.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class VaultError(Exception):
    """A token that this key and person cannot open."""


def lock_away(key: bytes, subject_id: UUID, contact: Mapping[str, Any]) -> str:
    """Encrypt a person's contact data; the token is base64."""
    nonce = os.urandom(NONCE_BYTES)
    body = json.dumps(dict(contact)).encode()
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, body, subject_id.bytes)).decode()


def take_out(key: bytes, subject_id: UUID, token: str) -> dict[str, Any]:
    """Decrypt a person's contact data. Raises VaultError."""
    try:
        raw = base64.b64decode(token, validate=True)
        body = AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], subject_id.bytes)
    except (InvalidTag, ValueError, binascii.Error) as error:
        raise VaultError("the token cannot be opened") from error
    contact: dict[str, Any] = json.loads(body)
    return contact
