"""Keys for checkpoints, made anew for each run of the tests."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CHECKPOINT_KEYS = {
    "checkpoint_key": base64.b64encode(
        Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    ).decode(),
    "checkpoint_salt_key": base64.b64encode(hashlib.sha256(b"salts of a test").digest()).decode(),
}
