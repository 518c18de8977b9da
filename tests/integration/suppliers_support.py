"""A campaign as the suppliers service lives it: the messages of the others, with sensible figures. Test code."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from contracts.campaigns import AcceptanceRequested, CampaignOpened, CommitmentLocked, TargetReached
from contracts.envelope import Actor, Message
from contracts.housekeeping import SuppliersCommandRefused
from contracts.suppliers import (
    AcceptanceWindowOpened,
    AcceptInvitation,
    DeclineInvitation,
    RecordDelivery,
    RecordDispatch,
    RegisterSupplier,
    ReportIssue,
    SupplierInvited,
)
from contracts.terms import Product, Terms
from services.kit.service import Service
from services.suppliers.handlers import SERVICE
from tests.fixtures.harness import Harness, Published

M = TypeVar("M", bound=Message)

MakeHarness = Callable[[Service], Awaitable[Harness]]

OPERATIONS = Actor("op-1", "operations")
SUPPLIER = Actor("dock-1", "supplier")
PARTICIPANT = Actor("maya-1", "participant")
TRUST = Actor("tess-1", "trust_reviewer")

TERMS = Terms(
    title="Cast-iron stoves",
    target_units=2,
    capacity_units=8,
    unit_price_minor=54_900,
    currency="usd",
    min_units=1,
    max_units=None,
    close_at=datetime(2026, 12, 5, tzinfo=UTC),
    fee_basis_points=300,
    delivery_window_days=21,
    delivery_model="parcel",
    delivery_terms="To the door, tax included.",
    refund_terms="In full until the close.",
)
PRODUCT = Product(name="Stove", specification="Cast iron, 40 cm", category="household")


@dataclass
class Scene:
    """One campaign on one harness. `commitments` are (commitment id, participant id)."""

    harness: Harness
    suppliers: list[UUID]
    campaign_id: UUID = field(default_factory=uuid4)
    commitments: list[tuple[UUID, UUID]] = field(default_factory=list)

    async def open(self) -> None:
        """Register the suppliers and open the campaign."""
        for supplier_id in self.suppliers:
            await self.register(supplier_id)
        await self.harness.deliver(self.opened())

    async def register(self, supplier_id: UUID, *, actor: Actor = OPERATIONS, **changes: Any) -> list[Published]:
        """Register a supplier."""
        facts = {"display_name": "Emerald Supply", "payout_account_id": "acct_1", "tier": "provisional"} | changes
        return await self.harness.deliver(RegisterSupplier(supplier_id=supplier_id, **facts), actor=actor)

    def opened(self) -> CampaignOpened:
        """The opening of the campaign."""
        return CampaignOpened(
            campaign_id=self.campaign_id,
            product=PRODUCT,
            terms=TERMS,
            terms_hash=TERMS.hash(),
            supplier_ids=tuple(self.suppliers),
            visibility="members",
            opened_at=datetime(2026, 11, 21, tzinfo=UTC),
        )

    def locked(self, *, quantity: int = 1) -> CommitmentLocked:
        """Another commitment is locked."""
        commitment_id, participant_id = uuid4(), uuid4()
        self.commitments.append((commitment_id, participant_id))
        return CommitmentLocked(
            campaign_id=self.campaign_id,
            commitment_id=commitment_id,
            participant_id=participant_id,
            quantity=quantity,
            amount_minor=quantity * TERMS.unit_price_minor,
            currency="usd",
            held_units=len(self.commitments),
            reserved_units=0,
            held_commitments=len(self.commitments),
        )

    async def reach_target(self, *, commitments: int = 2) -> SupplierInvited:
        """Lock commitments and reach the target; returns the invitation."""
        await self.harness.deliver(*(self.locked() for _ in range(commitments)))
        return only(await self.harness.deliver(self.target_reached()), SupplierInvited)

    def target_reached(self) -> TargetReached:
        """The target is reached."""
        return TargetReached(campaign_id=self.campaign_id, held_units=len(self.commitments), target_units=2)

    def acceptance_requested(self) -> AcceptanceRequested:
        """The count at the close met the target."""
        return AcceptanceRequested(
            campaign_id=self.campaign_id,
            final_units=len(self.commitments),
            commitments=len(self.commitments),
            unit_price_minor=TERMS.unit_price_minor,
            currency="usd",
            terms_hash=TERMS.hash(),
        )

    async def open_window(self, *, commitments: int = 2) -> AcceptanceWindowOpened:
        """From the opening to the open window."""
        await self.open()
        await self.reach_target(commitments=commitments)
        return only(await self.harness.deliver(self.acceptance_requested()), AcceptanceWindowOpened)

    async def accept(self, window: AcceptanceWindowOpened | SupplierInvited, **changes: Any) -> list[Published]:
        """The invited supplier accepts."""
        received_at = changes.pop("received_at", None) or await self.harness.now()
        actor = changes.pop("actor", SUPPLIER)
        facts = {
            "campaign_id": self.campaign_id,
            "invitation_id": window.invitation_id,
            "supplier_id": window.supplier_id,
            "terms_hash": window.terms_hash,
        }
        return await self.harness.deliver(AcceptInvitation(**facts | changes), actor=actor, received_at=received_at)

    async def decline(self, window: AcceptanceWindowOpened | SupplierInvited, **changes: Any) -> list[Published]:
        """The invited supplier declines."""
        received_at = changes.pop("received_at", None) or await self.harness.now()
        facts = {
            "campaign_id": self.campaign_id,
            "invitation_id": window.invitation_id,
            "supplier_id": window.supplier_id,
            "reason": "No capacity this month.",
        }
        return await self.harness.deliver(DeclineInvitation(**facts | changes), actor=SUPPLIER, received_at=received_at)

    async def start_fulfillment(self, *, commitments: int = 2) -> None:
        """From the opening to the acceptance."""
        window = await self.open_window(commitments=commitments)
        await self.accept(window)

    async def dispatch(self, *commitment_ids: UUID, **changes: Any) -> list[Published]:
        """The supplier dispatches."""
        facts: dict[str, Any] = {
            "campaign_id": self.campaign_id,
            "supplier_id": self.suppliers[0],
            "tracking": "TRACK-1",
        }
        command = RecordDispatch(commitment_ids=commitment_ids, **facts | changes)
        return await self.harness.deliver(command, actor=SUPPLIER, received_at=await self.harness.now())

    async def deliver(self, *commitment_ids: UUID, **changes: Any) -> list[Published]:
        """The supplier delivers."""
        facts: dict[str, Any] = {
            "campaign_id": self.campaign_id,
            "supplier_id": self.suppliers[0],
            "evidence": "Signed by the recipients.",
        }
        command = RecordDelivery(commitment_ids=commitment_ids, **facts | changes)
        return await self.harness.deliver(command, actor=SUPPLIER, received_at=await self.harness.now())

    async def deliver_all(self, *, commitments: int = 2) -> list[Published]:
        """From the opening to the delivery of every commitment."""
        await self.start_fulfillment(commitments=commitments)
        return await self.deliver(*(commitment_id for commitment_id, _ in self.commitments))

    def report(self, number: int = 0, **changes: Any) -> ReportIssue:
        """A report of a fault of the numbered commitment."""
        commitment_id, participant_id = self.commitments[number]
        facts: dict[str, Any] = {
            "campaign_id": self.campaign_id,
            "commitment_id": commitment_id,
            "participant_id": participant_id,
            "issue_id": uuid4(),
            "description_digest": hashlib.sha256(b"The lid is cracked.").hexdigest(),
        }
        return ReportIssue(**facts | changes)

    async def send_report(self, report: ReportIssue, *, received_at: datetime | None = None) -> list[Published]:
        """The participant reports."""
        received_at = received_at or await self.harness.now()
        return await self.harness.deliver(report, actor=PARTICIPANT, received_at=received_at)

    async def phase(self) -> str:
        """The campaign's phase."""
        rows = await self.harness.rows("SELECT phase FROM campaign WHERE campaign_id = :id", id=self.campaign_id)
        return str(rows[0].phase)


async def make_scene(harness: MakeHarness, *, suppliers: int = 1) -> Scene:
    """A scene on a fresh database."""
    return Scene(await harness(SERVICE), [uuid4() for _ in range(suppliers)])


def only(published: list[Published], kind: type[M]) -> M:
    """The one message of this kind. Fails on none or several."""
    found = [each.message for each in published if isinstance(each.message, kind)]
    assert len(found) == 1, [type(each.message).__name__ for each in published]
    return found[0]


def kinds(published: list[Published]) -> list[str]:
    """The names of what was published, in sequence."""
    return [type(each.message).__name__ for each in published]


def refusal(published: list[Published]) -> str:
    """The code of the one refusal."""
    return only(published, SuppliersCommandRefused).code
