"""The secrets of one local stack: drawn once, kept in one file that only its user can read.

Owns `secrets.json` in the state folder: passwords of the database roles, keys that sign and
encrypt, the stand-in's key. A value given in the environment goes before the kept one and is not
written down. The file protects from other users of the machine, not from the same user's programs.
"""

import base64
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_BYTES = 32


class Secrets:
    """The kept secrets, by name; a missing one is drawn when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        """Read what was kept in the state folder."""
        self.path = folder / "secrets.json"
        self._kept: dict[str, str] = {}
        if self.path.exists():
            self._kept = json.loads(self.path.read_text())

    def password(self, name: str) -> str:
        """Return the named password, letters and digits only."""
        return self._get(f"password:{name}", lambda: secrets.token_hex(24))

    def key(self, name: str) -> str:
        """Return the named key: 32 random bytes in base 64."""
        return self._get(f"key:{name}", lambda: base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())

    def token(self, name: str, prefix: str) -> str:
        """Return the named token, which begins with the prefix."""
        return self._get(f"token:{name}", lambda: prefix + secrets.token_hex(24))

    def assertion_keys(self) -> tuple[str, str]:
        """Return the gateway's signing key and its public half, each a PEM in base 64."""
        private = self._get("assertion", _new_signing_key)
        loaded = serialization.load_pem_private_key(base64.b64decode(private), password=None)
        public = loaded.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return private, base64.b64encode(public).decode()

    def checkpoint_key(self) -> str:
        """Return the key that signs escrow's checkpoints, a PEM in base 64."""
        return self._get("checkpoint", _new_signing_key)

    def get(self, name: str) -> str:
        """Return a kept value by its full name, empty when there is none."""
        return self._kept.get(name, "")

    def put(self, name: str, value: str) -> None:
        """Keep a value that was made elsewhere."""
        if self._kept.get(name) != value:
            self._kept[name] = value
            self.save()

    def save(self) -> None:
        """Write the secrets down, readable by this user alone, in one step."""
        scratch = self.path.with_suffix(f".{os.getpid()}")
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(self._kept, file, indent=1, sort_keys=True)
        os.replace(scratch, self.path)

    def _get(self, name: str, draw: Callable[[], str]) -> str:
        if name not in self._kept:
            self._kept[name] = draw()
        return self._kept[name]


def _new_signing_key() -> str:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return base64.b64encode(pem).decode()
