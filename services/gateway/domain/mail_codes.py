"""The rules of codes sent by mail: how they look, how long and how often they can be tried (wall time)."""

from __future__ import annotations

import secrets
from datetime import timedelta

CODE_DIGITS = 8
CODE_LIFE = timedelta(minutes=10)
CODE_TRIES = 5
ASKING_FORGOTTEN_AFTER = timedelta(hours=1)
WRONG_FORGOTTEN_AFTER = timedelta(days=1)


def new_code() -> str:
    """A random code of digits."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def plain_code(given: str) -> str:
    """A code as somebody typed it, without spaces and hyphens."""
    return "".join(given.split()).replace("-", "")
