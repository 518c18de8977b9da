"""Sign up and sign in by a code that is sent by mail.

Whether an address is known shows nowhere: the same statements are made, the same command with a body of the same size
goes to notifications, and a code that nobody gets is stored for an address that nobody has. A code is compared in
constant time, works once, ten minutes, for five tries, in the browser that asked for it; a newer one voids it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.errors import Rejected
from services.gateway.auth.people import Person, record_people
from services.gateway.domain.account_kinds import PERSON, Kind
from services.gateway.domain.mail_codes import (
    CODE_LIFE,
    CODE_TRIES,
    new_code,
    plain_code,
)
from services.gateway.domain.roles import PARTICIPANT
from services.gateway.parts import Gateway
from services.gateway.store import mail_codes, member_invitations, sign_in_guard
from services.gateway.store.account_kinds import kind_of
from services.gateway.store.accounts import Account, account_by_email, email_lookup, token_hash
from services.gateway.store.own_records import record_account_act
from services.gateway.usecases.choose_account_kind import put_kind
from services.gateway.usecases.invite_members import record_use
from services.gateway.usecases.mail_account import Template, mail_account
from services.gateway.usecases.slow_down import guard, keyed, refuse_blocked
from services.kit.clock import wall_now
from services.kit.people import seal, unseal

CHALLENGE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody proved an address: the account, whether it is new, the invitation it used and the campaign that it opened."""

    account: Account
    campaign_id: UUID | None = None
    signed_up: bool = False
    used: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class GivenCode:
    """A code, and the challenge of the browser that asked for it."""

    challenge: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A code that is wanted: for which address, with which invitation, for which kind of account."""

    email: str = field(repr=False)
    invitation_hash: bytes | None = field(default=None, repr=False)
    chosen: Kind = PERSON


async def ask_sign_in_code(gateway: Gateway, email: str) -> str:
    """Have a code sent to the account with this address, if there is one; the challenge that the answer names. Raises
    ProblemError(rate_limited) and Rejected(clock_moving)."""
    return await _ask(gateway, Asked(email), template="sign_in_code")


async def ask_sign_up_code(gateway: Gateway, token: str, email: str, chosen: Kind = PERSON) -> str:
    """Have a code sent to an address that wants to use an invitation. Raises Rejected(member_invitation_unusable) too."""
    hashed = token_hash(token)
    async with gateway.engine.begin() as connection:
        invitation = await member_invitations.open_invitation(connection, hashed, now=wall_now())
    bound_to = invitation["email_lookup"] if invitation is not None else None
    if invitation is None or (bound_to is not None and bytes(bound_to) != _lookup(gateway, email)):
        raise Rejected("member_invitation_unusable")
    return await _ask(gateway, Asked(email, hashed, chosen), template="sign_up_code")


async def answer_code(
    gateway: Gateway, connection: AsyncConnection, given: GivenCode, traceparent: str | None
) -> Proven | None:
    """Who proved an address by this code, in the caller's transaction; None for a code that is not accepted, whose try
    the caller has to commit. Raises ProblemError(rate_limited), Rejected(member_invitation_unusable)."""
    now = wall_now()
    challenge_hash = token_hash(given.challenge)
    row = await mail_codes.try_code(connection, challenge_hash, now=now)
    expected = bytes(row["code_hash"]) if row is not None else bytes(32)
    right = hmac.compare_digest(expected, _code_hash(gateway, challenge_hash, plain_code(given.code)))
    if row is None:
        return None
    counted = [guard(gateway.settings, "wrong:account", bytes(row["email_lookup"]))]
    await refuse_blocked(connection, counted, now)
    if not right:
        await sign_in_guard.count_try(connection, counted, now=now)
        return None
    await mail_codes.drop_code(connection, challenge_hash)
    proven = await _prove(gateway, connection, row, now)
    if proven is not None:
        lookup = bytes(row["email_lookup"])
        keys = [guard(gateway.settings, kind, lookup).key for kind in ("wrong:account", "ask:account")]
        await sign_in_guard.forget_tries(connection, keys)
        await _record(connection, proven, traceparent)
    return proven


async def _ask(gateway: Gateway, asked: Asked, *, template: Template) -> str:
    now = wall_now()
    lookup = _lookup(gateway, asked.email)
    counted = [guard(gateway.settings, "ask:account", lookup)]
    challenge, code = secrets.token_urlsafe(CHALLENGE_BYTES), new_code()
    challenge_hash = token_hash(challenge)
    own_key = gateway.settings.people_key_gateway.get_secret_value()
    new = mail_codes.NewCode(
        email_lookup=lookup,
        challenge_hash=challenge_hash,
        code_hash=_code_hash(gateway, challenge_hash, code),
        email_sealed=seal({"gateway": own_key}, {"email": asked.email, **asdict(asked.chosen)})["gateway"],
        invitation_hash=asked.invitation_hash,
    )
    async with gateway.engine.begin() as connection:
        await refuse_blocked(connection, [*counted, guard(gateway.settings, "wrong:account", lookup)], now)
        await sign_in_guard.count_try(connection, counted, now=now)
        account = await account_by_email(connection, lookup)
        await mail_codes.put_code(connection, new, now=now, life=CODE_LIFE, tries=CODE_TRIES)
        wanted = asked.invitation_hash is not None or account is not None
        minutes = int(CODE_LIFE.total_seconds()) // 60
        said = {"email": asked.email if wanted else "", "code": code if wanted else "", "minutes": minutes}
        await mail_account(gateway, connection, template, said, valid_until=now + CODE_LIFE)
    gateway.kick_relay()
    return challenge


async def _prove(gateway: Gateway, connection: AsyncConnection, row: Any, now: datetime) -> Proven | None:
    lookup, invitation_hash = bytes(row["email_lookup"]), row["invitation_hash"]
    account = await account_by_email(connection, lookup)
    if invitation_hash is None:
        return Proven(account) if account is not None else None
    known = account is not None
    if account is not None and account.role != PARTICIPANT:
        return Proven(account)
    if account is None:
        account = await _sign_up(gateway, connection, row, now)
    used = await member_invitations.use_invitation(
        connection, bytes(invitation_hash), account.subject_id, opens_campaign=known, now=now
    )
    if used is None and not known:
        # It was used or revoked meanwhile; nothing of the new account is kept.
        raise Rejected("member_invitation_unusable")
    return Proven(account, used["campaign_id"] if used is not None else None, not known, used)


async def _record(connection: AsyncConnection, proven: Proven, traceparent: str | None) -> None:
    account, used = proven.account, proven.used
    if proven.signed_up and used is not None:
        kind = (await kind_of(connection, account.subject_id)).kind
        await record_account_act(
            connection, account, "account.signed_up", subject=account.subject_id,
            after={"role": account.role, "kind": kind, "invitation_id": used["id"]}, traceparent=traceparent,
        )  # fmt: skip
    if used is not None:
        await record_use(connection, account, used, traceparent)


async def _sign_up(gateway: Gateway, connection: AsyncConnection, row: Any, now: datetime) -> Account:
    own_key = gateway.settings.people_key_gateway.get_secret_value()
    invitation = await member_invitations.open_invitation(connection, bytes(row["invitation_hash"]), now=now)
    if invitation is None:
        raise Rejected("member_invitation_unusable")
    said = unseal(own_key, row["email_sealed"])
    email, chosen = str(said["email"]), Kind(said["kind"], said["name"])
    person = Person(invitation["role"], supplier_id=invitation["supplier_id"], email=email)
    await record_people(connection, [person], gateway.settings)
    account = await account_by_email(connection, bytes(row["email_lookup"]))
    if account is None:
        raise RuntimeError("the account that was just made is not there")
    if chosen != PERSON and account.role == PARTICIPANT:
        await put_kind(connection, own_key, account.subject_id, chosen)
    return account


def _lookup(gateway: Gateway, email: str) -> bytes:
    return email_lookup(gateway.settings.people_key_gateway.get_secret_value(), email)


def _code_hash(gateway: Gateway, challenge_hash: bytes, code: str) -> bytes:
    return keyed(gateway.settings, "code", challenge_hash + code.encode())
