"""Codes of an authenticator (RFC 6238: SHA-1, six digits, 30 seconds) and recovery codes. Wall time."""

from __future__ import annotations

import base64
import hmac
import secrets
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES = 20
DIGITS = 6
STEP_SECONDS = 30
STEPS_AROUND = (0, -1, 1)
"""A clock may be one step off."""

RECOVERY_CODES = 10
RECOVERY_BYTES = 15
GROUP = 4


def new_secret() -> str:
    """A secret as an authenticator takes it (base32)."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def authenticator_uri(secret: str, account: str) -> str:
    """The address that an authenticator reads from a picture."""
    return (
        f"otpauth://totp/Alpmera:{quote(account, safe='')}?secret={secret}&issuer=Alpmera&algorithm=SHA1"
        f"&digits={DIGITS}&period={STEP_SECONDS}"
    )


def code_at(secret: str, step: int) -> str:
    """The code of a step."""
    totp = TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - what authenticators support
    return totp.generate(step * STEP_SECONDS).decode()


def matching_step(secret: str, code: str, *, now_seconds: int) -> int | None:
    """The step whose code this is, or None. Every step is compared, in constant time."""
    current = now_seconds // STEP_SECONDS
    found: int | None = None
    for around in STEPS_AROUND:
        if hmac.compare_digest(code_at(secret, current + around).encode(), code.encode()):
            found = current + around
    return found


def new_recovery_codes() -> list[str]:
    """Codes for the day when every device is lost: 120 random bits each, in groups that can be copied by hand."""
    return [
        "-".join(_groups(base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode())) for _ in range(RECOVERY_CODES)
    ]


def plain_recovery_code(given: str) -> str:
    """A recovery code as somebody typed it, in capitals without spaces and hyphens."""
    return "".join(given.split()).replace("-", "").upper()


def _groups(text: str) -> list[str]:
    return [text[start : start + GROUP] for start in range(0, len(text), GROUP)]
