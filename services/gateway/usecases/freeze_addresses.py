"""Freeze the address of a join in the transaction that accepts it: a copy per commitment, which nothing changes later.

One statement for all joins of a transaction, and none when no campaign among them needs an address. It decides nothing but
whether the address can be used; the campaign's terms say whether one is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from contracts.errors import Rejected
from services.gateway.store.addresses import Freezing, freeze
from services.kit.statements import Connection

if TYPE_CHECKING:
    from services.gateway.usecases.accept_act import Act


def check_named(address_id: UUID | None, *, needed: bool) -> None:
    """Raises Rejected (address_required, address_not_needed) when what a join names is not what the terms ask for."""
    if needed and address_id is None:
        raise Rejected("address_required")
    if address_id is not None and not needed:
        raise Rejected("address_not_needed")


async def freeze_addresses(connection: Connection, acts: Sequence[Act], now: datetime) -> Mapping[UUID, Rejected]:
    """Freeze what the acts name (stack time); the refusals (address_unknown, address_out_of_region) by act."""
    joins: dict[UUID, Freezing] = {}
    for act in acts:
        if act.address_id is not None:
            # Of two requests with one key the first is the act; the other one is told so where keys are compared.
            joins.setdefault(act.id, Freezing(act.id, act.created_id, act.identity.subject_id, act.address_id))
    if not joins:
        return {}
    unusable = await freeze(connection, list(joins.values()), now=now)
    return {
        act_id: Rejected("address_out_of_region" if known else "address_unknown") for act_id, known in unusable.items()
    }
