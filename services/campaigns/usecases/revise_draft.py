"""Replace what a draft says, when it still says what its author read."""

from __future__ import annotations

from contracts.campaigns import DraftRevised, ReviseDraft
from contracts.errors import Rejected
from contracts.terms import content_digest
from services.campaigns.store.loaded import find_campaign
from services.campaigns.store.models import CampaignRow
from services.campaigns.store.records import content_of, terms_of
from services.campaigns.usecases.draft_campaign import AUTHOR_ROLES, write_version
from services.kit.work import Work


async def revise_draft(work: Work, message: ReviseDraft) -> None:
    """Readiness answers that are not given stay. Raises Rejected: `campaign_unknown`, `not_allowed` (only its author), `campaign_state_conflict` (no draft any more),
    `version_stale` with the digest of what it says now."""
    campaign = await find_campaign(work, message.campaign_id)
    if campaign is None:
        raise Rejected("campaign_unknown")
    if work.actor.role not in AUTHOR_ROLES or campaign.author_id != work.actor.id:
        raise Rejected("not_allowed")
    if campaign.state != "DRAFT":
        raise Rejected("campaign_state_conflict", state=campaign.state)
    current = await _digest(work, campaign)
    if current != message.based_on:
        raise Rejected("version_stale", based_on=message.based_on, current=current)
    before = {"state": "DRAFT", "terms_hash": campaign.terms_hash, "content": current}
    terms_hash = message.terms.hash()
    await write_version(work, campaign, message, terms_hash)
    work.publish(
        DraftRevised(
            campaign_id=message.campaign_id,
            product=message.product,
            terms=message.terms,
            terms_hash=terms_hash,
            supplier_ids=message.supplier_ids,
            visibility=message.visibility,
        )
    )
    scope = str(message.campaign_id)
    after = {"state": "DRAFT", "terms_hash": terms_hash, "content": await _digest(work, campaign)}
    work.audit("campaign.revise", scope=scope, subject=scope, before=before, after=after)


async def _digest(work: Work, campaign: CampaignRow) -> str:
    content = await content_of(work, campaign)
    # What was changed in this transaction must be there to be read.
    await work.session.flush()
    terms = await terms_of(work, campaign)
    return content_digest(
        product=content.product,
        terms=terms.model_dump(mode="json"),
        supplier_ids=content.supplier_ids,
        visibility=content.visibility,
    )
