"""What is written around a campaign: its content, terms versions, reviews, sign-offs. Read on the slow paths only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from contracts.envelope import canonical_json
from contracts.terms import Product, Readiness, Terms
from services.campaigns.store.models import (
    CampaignContentRow,
    CampaignRow,
    ReviewRow,
    SignOffRow,
    TermsVersionRow,
)
from services.kit.work import Work


async def content_of(work: Work, campaign: CampaignRow) -> CampaignContentRow:
    """What the campaign says in words."""
    row = await work.session.get(CampaignContentRow, campaign.campaign_id)
    if row is None:
        raise LookupError(f"campaign {campaign.campaign_id} has no content")
    return row


async def terms_of(work: Work, campaign: CampaignRow) -> Terms:
    """The campaign's present terms in full."""
    row = await work.session.get(TermsVersionRow, (campaign.campaign_id, campaign.terms_version))
    if row is None:
        raise LookupError(f"campaign {campaign.campaign_id} has no terms of version {campaign.terms_version}")
    return Terms.model_validate_json(_json(row.terms))


def product_of(content: CampaignContentRow) -> Product:
    """The product as a contract type."""
    return Product.model_validate_json(_json(content.product))


def readiness_of(content: CampaignContentRow) -> Readiness | None:
    """The readiness answers as a contract type, when they were given."""
    return None if content.readiness is None else Readiness.model_validate_json(_json(content.readiness))


async def sign_offs_of(work: Work, campaign: CampaignRow) -> dict[str, str]:
    """The roles that have signed off in the present round, each with its person."""
    await work.session.flush()
    query = select(SignOffRow.role, SignOffRow.person_id).where(
        SignOffRow.campaign_id == campaign.campaign_id, SignOffRow.round == campaign.sign_off_round
    )
    rows = await work.session.execute(query)
    return {row.role: row.person_id for row in rows}


def add_record(work: Work, row: CampaignContentRow | TermsVersionRow | ReviewRow | SignOffRow) -> None:
    """A new record."""
    work.session.add(row)


def supplier_ids_of(content: CampaignContentRow) -> tuple[UUID, ...]:
    """The supplier candidates in their sequence."""
    return tuple(UUID(supplier_id) for supplier_id in content.supplier_ids)


def _json(value: dict[str, Any]) -> bytes:
    """Stored JSON as text again: the contract types are strict about text and moments only in JSON mode."""
    return canonical_json(value)
