"""Reference codes of commitments: short enough to read out, long enough that nobody guesses one."""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32 characters: no I, L, O or U, so that a code survives being read aloud and written down."""

GROUPS = 3
GROUP_LENGTH = 4
_BITS = 5 * GROUPS * GROUP_LENGTH


def new_reference() -> str:
    """A random code of 60 bits in three groups, such as `7QK2-M0XA-9TZE`."""
    number = secrets.randbits(_BITS)
    characters = [ALPHABET[(number >> (5 * place)) & 31] for place in range(GROUPS * GROUP_LENGTH)]
    groups = ("".join(characters[at : at + GROUP_LENGTH]) for at in range(0, len(characters), GROUP_LENGTH))
    return "-".join(groups)
