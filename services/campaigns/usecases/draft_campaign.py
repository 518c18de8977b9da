"""Record a campaign draft, or a new version of it while it is a draft. Its author is whoever sends it first."""

from __future__ import annotations

from contracts.campaigns import CampaignDrafted, DraftCampaign, ReviseDraft
from contracts.errors import Rejected
from services.campaigns.store.loaded import add_campaign, find_campaign
from services.campaigns.store.models import CampaignContentRow, CampaignRow, TermsVersionRow
from services.campaigns.store.records import add_record, content_of
from services.kit.work import Work

AUTHOR_ROLES = frozenset({"operations", "gatekeeper", "founder"})
"""Roles that may draft a campaign."""

_NOTHING_YET = (
    "submitted_at",
    "opened_at",
    "target_reached_at",
    "joining_ended_at",
    "joining_end_cause",
    "withdrawal_requested_at",
    "final_units",
    "final_commitments",
    "acceptance_requested_at",
    "supplier_id",
    "invitation_id",
    "accepted_at",
    "inspection_started_at",
    "close_requested_at",
    "waiting_step",
    "ended_at",
    "close_reason",
    "plan_id",
)
"""Columns that are empty in a draft. Said explicitly: a column that was never set would be fetched on its first use."""


async def draft_campaign(work: Work, message: DraftCampaign) -> None:
    """Raises Rejected: `not_allowed`; `campaign_exists` unless the author revises an own draft."""
    if work.actor.role not in AUTHOR_ROLES:
        raise Rejected("not_allowed")
    campaign = await find_campaign(work, message.campaign_id)
    terms_hash = message.terms.hash()
    before = None
    if campaign is None:
        _record_draft(work, message, terms_hash)
    elif campaign.state == "DRAFT" and campaign.author_id == work.actor.id:
        before = {"state": "DRAFT", "terms_hash": campaign.terms_hash}
        await write_version(work, campaign, message, terms_hash)
    else:
        raise Rejected("campaign_exists")
    work.publish(
        CampaignDrafted(
            campaign_id=message.campaign_id,
            author_id=work.actor.id,
            product=message.product,
            terms=message.terms,
            terms_hash=terms_hash,
            supplier_ids=message.supplier_ids,
            visibility=message.visibility,
        )
    )
    work.audit(
        "campaign.draft",
        scope=str(message.campaign_id),
        subject=str(message.campaign_id),
        before=before,
        after={"state": "DRAFT", "terms_hash": terms_hash},
    )


def _record_draft(work: Work, message: DraftCampaign, terms_hash: str) -> None:
    campaign = CampaignRow(
        campaign_id=message.campaign_id,
        state="DRAFT",
        author_id=work.actor.id,
        terms_version=1,
        held_units=0,
        reserved_units=0,
        held_commitments=0,
        open_reservations=0,
        sign_off_round=1,
        drafted_at=work.now,
        **dict.fromkeys(_NOTHING_YET),
    )
    _set_terms(campaign, message, terms_hash)
    add_campaign(work, campaign)
    content = CampaignContentRow(campaign_id=message.campaign_id)
    _set_content(content, message)
    add_record(work, content)
    _add_terms_version(work, campaign, message)


async def write_version(
    work: Work, campaign: CampaignRow, message: DraftCampaign | ReviseDraft, terms_hash: str
) -> None:
    """Write what a draft says from now on; other terms are a new version beside the old ones."""
    content = await content_of(work, campaign)
    _set_content(content, message)
    if terms_hash != campaign.terms_hash:
        campaign.terms_version += 1
        _set_terms(campaign, message, terms_hash)
        _add_terms_version(work, campaign, message)


def _set_terms(campaign: CampaignRow, message: DraftCampaign | ReviseDraft, terms_hash: str) -> None:
    terms = message.terms
    campaign.terms_hash = terms_hash
    campaign.target_units = terms.target_units
    campaign.capacity_units = terms.capacity_units
    campaign.min_units = terms.min_units
    campaign.max_units = terms.max_units
    campaign.unit_price_minor = terms.unit_price_minor
    campaign.currency = terms.currency
    campaign.close_at = terms.close_at


def _set_content(content: CampaignContentRow, message: DraftCampaign | ReviseDraft) -> None:
    content.product = message.product.model_dump(mode="json")
    content.supplier_ids = [str(supplier_id) for supplier_id in message.supplier_ids]
    content.visibility = message.visibility
    if message.readiness is not None:
        content.readiness = message.readiness.model_dump(mode="json")
    elif not isinstance(message, ReviseDraft):
        # A revision leaves the answers alone: nobody is told them, so that nobody could send back what they did not mean
        # to change.
        content.readiness = None


def _add_terms_version(work: Work, campaign: CampaignRow, message: DraftCampaign | ReviseDraft) -> None:
    add_record(
        work,
        TermsVersionRow(
            campaign_id=campaign.campaign_id,
            version=campaign.terms_version,
            terms=message.terms.model_dump(mode="json"),
            terms_hash=campaign.terms_hash,
            author_id=work.actor.id,
            recorded_at=work.now,
        ),
    )
