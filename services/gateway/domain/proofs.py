"""How somebody proved who they are, and what that is good for."""

from __future__ import annotations

from typing import Literal

Proof = Literal["local", "mail_code", "passkey", "totp", "recovery_code"]
"""`local` is the sign-in without proof, which exists in the local profile alone; `totp` is a code from a mail together
with one from the account's authenticator; `recovery_code` is a code from a mail together with a recovery code."""

STRONG_PROOFS: frozenset[str] = frozenset({"passkey", "totp"})
"""Proofs that combine two factors."""
