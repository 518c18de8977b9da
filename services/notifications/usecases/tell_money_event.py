"""Tell a participant what happened to their money: funds held, refund paid (to the card or another way), funds released.

Each event says who and how much; title and dates come from the campaign's opening, names from the supplier's
registration. A fact that has not been read here yet makes the event Early: it waits, in its place, until it has.
"""

from __future__ import annotations

from uuid import UUID

from contracts.clearing import FundsReleased
from contracts.escrow import FundsHeld, RefundPaidOutside, RefundSent
from services.kit.work import Early, Work
from services.notifications.domain import mails
from services.notifications.domain.mails import CampaignFacts, HeldFunds
from services.notifications.store.facts import facts
from services.notifications.usecases.write_mail import write_mail


async def tell_funds_held(work: Work, event: FundsHeld) -> None:
    """Funds are held: tell the participant, and keep who they belong to for the release. Raises Early."""
    campaign = _campaign(work, event.campaign_id)
    held = HeldFunds(event.commitment_id, event.campaign_id, event.participant_id, event.amount_minor, event.currency)
    facts(work).add_held_funds(held)
    write_mail(work, mails.funds_held(campaign, held, happened_at=work.cause.time))


async def tell_refund_paid(work: Work, event: RefundSent | RefundPaidOutside) -> None:
    """A refund is paid: tell the participant, and which way. Raises Early."""
    campaign = _campaign(work, event.campaign_id)
    mail = mails.refund_paid(
        campaign,
        event.participant_id,
        amount_minor=event.amount_minor,
        currency=event.currency,
        reason="goodwill" if event.goodwill else event.reason,
        outside=isinstance(event, RefundPaidOutside),
        happened_at=work.cause.time,
    )
    write_mail(work, mail)


async def tell_funds_released(work: Work, event: FundsReleased) -> None:
    """Funds went to the supplier: tell each participant of a released commitment, once with their sum. Raises Early."""
    campaign = _campaign(work, event.campaign_id)
    known = facts(work)
    supplier_name = known.suppliers.get(event.supplier_id)
    missing = [each for each in event.released_commitment_ids if each not in known.held_funds]
    if supplier_name is None or missing:
        raise Early(f"{len(missing)} commitments or the supplier of the release are not known here yet")
    released = [known.held_funds[each] for each in event.released_commitment_ids]
    for share in mails.shares(released):
        mail = mails.funds_released(
            campaign,
            share,
            supplier_name=supplier_name,
            plan_kind=event.plan_kind,
            happened_at=work.cause.time,
        )
        write_mail(work, mail)


def _campaign(work: Work, campaign_id: UUID) -> CampaignFacts:
    campaign = facts(work).campaigns.get(campaign_id)
    if campaign is None:
        raise Early(f"campaign {campaign_id} is not known here yet")
    return campaign
