"""Personal data on its way: sealed per receiving service (compact JWE, direct AES-256-GCM), opened only by that service."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from joserfc import jwe
from joserfc.jwk import OctKey

KEY_BYTES = 32


def _key(text: str) -> OctKey:
    raw = base64.b64decode(text)
    if len(raw) != KEY_BYTES:
        raise ValueError("a people key has 32 bytes")
    return OctKey.import_key(raw)


def seal(service_keys: Mapping[str, str], data: Mapping[str, Any]) -> dict[str, str]:
    """Seal `data` for each service; `service_keys` are base64 keys by service name."""
    body = json.dumps(dict(data)).encode()
    return {
        service: jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, body, _key(key))
        for service, key in service_keys.items()
    }


def unseal(key: str, token: str) -> dict[str, Any]:
    """Open what was sealed for this service. Raises a JoseError when it was not."""
    opened: dict[str, Any] = json.loads(jwe.decrypt_compact(token, _key(key)).plaintext or b"{}")
    return opened
