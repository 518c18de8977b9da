"""Issue, list, revoke and use invitations to the platform. Wall time; each act is one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.alerts import EndAlertRules
from contracts.envelope import PLATFORM_SCOPE, SYSTEM
from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.domain.inviting import may_have_it_mailed, may_invite, may_open_private, sees_all_invitations
from services.gateway.domain.roles import PARTICIPANT, SUPPLIER
from services.gateway.parts import Gateway
from services.gateway.store import member_invitations as stored
from services.gateway.store.accounts import email_lookup, token_hash
from services.gateway.store.cursors import Page
from services.gateway.store.operations import hold_clock
from services.gateway.store.own_records import Acting, OwnRecord, record
from services.gateway.store.read_campaigns import seen_without_admission, visible_progress
from services.gateway.store.read_suppliers import supplier_by_id
from services.gateway.usecases.mail_account import INVITATION, mail_account
from services.kit.clock import wall_now
from services.kit.outbox import Outgoing, enqueue_commands
from services.kit.people import seal, unseal

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Wanted:
    """An invitation that somebody wants to issue."""

    role: str
    supplier_id: UUID | None
    campaign_id: UUID | None
    valid_days: int
    email: str | None = field(default=None, repr=False)
    note: str | None = field(default=None, repr=False)


async def issue_invitation(
    gateway: Gateway, identity: Identity, wanted: Wanted, traceparent: str | None
) -> dict[str, Any]:
    """Issue an invitation; its token is in the answer, in the mail that staff's go out with, and nowhere else. Raises Rejected(not_allowed, validation_failed,
    not_found, supplier_unknown, member_invitations_used_up, clock_moving)."""
    await _check(gateway, identity, wanted)
    now = wall_now()
    own_key = gateway.settings.people_key_gateway.get_secret_value()
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row: dict[str, Any] = {
        "id": uuid4(),
        "token_hash": token_hash(token),
        "issued_by": identity.subject_id,
        "role": wanted.role,
        "supplier_id": wanted.supplier_id,
        "campaign_id": wanted.campaign_id,
        "email_lookup": email_lookup(own_key, wanted.email) if wanted.email else None,
        "note_sealed": seal({"gateway": own_key}, {"note": wanted.note})["gateway"] if wanted.note else None,
        "created_at": now,
        "expires_at": now + timedelta(days=wanted.valid_days),
    }
    async with gateway.engine.begin() as connection:
        if identity.is_participant:
            standing = await stored.standing_invitations(connection, identity.subject_id, now=now)
            if standing >= gateway.settings.participant_invitations_max:
                raise Rejected("member_invitations_used_up", limit=gateway.settings.participant_invitations_max)
        await stored.insert_invitation(connection, row)
        await record(connection, issued_record(row), identity=identity, traceparent=traceparent)
        if wanted.email is not None and may_have_it_mailed(identity.role):
            said = {"email": wanted.email, "token": token, "until": row["expires_at"].isoformat()}
            await mail_account(gateway, connection, INVITATION, said, valid_until=row["expires_at"])
    gateway.kick_relay()
    shown = row | {"bound": wanted.email is not None, "used_at": None, "revoked_at": None}
    return invitation_view(gateway, shown, identity, now=now) | {"token": token}


async def list_invitations(gateway: Gateway, identity: Identity, page: Page) -> tuple[Sequence[stored.Row], int | None]:
    """The invitations that somebody may see, one more than the page holds, and how many more it may issue."""
    after = (page.after_at, page.after_id) if page.after_at is not None and page.after_id is not None else None
    async with gateway.engine.begin() as connection:
        rows = await stored.list_invitations(connection, issued_by=_issuer(identity), after=after, limit=page.limit + 1)
        if not identity.is_participant:
            return rows, None
        standing = await stored.standing_invitations(connection, identity.subject_id, now=wall_now())
    return rows, max(0, gateway.settings.participant_invitations_max - standing)


async def revoke_invitation(
    gateway: Gateway, identity: Identity, invitation_id: UUID, traceparent: str | None
) -> dict[str, Any]:
    """Revoke an invitation. One that was used takes the admission back that it gave; the account it made, and what was
    committed already, stay. Raises Rejected: not_found, clock_moving."""
    now = wall_now()
    async with gateway.engine.begin() as connection:
        row = await stored.revoke_invitation(connection, invitation_id, issued_by=_issuer(identity), now=now)
        if row is not None and row["changed"]:
            before = {"state": _state({**row, "revoked_at": None}, now)}
            told = OwnRecord("member_invitation.revoked", _scope(row), str(invitation_id), before, {"state": "revoked"})
            await record(connection, told, identity=identity, traceparent=traceparent)
            if row["no_more_admitted"] is not None:
                await _end_alerts(gateway, connection, row["no_more_admitted"], row["campaign_id"])
    if row is None:
        raise Rejected("not_found")
    gateway.kick_relay()
    return invitation_view(gateway, row, identity, now=now)


async def open_invitation(gateway: Gateway, token: str) -> stored.Row:
    """The invitation behind a link. Raises Rejected(member_invitation_unusable), which tells nobody why."""
    async with gateway.engine.begin() as connection:
        row = await stored.open_invitation(connection, token_hash(token), now=wall_now())
    if row is None:
        raise Rejected("member_invitation_unusable")
    return row


async def redeem_invitation(gateway: Gateway, identity: Identity, token: str, traceparent: str | None) -> UUID:
    """Use an invitation with an account that exists; the campaign it opens. Raises Rejected(member_invitation_unusable):
    also for one that opens no campaign, which stays unused, and for one that a role other than participant needs."""
    async with gateway.engine.begin() as connection:
        row = await stored.use_invitation(
            connection, token_hash(token), identity.subject_id, opens_campaign=True, now=wall_now()
        )
        if row is not None:
            await record_use(connection, identity, row, traceparent)
    if row is None:
        raise Rejected("member_invitation_unusable")
    campaign_id: UUID = row["campaign_id"]
    return campaign_id


async def record_use(connection: AsyncConnection, acting: Acting, used: stored.Row, traceparent: str | None) -> None:
    """Record that an invitation was used; a repeat by the same person is not recorded again."""
    if used["changed"]:
        told = OwnRecord("member_invitation.used", _scope(used), str(used["id"]), {"state": "open"}, {"state": "used"})
        await record(connection, told, identity=acting, traceparent=traceparent)


def issued_record(row: stored.Row) -> OwnRecord:
    """The record of a new invitation: whom it lets in as what, never who."""
    named = {name: row[name] for name in ("supplier_id", "campaign_id") if row[name] is not None}
    after = {"state": "open", "role": row["role"], "bound": row["email_lookup"] is not None, **named}
    return OwnRecord("member_invitation.issued", _scope(row), str(row["id"]), after=after)


def invitation_view(gateway: Gateway, row: stored.Row, identity: Identity, *, now: datetime) -> dict[str, Any]:
    """An invitation as somebody sees it who may; its note is for its issuer alone."""
    own_key = gateway.settings.people_key_gateway.get_secret_value()
    sealed = row["note_sealed"] if row["issued_by"] == identity.subject_id else None
    return {
        "id": row["id"],
        "state": _state(row, now),
        "role": row["role"],
        "supplier_id": row["supplier_id"],
        "campaign_id": row["campaign_id"],
        "bound": row["bound"],
        "note": unseal(own_key, sealed)["note"] if sealed else None,
        "created_at": row["created_at"],
        "expires_at": row["expires_at"],
        "used_at": row["used_at"],
        "revoked_at": row["revoked_at"],
    }


async def _end_alerts(gateway: Gateway, connection: AsyncConnection, subject_id: UUID, campaign_id: UUID) -> None:
    """Who may see a campaign no more is told nothing of it any more. Raises Rejected(clock_moving)."""
    if await seen_without_admission(gateway.reads, campaign_id, subject_id):
        return
    clock, identity = await hold_clock(connection), uuid4()
    if clock.paused:
        raise Rejected("clock_moving")
    command = EndAlertRules(participant_id=subject_id, campaign_id=campaign_id)
    ending = Outgoing(id=identity, message=command, actor=SYSTEM, received_at=clock.now, correlation_id=identity)
    await enqueue_commands(connection, [ending], gateway.signing_key)


def _state(row: stored.Row, now: datetime) -> str:
    if row["revoked_at"] is not None:
        return "revoked"
    if row["used_at"] is not None:
        return "used"
    return "open" if row["expires_at"] > now else "expired"


def _scope(row: stored.Row) -> str:
    return PLATFORM_SCOPE if row["campaign_id"] is None else str(row["campaign_id"])


def _issuer(identity: Identity) -> UUID | None:
    """Whose invitations somebody sees: None is everybody's."""
    return None if sees_all_invitations(identity.role) else identity.subject_id


async def _check(gateway: Gateway, identity: Identity, wanted: Wanted) -> None:
    if not may_invite(identity.role, wanted.role):
        raise Rejected("not_allowed")
    if (wanted.role == SUPPLIER) != (wanted.supplier_id is not None):
        raise Rejected("validation_failed", parameter="supplier_id")
    if wanted.campaign_id is not None and wanted.role != PARTICIPANT:
        raise Rejected("validation_failed", parameter="campaign_id")
    if wanted.supplier_id is not None and await supplier_by_id(gateway.reads, wanted.supplier_id) is None:
        raise Rejected("supplier_unknown")
    if wanted.campaign_id is not None:
        campaign = await visible_progress(gateway.reads, wanted.campaign_id, identity)
        if campaign is None:
            raise Rejected("not_found")
        if campaign["visibility"] == "private" and not may_open_private(identity.role):
            raise Rejected("not_allowed")
