"""What one transaction knows: facts of other services and contacts, read in bulk beforehand and written in bulk at its end.

The service tells tens of thousands of events to people who left no address; so a batch reads with one statement per
table and writes with one statement per table. What a message of the batch adds is seen by the later ones at once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.kit.work import Work
from services.notifications.domain.mails import CampaignFacts, HeldFunds, ProofHead

_CACHE_KEY = "notifications.facts"

_SELECT_CAMPAIGNS = text(
    "SELECT campaign_id, title, product_name, close_at FROM campaign WHERE campaign_id = ANY(CAST(:ids AS uuid[]))"
)
_SELECT_HELD_FUNDS = text(
    "SELECT commitment_id, campaign_id, participant_id, amount_minor, currency FROM held_funds "
    "WHERE commitment_id = ANY(CAST(:ids AS uuid[]))"
)
_SELECT_SUPPLIERS = text("SELECT supplier_id, display_name FROM supplier WHERE supplier_id = ANY(CAST(:ids AS uuid[]))")
_SELECT_CONTACTS = text("SELECT subject_id, token FROM contact WHERE subject_id = ANY(CAST(:ids AS uuid[]))")
_SELECT_TOLD = text("SELECT message_id FROM message WHERE cause_id = ANY(CAST(:ids AS uuid[]))")

_INSERT_CAMPAIGNS = text(
    """
    INSERT INTO campaign (campaign_id, title, product_name, close_at)
    SELECT campaign_id, title, product_name, close_at
    FROM unnest(
        CAST(:campaign_ids AS uuid[]), CAST(:titles AS text[]), CAST(:product_names AS text[]),
        CAST(:close_ats AS timestamptz[])
    ) AS rows (campaign_id, title, product_name, close_at)
    ON CONFLICT (campaign_id) DO NOTHING
    """
)
_INSERT_HELD_FUNDS = text(
    """
    INSERT INTO held_funds (commitment_id, campaign_id, participant_id, amount_minor, currency)
    SELECT commitment_id, campaign_id, participant_id, amount_minor, currency
    FROM unnest(
        CAST(:commitment_ids AS uuid[]), CAST(:campaign_ids AS uuid[]), CAST(:participant_ids AS uuid[]),
        CAST(:amounts AS bigint[]), CAST(:currencies AS text[])
    ) AS rows (commitment_id, campaign_id, participant_id, amount_minor, currency)
    ON CONFLICT (commitment_id) DO NOTHING
    """
)
_UPSERT_SUPPLIERS = text(
    """
    INSERT INTO supplier (supplier_id, display_name)
    SELECT supplier_id, display_name
    FROM unnest(CAST(:supplier_ids AS uuid[]), CAST(:display_names AS text[])) AS rows (supplier_id, display_name)
    ON CONFLICT (supplier_id) DO UPDATE SET display_name = EXCLUDED.display_name
    """
)
_UPSERT_CONTACT = text(
    """
    INSERT INTO contact (subject_id, token, recorded_at)
    VALUES (:subject_id, :token, :recorded_at)
    ON CONFLICT (subject_id) DO UPDATE SET token = EXCLUDED.token, recorded_at = EXCLUDED.recorded_at
    """
)
_SELECT_PROOF_HEAD = text("SELECT number, hash FROM proof_head")
_UPSERT_PROOF_HEAD = text(
    """
    INSERT INTO proof_head AS known (number, hash) VALUES (:number, :hash)
    ON CONFLICT (singleton) DO UPDATE SET number = EXCLUDED.number, hash = EXCLUDED.hash
    WHERE known.number < EXCLUDED.number
    """
)
_DELETE_CONTACT = text("DELETE FROM contact WHERE subject_id = :subject_id")


class Facts:
    """The facts of one transaction. `contacts` holds only people with an address."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.campaigns: dict[UUID, CampaignFacts] = {}
        self.held_funds: dict[UUID, HeldFunds] = {}
        self.suppliers: dict[UUID, str] = {}
        self.contacts: dict[UUID, str] = {}
        self.told: set[UUID] = set()
        self.proof_head: ProofHead | None = None
        self._new_campaigns: list[CampaignFacts] = []
        self._new_held_funds: list[HeldFunds] = []
        self._new_suppliers: dict[UUID, str] = {}

    async def load_campaigns(self, ids: Collection[UUID]) -> None:
        """Read campaigns."""
        for row in await self._rows(_SELECT_CAMPAIGNS, ids):
            self.campaigns[row.campaign_id] = CampaignFacts(*row)

    async def load_held_funds(self, ids: Collection[UUID]) -> None:
        """Read the funds of commitments."""
        for row in await self._rows(_SELECT_HELD_FUNDS, ids):
            self.held_funds[row.commitment_id] = HeldFunds(*row)

    async def load_suppliers(self, ids: Collection[UUID]) -> None:
        """Read suppliers' names."""
        for row in await self._rows(_SELECT_SUPPLIERS, ids):
            self.suppliers[row.supplier_id] = row.display_name

    async def load_contacts(self, ids: Collection[UUID]) -> None:
        """Read the encrypted contact data of people."""
        for row in await self._rows(_SELECT_CONTACTS, ids):
            self.contacts[row.subject_id] = row.token

    async def load_told(self, cause_ids: Collection[UUID]) -> None:
        """Read which mails of these events exist already."""
        self.told.update(row.message_id for row in await self._rows(_SELECT_TOLD, cause_ids))

    async def load_proof_head(self) -> None:
        """Read the head of the public file, as it was told here last."""
        row = (await self._work.connection.execute(_SELECT_PROOF_HEAD)).one_or_none()
        self.proof_head = None if row is None else ProofHead(row.number, row.hash)

    async def put_proof_head(self, head: ProofHead) -> None:
        """Keep a newer head."""
        self.proof_head = head
        await self._work.connection.execute(_UPSERT_PROOF_HEAD, {"number": head.number, "hash": head.hash})

    def add_campaign(self, campaign: CampaignFacts) -> None:
        """Keep a campaign; its locked fields never change, so the first one stands."""
        if campaign.campaign_id not in self.campaigns:
            self.campaigns[campaign.campaign_id] = campaign
            self._new_campaigns.append(campaign)

    def add_held_funds(self, held: HeldFunds) -> None:
        """Keep the funds of a commitment."""
        if held.commitment_id not in self.held_funds:
            self.held_funds[held.commitment_id] = held
            self._new_held_funds.append(held)

    def add_supplier(self, supplier_id: UUID, display_name: str) -> None:
        """Keep a supplier's name."""
        self.suppliers[supplier_id] = self._new_suppliers[supplier_id] = display_name

    async def put_contact(self, subject_id: UUID, token: str) -> None:
        """Keep a person's encrypted contact data; the newer one stands."""
        self.contacts[subject_id] = token
        await self._work.connection.execute(
            _UPSERT_CONTACT, {"subject_id": subject_id, "token": token, "recorded_at": self._work.now}
        )

    async def erase_contact(self, subject_id: UUID) -> None:
        """Erase a person's contact data; none is fine too."""
        self.contacts.pop(subject_id, None)
        await self._work.connection.execute(_DELETE_CONTACT, {"subject_id": subject_id})

    async def write(self) -> None:
        """Write what is new."""
        campaigns, self._new_campaigns = self._new_campaigns, []
        if campaigns:
            await self._write(
                _INSERT_CAMPAIGNS,
                campaign_ids=[campaign.campaign_id for campaign in campaigns],
                titles=[campaign.title for campaign in campaigns],
                product_names=[campaign.product_name for campaign in campaigns],
                close_ats=[campaign.close_at for campaign in campaigns],
            )
        held, self._new_held_funds = self._new_held_funds, []
        if held:
            await self._write(
                _INSERT_HELD_FUNDS,
                commitment_ids=[funds.commitment_id for funds in held],
                campaign_ids=[funds.campaign_id for funds in held],
                participant_ids=[funds.participant_id for funds in held],
                amounts=[funds.amount_minor for funds in held],
                currencies=[funds.currency for funds in held],
            )
        suppliers, self._new_suppliers = self._new_suppliers, {}
        if suppliers:
            await self._write(_UPSERT_SUPPLIERS, supplier_ids=list(suppliers), display_names=list(suppliers.values()))

    async def _rows(self, query: Any, ids: Collection[UUID]) -> list[Any]:
        if not ids:
            return []
        return list((await self._work.connection.execute(query, {"ids": list(ids)})).all())

    async def _write(self, statement: Any, **columns: list[Any]) -> None:
        await self._work.connection.execute(statement, columns)


def facts(work: Work) -> Facts:
    """The facts of the transaction in hand."""
    found = work.cache.get(_CACHE_KEY)
    if not isinstance(found, Facts):
        found = work.cache[_CACHE_KEY] = Facts(work)
    return found
