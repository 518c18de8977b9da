"""Decide on a campaign in review (T2, T3): a gatekeeper who is not its author accepts, defers or rejects."""

from __future__ import annotations

from typing import cast

from contracts.campaigns import CampaignOpened, CampaignReturned, ReviewCampaign
from contracts.errors import Rejected
from contracts.terms import Terms, Visibility
from services.campaigns.domain.deadlines import CLOSE_DATE
from services.campaigns.domain.transitions import Transition, Trigger, decide
from services.campaigns.store.loaded import find_campaign
from services.campaigns.store.models import CampaignRow, ReviewRow
from services.campaigns.store.records import add_record, content_of, product_of, supplier_ids_of, terms_of
from services.campaigns.usecases.close_campaign import close_campaign
from services.campaigns.usecases.gather_facts import gather_facts, longest_hold
from services.campaigns.usecases.take_transition import take_transition
from services.kit.work import Work

_TRIGGERS = {
    "accept": Trigger.ACCEPT,
    "accept_with_constraints": Trigger.ACCEPT,
    "defer": Trigger.DEFER,
    "reject": Trigger.REJECT,
}


async def review_campaign(work: Work, message: ReviewCampaign) -> None:
    """Raises Rejected: `campaign_unknown`, `campaign_state_conflict`, `not_allowed`, `author_is_reviewer`, and for an
    acceptance `review_answers_failed`, `readiness_incomplete` (the close date has passed), `hold_too_long`,
    `campaign_frozen`."""
    campaign = await find_campaign(work, message.campaign_id)
    if campaign is None:
        raise Rejected("campaign_unknown")
    answers = message.answers.model_dump()
    terms = await terms_of(work, campaign)
    transition = decide(
        _TRIGGERS[message.decision],
        state=campaign.state,
        who=work.actor.role,
        facts=gather_facts(work, campaign, answers_passed=all(answers.values()), hold_days=longest_hold(work, terms)),
    )
    _record_review(work, campaign, message, answers)
    if transition.trigger == Trigger.ACCEPT:
        await _open(work, campaign, message, transition, terms)
    elif transition.trigger == Trigger.DEFER:
        take_transition(work, campaign, transition, reason=message.reason)
        work.publish(CampaignReturned(campaign_id=campaign.campaign_id, reason=message.reason))
    else:
        await close_campaign(work, campaign, transition, note=message.reason)


def _record_review(work: Work, campaign: CampaignRow, message: ReviewCampaign, answers: dict[str, bool]) -> None:
    add_record(
        work,
        ReviewRow(
            review_id=work.cause.id,
            campaign_id=campaign.campaign_id,
            author_id=campaign.author_id,
            reviewer_id=work.actor.id,
            decision=message.decision,
            reason=message.reason,
            answers=answers,
            constraints=list(message.constraints),
            terms_hash=campaign.terms_hash,
            decided_at=work.now,
        ),
    )


async def _open(
    work: Work, campaign: CampaignRow, message: ReviewCampaign, transition: Transition, terms: Terms
) -> None:
    content = await content_of(work, campaign)
    campaign.opened_at = work.now
    take_transition(work, campaign, transition, reason=message.reason)
    scope = str(campaign.campaign_id)
    work.schedule(CLOSE_DATE, scope=scope, subject=scope, due_at=campaign.close_at)
    work.publish(
        CampaignOpened(
            campaign_id=campaign.campaign_id,
            product=product_of(content),
            terms=terms,
            terms_hash=campaign.terms_hash,
            supplier_ids=supplier_ids_of(content),
            visibility=cast(Visibility, content.visibility),
            opened_at=work.now,
            constraints=message.constraints,
        )
    )
