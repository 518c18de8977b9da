"""The rows that one transaction has in hand, and the bulk loading of a batch.

Owns the promise that a batch costs one SELECT per table, not one per message: `preload_rows` fetches what the messages
name, the `find_…` functions answer from memory and fall back to the database (deadlines, single messages). A row that
does not exist is remembered too. What it cannot catch: a change made past the session; the bulk statements in `store/commitments.py` refresh what they change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select, text

from services.campaigns.domain.commitments import LIVE_STATES
from services.campaigns.store.arrays import among
from services.campaigns.store.commitment_rows import CommitmentRow, Unwritten, select_commitments, write_commitments
from services.campaigns.store.models import CampaignRow, CommitmentRefusalRow
from services.kit.work import Early, Work

_CACHE_KEY = "campaigns.loaded"


@dataclass(slots=True)
class Loaded:
    """Rows by id; None means: looked for and not there. `participant_units` holds live units per campaign and person."""

    campaigns: dict[UUID, CampaignRow | None] = field(default_factory=dict)
    commitments: dict[UUID, CommitmentRow | None] = field(default_factory=dict)
    refusals: dict[UUID, CommitmentRefusalRow | None] = field(default_factory=dict)
    participant_units: dict[tuple[UUID, UUID], int] = field(default_factory=dict)
    unwritten: Unwritten = field(default_factory=Unwritten)


_PARTICIPANT_UNITS = text(
    "SELECT campaign_id, participant_id, sum(quantity) AS units FROM commitment "
    "WHERE campaign_id = ANY(CAST(:campaign_ids AS uuid[])) "
    "AND participant_id = ANY(CAST(:participant_ids AS uuid[])) "
    "AND state = ANY(CAST(:states AS text[])) "
    "GROUP BY campaign_id, participant_id"
)


def loaded_rows(work: Work) -> Loaded:
    """What this transaction has in hand."""
    rows: Loaded | None = work.cache.get(_CACHE_KEY)
    if rows is None:
        rows = work.cache[_CACHE_KEY] = Loaded()
    return rows


async def preload_campaigns(work: Work, campaign_ids: Iterable[UUID]) -> None:
    """Load these campaigns with one statement."""
    known = loaded_rows(work).campaigns
    wanted = [campaign_id for campaign_id in set(campaign_ids) if campaign_id not in known]
    if not wanted:
        return
    known.update(dict.fromkeys(wanted))
    for row in await work.session.scalars(select(CampaignRow).where(among(CampaignRow.campaign_id, wanted))):
        known[row.campaign_id] = row


async def preload_commitments(work: Work, commitment_ids: Iterable[UUID]) -> None:
    """Load these commitments with one statement."""
    known = loaded_rows(work).commitments
    wanted = [commitment_id for commitment_id in set(commitment_ids) if commitment_id not in known]
    if not wanted:
        return
    known.update(dict.fromkeys(wanted))
    for row in await select_commitments(work.connection, wanted):
        known[row.commitment_id] = row


async def preload_refusals(work: Work, commitment_ids: Iterable[UUID]) -> None:
    """Load the refusals of these joins with one statement."""
    known = loaded_rows(work).refusals
    wanted = [commitment_id for commitment_id in set(commitment_ids) if commitment_id not in known]
    if not wanted:
        return
    known.update(dict.fromkeys(wanted))
    query = select(CommitmentRefusalRow).where(among(CommitmentRefusalRow.commitment_id, wanted))
    for row in await work.session.scalars(query):
        known[row.commitment_id] = row


async def preload_participant_units(work: Work, pairs: Iterable[tuple[UUID, UUID]]) -> None:
    """Sum up, with one statement, what these participants have reserved or held in these campaigns."""
    known = loaded_rows(work).participant_units
    wanted = {pair for pair in pairs if pair not in known}
    if not wanted:
        return
    # What this transaction has changed so far must be in the sum.
    await write_pending(work)
    known.update(dict.fromkeys(wanted, 0))
    rows = await work.connection.execute(
        _PARTICIPANT_UNITS,
        {
            "campaign_ids": list({campaign_id for campaign_id, _ in wanted}),
            "participant_ids": list({participant_id for _, participant_id in wanted}),
            "states": sorted(LIVE_STATES),
        },
    )
    for row in rows:
        if (row.campaign_id, row.participant_id) in wanted:
            known[row.campaign_id, row.participant_id] = int(row.units)


async def write_pending(work: Work) -> None:
    """Write the commitments this transaction has made or changed so far; also the last thing before its end."""
    await write_commitments(work.connection, loaded_rows(work).unwritten)


def note_changed(work: Work, row: CommitmentRow) -> None:
    """This commitment was changed and is to be written."""
    loaded_rows(work).unwritten.note_changed(row)


def add_participant_units(work: Work, campaign_id: UUID, participant_id: UUID, units: int) -> None:
    """Keep the sum in memory true after a step; a sum that nobody has asked for is left to the database."""
    known = loaded_rows(work).participant_units
    if (campaign_id, participant_id) in known:
        known[campaign_id, participant_id] += units


async def find_campaign(work: Work, campaign_id: UUID) -> CampaignRow | None:
    """The campaign, or None."""
    known = loaded_rows(work).campaigns
    if campaign_id not in known:
        await preload_campaigns(work, [campaign_id])
    return known[campaign_id]


async def find_commitment(work: Work, commitment_id: UUID) -> CommitmentRow | None:
    """The commitment, or None."""
    known = loaded_rows(work).commitments
    if commitment_id not in known:
        await preload_commitments(work, [commitment_id])
    return known[commitment_id]


async def find_refusal(work: Work, commitment_id: UUID) -> CommitmentRefusalRow | None:
    """The refusal of this join, or None."""
    known = loaded_rows(work).refusals
    if commitment_id not in known:
        await preload_refusals(work, [commitment_id])
    return known[commitment_id]


async def participant_units(work: Work, campaign_id: UUID, participant_id: UUID) -> int:
    """What this participant has reserved or held in this campaign, whole units."""
    pair = (campaign_id, participant_id)
    await preload_participant_units(work, [pair])
    return loaded_rows(work).participant_units[pair]


async def campaign_of_event(work: Work, campaign_id: UUID) -> CampaignRow:
    """The campaign that another service's event speaks of. Raises Early when it is not known here."""
    campaign = await find_campaign(work, campaign_id)
    if campaign is None:
        raise Early
    return campaign


async def commitment_of_event(work: Work, commitment_id: UUID) -> CommitmentRow:
    """The commitment that another service's event speaks of. Raises Early when it is not known here."""
    commitment = await find_commitment(work, commitment_id)
    if commitment is None:
        raise Early
    return commitment


def add_campaign(work: Work, row: CampaignRow) -> None:
    """A new campaign."""
    work.session.add(row)
    loaded_rows(work).campaigns[row.campaign_id] = row


def add_commitment(work: Work, row: CommitmentRow) -> None:
    """A new commitment."""
    rows = loaded_rows(work)
    rows.commitments[row.commitment_id] = row
    rows.unwritten.new[row.commitment_id] = row
    add_participant_units(work, row.campaign_id, row.participant_id, row.quantity)


def add_refusal(work: Work, row: CommitmentRefusalRow) -> None:
    """A refused join."""
    work.session.add(row)
    loaded_rows(work).refusals[row.commitment_id] = row
