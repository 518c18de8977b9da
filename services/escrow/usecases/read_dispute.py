"""A dispute was read at Stripe: apply it, after its payment intent when its charge was not known here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.envelope import PLATFORM_SCOPE
from services.escrow.domain.psp import OddObjectError, dispute_facts, metadata_id
from services.escrow.usecases.apply_dispute import apply_dispute
from services.escrow.usecases.hint_dispute import intend_reading
from services.escrow.usecases.receive_psp_event import apply_object
from services.kit.service import Answer, Intent
from services.kit.work import Work


async def post_dispute_read(work: Work, intent: Intent, answer: Answer) -> None:
    """The answer of a reading. One for the platform's scope only found the campaign; it is read again for that."""
    if answer.outcome != "done":
        return
    payment = answer.body.get("payment")
    if intent.scope == PLATFORM_SCOPE:
        campaign_id = metadata_id(payment, "campaign_id") if isinstance(payment, Mapping) else None
        if campaign_id is not None:
            payment_intent_id = answer.body.get("payment_intent")
            intend_reading(work, str(answer.body["id"]), payment_intent_id, scope=str(campaign_id), ordinal=2)
        return
    try:
        await apply_reading(work, answer.body, payment if isinstance(payment, Mapping) else None)
    except OddObjectError as error:
        work.open_case(
            "psp_mismatch", scope=intent.scope, subject=str(answer.body.get("id")), facts={"why": str(error)}
        )


async def apply_reading(work: Work, body: Mapping[str, Any], payment: Mapping[str, Any] | None) -> None:
    """Apply a dispute; where its charge is not known, its payment intent comes first. Raises OddObjectError."""
    facts = dispute_facts(body)
    if not await apply_dispute(work, facts) and payment is not None:
        await apply_object(work, payment, authoritative=True)
        await apply_dispute(work, facts)
