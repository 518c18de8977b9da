"""A webhook about a dispute is a hint: record that the dispute is to be read at Stripe.

A dispute names a charge and none of our records. A charge that is known leads to its campaign; for another one the
payment intent is read too, which names its campaign, because the payment's answer may be slower than the bank.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.envelope import PLATFORM_SCOPE
from services.escrow.store.disputes import charge_owner
from services.kit.work import Work

DISPUTE_READ = "dispute_read"
DISPUTE_EVENTS = (
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
"""Stripe's types about disputes; subscribe to these too."""


async def hint_dispute(work: Work, body: Mapping[str, Any]) -> None:
    """A message speaks of this dispute: record that it is to be read."""
    dispute_id, charge_id = body.get("id"), body.get("charge")
    if not isinstance(dispute_id, str) or not isinstance(charge_id, str):
        return
    owner = await charge_owner(work, charge_id)
    scope = owner.scope if owner is not None else PLATFORM_SCOPE
    intend_reading(work, dispute_id, body.get("payment_intent"), scope=scope, ordinal=1)


def intend_reading(work: Work, dispute_id: str, payment_intent_id: object, *, scope: str, ordinal: int) -> None:
    """Record the reading, for the scope that its answer is posted in."""
    work.intend(
        DISPUTE_READ,
        object_id=f"{dispute_id}:{work.cause.correlation_id or work.cause.id}",
        ordinal=ordinal,
        scope=scope,
        request={"dispute": dispute_id, "payment_intent": payment_intent_id},
    )
