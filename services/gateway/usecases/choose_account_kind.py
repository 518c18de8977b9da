"""Choose what kind of account one has: a person, a group, an organisation.

The kind stays while a commitment of the account is open, because whoever looks at the commitment was told one kind; the
name may be corrected at any time. A commitment that was accepted a moment ago counts as open although the read model does
not show it yet. The kind stands in the audit record, the name never does.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.auth.person_keys import held_key, kept_key, seal_for, unseal_for
from services.gateway.domain.account_kinds import Kind
from services.gateway.parts import Gateway
from services.gateway.store import account_kinds as store
from services.gateway.store.own_records import record_account_act


async def own_kind(connection: AsyncConnection, own_key: str, subject_id: UUID) -> Kind:
    """The kind of an account with its name, opened."""
    row = await store.kind_of(connection, subject_id)
    person = await kept_key(connection, own_key, subject_id) if row.display_name_sealed is not None else None
    name = unseal_for(person, row.display_name_sealed)["display_name"] if person is not None else None
    return Kind(row.kind, name)


async def put_kind(connection: AsyncConnection, own_key: str, subject_id: UUID, chosen: Kind) -> None:
    """Write the kind of an account and its name, sealed under its person's key, in the caller's transaction."""
    person = await held_key(connection, own_key, subject_id)
    sealed = seal_for(person, {"display_name": chosen.name}) if chosen.name is not None else None
    await store.update_kind(connection, subject_id, kind=chosen.kind, display_name_sealed=sealed)


async def read_kind(gateway: Gateway, identity: Identity) -> dict[str, Any]:
    """The kind of one's account, and whether it can be another one now."""
    async with gateway.engine.connect() as connection:
        found = await own_kind(connection, _own_key(gateway), identity.subject_id)
    return _view(found, may_change=not await store.has_open_commitment(gateway.reads, identity.subject_id))


async def choose_account_kind(
    gateway: Gateway, identity: Identity, chosen: Kind, traceparent: str | None
) -> dict[str, Any]:
    """Choose a kind and a name. Raises Rejected(account_kind_fixed) for another kind while a commitment is open."""
    own_key, subject_id = _own_key(gateway), identity.subject_id
    is_open = await store.has_open_commitment(gateway.reads, subject_id)
    async with gateway.engine.begin() as connection:
        await held_key(connection, own_key, subject_id)
        before = await own_kind(connection, own_key, subject_id)
        if before.kind != chosen.kind and is_open:
            raise Rejected("account_kind_fixed", kind=before.kind)
        if before != chosen:
            await put_kind(connection, own_key, subject_id, chosen)
            await record_account_act(
                connection, identity, "account.kind_chosen", subject=subject_id, traceparent=traceparent,
                before={"kind": before.kind}, after={"kind": chosen.kind},
            )  # fmt: skip
    return _view(chosen, may_change=not is_open)


def _view(kind: Kind, *, may_change: bool) -> dict[str, Any]:
    return {"kind": kind.kind, "display_name": kind.name, "may_change": may_change}


def _own_key(gateway: Gateway) -> str:
    return gateway.settings.people_key_gateway.get_secret_value()
