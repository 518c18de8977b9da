"""The gateway's signature over a command, and its check by the services.

Signed: message id, type, digest of the body, key, `received_at`, subject, role, session. Compact JWS with Ed25519. There
is no expiry: a command may wait in the outbox; what limits it is the inbox (once per id).
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic_core import to_json

from contracts.envelope import Actor, Envelope
from services.kit.received import Received, UnverifiedError, Verifier

_HEADER = base64.urlsafe_b64encode(b'{"alg":"EdDSA"}').rstrip(b"=")


def new_key_pair() -> tuple[bytes, bytes]:
    """A fresh (private, public) pair as PEM."""
    private = Ed25519PrivateKey.generate()
    return (
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def load_private(pem: bytes) -> Ed25519PrivateKey:
    """The gateway's signing key. Raises TypeError for another kind of key."""
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("an Ed25519 key is needed")
    return key


def sign(key: Ed25519PrivateKey, envelope: Envelope, body: bytes, *, session: str | None = None) -> str:
    """The compact JWS over an envelope and its body."""
    claims = {
        "id": str(envelope.id),
        "type": envelope.type,
        "key": envelope.key,
        "body": hashlib.sha256(body).hexdigest(),
        "received_at": envelope.received_at.isoformat() if envelope.received_at else None,
        "sub": envelope.actor.id,
        "role": envelope.actor.role,
        "session": session,
    }
    payload = base64.urlsafe_b64encode(to_json(claims)).rstrip(b"=")
    signed = _HEADER + b"." + payload
    return (signed + b"." + base64.urlsafe_b64encode(key.sign(signed)).rstrip(b"=")).decode()


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def make_verifier(public_pem: bytes | None) -> Verifier:
    """A verifier for commands. Without a key (unit tests only) headers are believed."""
    if public_pem is None:
        return lambda received: received.envelope
    public = load_pem_public_key(public_pem)
    if not isinstance(public, Ed25519PublicKey):
        raise TypeError("an Ed25519 key is needed")

    def verify(received: Received) -> Envelope:
        envelope = received.envelope
        if envelope.type.endswith(".republish_events.v1"):
            # Kits ask each other for kept events; no person acts and nothing changes but what is sent again.
            return envelope
        if not envelope.assertion:
            raise UnverifiedError("no assertion")
        try:
            header, payload, signature = envelope.assertion.split(".")
            public.verify(_decode(signature), f"{header}.{payload}".encode())
            claims = json.loads(_decode(payload))
        except (ValueError, InvalidSignature) as error:
            raise UnverifiedError("the signature does not fit") from error
        expected = (str(envelope.id), envelope.type, envelope.key, hashlib.sha256(received.body or b"").hexdigest())
        if (claims["id"], claims["type"], claims["key"], claims["body"]) != expected:
            raise UnverifiedError("the assertion is about another message")
        received_at = datetime.fromisoformat(claims["received_at"]) if claims["received_at"] else None
        return replace(envelope, actor=Actor(claims["sub"], claims["role"]), received_at=received_at)

    return verify
