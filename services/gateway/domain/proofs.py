"""How somebody proved who they are, what that is good for, and which acts want the proof again. Wall time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from services.gateway.domain.roles import PARTICIPANT

Proof = Literal["local", "mail_code", "passkey", "totp", "recovery_code"]
"""`local` is the sign-in without proof, which exists in the local profile alone; `totp` is a code from a mail together
with one from the account's authenticator; `recovery_code` is a code from a mail together with a recovery code."""

RequestProof = Proof | Literal["access_token"]
"""How a request is proven: by its session's proof, or by an access token, which no session ever has. An access token is
fresh for nothing, confirms nothing and opens nothing but what its scopes name."""

STRONG_PROOFS: frozenset[str] = frozenset({"passkey", "totp"})
"""Proofs that combine two factors."""

STEP_UP_WITHIN = timedelta(minutes=5)
FIRST_FACTOR_WITHIN = timedelta(minutes=15)
"""The first passkey or authenticator is added this long after a code from a mail at the latest (ASVS 5.0, 7.5.1): a
session that somebody left open must not be enough to plant one."""
STEP_UP_ACTS: frozenset[str] = frozenset(
    {
        "submit_clearing_plan",
        "approve_clearing_plan",
        "top_up_float",
        "resolve_case",
        "retry_plan_transfer",
        "sign_off_failure",
        "register_supplier",
    }
)
"""The staff's acts on money, and the one that names a payout account. To submit a plan is its first approval, so it
wants what the second one wants. Never a commit, never a withdrawal: a person must not be kept from leaving."""

OWNERS_CONFIRMED_ACTS: frozenset[str] = frozenset({"request_erasure", "make_access_token"})
"""What nobody but the account's own person may begin, and a session that was left open must not be enough for: a fresh
proof, or without a second factor a sign-in of a short time ago."""


def opens_the_account(role: str, proof: str) -> bool:
    """Whether a session may do what its role allows; otherwise it can only complete its proof. A code from a mail is
    enough for a participant; an access token was made by somebody who had proven more, and is held to its scopes."""
    return proof in {"local", "access_token", *STRONG_PROOFS} or (role == PARTICIPANT and proof != "recovery_code")


def is_fresh(proof: str, proven_at: datetime | None, *, now: datetime) -> bool:
    """Whether two factors were proven within the last five minutes."""
    return proof == "local" or (proof in STRONG_PROOFS and _recent(proven_at, now))


def is_confirmed(proof: str, proven_at: datetime | None, *, has_factor: bool, now: datetime) -> bool:
    """Whether the account's own person is there: by a fresh proof, or without a factor by a sign-in of a short time
    ago."""
    return is_fresh(proof, proven_at, now=now) or (
        not has_factor and _recent(proven_at, now, within=FIRST_FACTOR_WITHIN)
    )


def may_change_factors(proof: str, proven_at: datetime | None, *, has_factor: bool, now: datetime) -> bool:
    """Whether a session may add or remove ways of signing in: the first one a short time after the sign-in, later ones
    after a fresh proof or a recovery code."""
    return is_confirmed(proof, proven_at, has_factor=has_factor, now=now) or (
        proof == "recovery_code" and _recent(proven_at, now)
    )


def _recent(proven_at: datetime | None, now: datetime, *, within: timedelta = STEP_UP_WITHIN) -> bool:
    return proven_at is not None and now - proven_at < within
