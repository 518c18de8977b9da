"""Authenticators and recovery codes: set up, prove, use up. Wrong codes are counted per account and wait longer each time.

A wrong code answers None and not an error, so that the caller commits what was counted before it refuses.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.domain.mail_codes import plain_code
from services.gateway.domain.one_time_codes import (
    authenticator_uri,
    matching_step,
    new_recovery_codes,
    new_secret,
    plain_recovery_code,
)
from services.gateway.settings import GatewaySettings
from services.gateway.store import second_factors as stored
from services.gateway.store import sign_in_guard
from services.gateway.usecases.slow_down import guard, keyed, refuse_blocked
from services.kit.clock import wall_now
from services.kit.people import seal, unseal


async def begin_authenticator(
    connection: AsyncConnection, settings: GatewaySettings, identity: Identity, *, shown_name: str
) -> dict[str, Any]:
    """A new secret for an authenticator; it counts once a code of it was given. Raises Rejected(authenticator_exists)."""
    secret = new_secret()
    key = settings.people_key_gateway.get_secret_value()
    sealed = seal({"gateway": key}, {"secret": secret})["gateway"]
    if not await stored.put_authenticator(connection, identity.subject_id, secret_sealed=sealed, now=wall_now()):
        raise Rejected("authenticator_exists")
    return {"secret": secret, "uri": authenticator_uri(secret, shown_name)}


async def prove_by_authenticator(
    connection: AsyncConnection, settings: GatewaySettings, identity: Identity, code: str, *, confirmed: bool
) -> bool:
    """Whether this is a code of the account's authenticator that was not used before; with `confirmed` False the first
    code of a new one, which confirms it. Raises ProblemError(rate_limited)."""
    now = wall_now()
    counted = [guard(settings, "wrong:account", identity.subject_id.bytes)]
    await refuse_blocked(connection, counted, now)
    sealed = await stored.sealed_secret(connection, identity.subject_id, confirmed=confirmed)
    step = None
    if sealed is not None:
        secret = str(unseal(settings.people_key_gateway.get_secret_value(), sealed)["secret"])
        step = matching_step(secret, plain_code(code), now_seconds=int(now.timestamp()))
    if step is None or not await stored.use_step(connection, identity.subject_id, step, now=now):
        await sign_in_guard.count_try(connection, counted, now=now)
        return False
    await sign_in_guard.forget_tries(connection, [each.key for each in counted])
    return True


async def new_codes(connection: AsyncConnection, settings: GatewaySettings, identity: Identity) -> list[str]:
    """New recovery codes; the old ones are void. They are shown once and stored hashed."""
    codes = new_recovery_codes()
    hashes = [_hash(settings, identity, code) for code in codes]
    await stored.replace_recovery_codes(connection, identity.subject_id, hashes, now=wall_now())
    return codes


async def prove_by_recovery_code(
    connection: AsyncConnection, settings: GatewaySettings, identity: Identity, code: str
) -> bool:
    """Whether this is an unused recovery code of the account; it is used up. Raises ProblemError(rate_limited)."""
    now = wall_now()
    counted = [guard(settings, "wrong:account", identity.subject_id.bytes)]
    await refuse_blocked(connection, counted, now)
    if await stored.use_recovery_code(connection, identity.subject_id, _hash(settings, identity, code), now=now):
        await sign_in_guard.forget_tries(connection, [each.key for each in counted])
        return True
    await sign_in_guard.count_try(connection, counted, now=now)
    return False


def _hash(settings: GatewaySettings, identity: Identity, code: str) -> bytes:
    return keyed(settings, "recovery", identity.subject_id.bytes + plain_recovery_code(code).encode())
