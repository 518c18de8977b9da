"""What one transaction has read: each row at most once, in bulk where a batch names many.

The hot path (a commitment is locked) reads the batch's campaigns and commitments with one statement each and writes
through the session, which the kit flushes once. Rows made in this transaction are found here too, flushed or not. It
cannot see what another transaction does meanwhile; the campaign's locked stream head makes that impossible.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm.attributes import InstrumentedAttribute

from services.kit.work import Work
from services.suppliers.store.tables import Campaign, Commitment, Invitation, Issue, Row, Supplier

_CACHE_KEY = "suppliers.records"

R = TypeVar("R", bound=Row)


class Records:
    """The rows of one transaction. A getter answers None for what does not exist."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._campaigns: dict[UUID, Campaign | None] = {}
        self._commitments: dict[UUID, Commitment | None] = {}
        self._issues: dict[UUID, Issue | None] = {}
        self._suppliers: dict[UUID, Supplier | None] = {}
        self._invitations: dict[UUID, list[Invitation]] = {}

    async def campaign(self, campaign_id: UUID) -> Campaign | None:
        """A campaign."""
        await self.load_campaigns((campaign_id,))
        return self._campaigns[campaign_id]

    async def commitment(self, commitment_id: UUID) -> Commitment | None:
        """A commitment."""
        await self.load_commitments((commitment_id,))
        return self._commitments[commitment_id]

    async def commitments(self, commitment_ids: Sequence[UUID]) -> dict[UUID, Commitment]:
        """Those of the commitments that exist."""
        await self.load_commitments(commitment_ids)
        found = ((wanted, self._commitments[wanted]) for wanted in commitment_ids)
        return {identity: row for identity, row in found if row is not None}

    async def issue(self, issue_id: UUID) -> Issue | None:
        """An issue."""
        await self._load(self._issues, Issue, Issue.issue_id, (issue_id,))
        return self._issues[issue_id]

    async def suppliers(self, supplier_ids: Sequence[UUID]) -> dict[UUID, Supplier]:
        """Those of the suppliers that are registered."""
        await self._load(self._suppliers, Supplier, Supplier.supplier_id, supplier_ids)
        found = ((wanted, self._suppliers[wanted]) for wanted in supplier_ids)
        return {identity: row for identity, row in found if row is not None}

    async def invitations(self, campaign_id: UUID) -> list[Invitation]:
        """A campaign's invitations in the sequence in which they were made."""
        if campaign_id not in self._invitations:
            query = select(Invitation).where(Invitation.campaign_id == campaign_id).order_by(Invitation.ordinal)
            self._invitations[campaign_id] = list((await self._work.session.scalars(query)).all())
        return self._invitations[campaign_id]

    async def commitments_with_issue(self, campaign_id: UUID) -> tuple[int, tuple[UUID, ...]]:
        """How many commitments have an open or upheld issue, and which of them an open one, sorted."""
        await self._work.session.flush()
        affected = (
            select(Issue.commitment_id, _any(Issue.state == "open").label("open"))
            .where(Issue.campaign_id == campaign_id, Issue.state.in_(("open", "upheld")))
            .group_by(Issue.commitment_id)
            .order_by(Issue.commitment_id)
        )
        rows = (await self._work.session.execute(affected)).all()
        return len(rows), tuple(row.commitment_id for row in rows if row.open)

    async def load_campaigns(self, campaign_ids: Iterable[UUID]) -> None:
        """Read these campaigns with one statement."""
        await self._load(self._campaigns, Campaign, Campaign.campaign_id, campaign_ids)

    async def load_commitments(self, commitment_ids: Iterable[UUID]) -> None:
        """Read these commitments with one statement."""
        await self._load(self._commitments, Commitment, Commitment.commitment_id, commitment_ids)

    def add_campaign(self, row: Campaign) -> None:
        """Make a campaign's row."""
        self._work.session.add(row)
        self._campaigns[row.campaign_id] = row

    def add_commitment(self, row: Commitment) -> None:
        """Make a commitment's row."""
        self._work.session.add(row)
        self._commitments[row.commitment_id] = row

    def add_issue(self, row: Issue) -> None:
        """Make an issue's row."""
        self._work.session.add(row)
        self._issues[row.issue_id] = row

    def add_supplier(self, row: Supplier) -> None:
        """Make a supplier's row."""
        self._work.session.add(row)
        self._suppliers[row.supplier_id] = row

    async def add_invitation(self, row: Invitation) -> None:
        """Make an invitation's row, after those that stood before are written: only one may stand at a time."""
        earlier = await self.invitations(row.campaign_id)
        await self._work.session.flush()
        self._work.session.add(row)
        earlier.append(row)

    async def _load(
        self, known: dict[UUID, R | None], row: type[R], key: InstrumentedAttribute[UUID], wanted: Iterable[UUID]
    ) -> None:
        missing = sorted({identity for identity in wanted if identity not in known})
        if not missing:
            return
        known.update(dict.fromkeys(missing))
        query = select(row).where(key == any_(literal(missing, ARRAY(Uuid()))))
        for found in (await self._work.session.scalars(query)).all():
            known[getattr(found, key.key)] = found


def records(work: Work) -> Records:
    """The records of the transaction in hand."""
    found = work.cache.get(_CACHE_KEY)
    if not isinstance(found, Records):
        found = work.cache[_CACHE_KEY] = Records(work)
    return found


def _any(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return func.bool_or(condition)
