"""The five services' handlers under test, each with the messages around it and what one effect of its message is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

from aiosmtpd.smtp import SMTP, Envelope, Session

from contracts.campaigns import (
    AcceptanceRequested,
    CommitFunds,
    CommitmentLocked,
    CommitmentReserved,
    DraftCampaign,
    ReviewCampaign,
    SubmitCampaign,
    TargetReached,
)
from contracts.escrow import FundsHeld, LedgerTransfersPosted, UsePaymentMethod
from contracts.gateway import PersonRecorded
from contracts.ledger import LedgerEntry, LedgerTransfer
from contracts.suppliers import AcceptInvitation, RegisterSupplier, SupplierRegistered
from services.kit.clock import wall_now
from services.kit.people import seal
from tests.faults.nursery import Nursery
from tests.faults.parts import (
    ALL_WELL,
    DOCK,
    GUS,
    OLGA,
    PRODUCT,
    READINESS,
    SUPPLIER_ID,
    TERMS,
    UNIT_PRICE_MINOR,
    Campaign,
    base64_key,
)
from tests.faults.rig import Rig
from tests.faults.scenario import Scenario
from tests.integration.standin_support import API_KEY, Standin, free_port


class CampaignsScenario(Scenario):
    """CommitFunds: units are reserved once, and told once."""

    service = "campaigns"

    async def prepare(self, count: int) -> None:
        """Open the campaigns."""
        self.campaigns = [Campaign() for _ in range(count)]
        for each in self.campaigns:
            campaign_id = each.campaign_id
            draft = DraftCampaign(
                campaign_id=campaign_id,
                product=PRODUCT,
                terms=TERMS,
                supplier_ids=(SUPPLIER_ID,),
                visibility="open",
                readiness=READINESS,
            )
            review = ReviewCampaign(campaign_id=campaign_id, decision="accept", reason="Sound", answers=ALL_WELL)
            await self.rig.command(draft, actor=OLGA)
            await self.rig.command(SubmitCampaign(campaign_id=campaign_id), actor=OLGA)
            await self.rig.command(review, actor=GUS)

    async def send(self, number: int) -> UUID:
        """Join."""
        each = self.campaigns[number]
        join = CommitFunds(
            campaign_id=each.campaign_id,
            commitment_id=each.commitment_id,
            participant_id=each.participant_id,
            quantity=2,
            terms_hash=TERMS.hash(),
        )
        return await self.rig.command(join, actor=each.person)

    async def assert_one_effect(self, number: int, message_id: UUID) -> None:
        """Two units are reserved for one commitment."""
        each = self.campaigns[number]
        assert await self.rig.told_because_of(message_id) == [CommitmentReserved.type]
        rows = await self.rig.rows(
            "SELECT campaign.reserved_units, commitment.commitment_id, commitment.quantity "
            "FROM campaign JOIN commitment USING (campaign_id) WHERE campaign_id = :c",
            c=each.campaign_id,
        )
        assert [tuple(row) for row in rows] == [(2, each.commitment_id, 2)]


class SuppliersScenario(Scenario):
    """AcceptInvitation: the invitation is accepted once, and told once."""

    service = "suppliers"

    async def prepare(self, count: int) -> None:
        """Bring the campaigns to an open acceptance window."""
        self.campaigns = [Campaign() for _ in range(count)]
        register = RegisterSupplier(
            supplier_id=SUPPLIER_ID, display_name="Emerald", payout_account_id="acct_1", tier="provisional"
        )
        await self.rig.command(register, actor=OLGA)
        await self.rig.quiet()
        for each in self.campaigns:
            await self.rig.event(each.opened())
            await self.rig.event(
                CommitmentLocked(
                    campaign_id=each.campaign_id,
                    commitment_id=each.commitment_id,
                    participant_id=each.participant_id,
                    quantity=2,
                    amount_minor=2 * UNIT_PRICE_MINOR,
                    currency="usd",
                    held_units=2,
                    reserved_units=0,
                    held_commitments=1,
                )
            )
            await self.rig.event(TargetReached(campaign_id=each.campaign_id, held_units=2, target_units=2))
            await self.rig.event(
                AcceptanceRequested(
                    campaign_id=each.campaign_id,
                    final_units=2,
                    commitments=1,
                    unit_price_minor=UNIT_PRICE_MINOR,
                    currency="usd",
                    terms_hash=TERMS.hash(),
                )
            )

    async def send(self, number: int) -> UUID:
        """Accept."""
        campaign_id = self.campaigns[number].campaign_id
        ((invitation_id, state),) = await self._invitations(campaign_id)
        assert state == "open"
        accept = AcceptInvitation(
            campaign_id=campaign_id, invitation_id=invitation_id, supplier_id=SUPPLIER_ID, terms_hash=TERMS.hash()
        )
        return await self.rig.command(accept, actor=DOCK)

    async def assert_one_effect(self, number: int, message_id: UUID) -> None:
        """The one invitation is accepted."""
        assert await self.rig.told_because_of(message_id) == ["suppliers.campaign_accepted.v1"]
        ((_, state),) = await self._invitations(self.campaigns[number].campaign_id)
        assert state == "accepted"

    async def _invitations(self, campaign_id: UUID) -> list[tuple[UUID, str]]:
        rows = await self.rig.rows("SELECT invitation_id, state FROM invitation WHERE campaign_id = :c", c=campaign_id)
        return [tuple(row) for row in rows]


class NotificationsScenario(Scenario):
    """FundsHeld: one message is written and one mail goes out; a crash may repeat the mail itself, never write another."""

    service = "notifications"

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        super().__init__(folder, nursery)
        self._people_key = base64_key()
        self.mails: list[tuple[str, str]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The mail server's hook: it takes every mail."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        (message_id,) = [line for line in content.decode().splitlines() if line.lower().startswith("message-id:")]
        self.mails.append((envelope.rcpt_tos[0], message_id))
        return "250 OK"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Rig]:
        """Beside a mail server."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(self, hostname="mail.test"), "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        async with super().running() as rig:
            yield rig
        server.close()

    async def environment(self) -> Mapping[str, str]:
        """The keys and the mail server."""
        return {
            "ALPMERA_MASTER_KEY": base64_key(),
            "ALPMERA_PEOPLE_KEY_NOTIFICATIONS": self._people_key,
            "ALPMERA_SMTP_HOST": "127.0.0.1",
            "ALPMERA_SMTP_PORT": str(self._port),
        }

    async def prepare(self, count: int) -> None:
        """Make the campaigns and the people known."""
        self.campaigns = [Campaign() for _ in range(count)]
        supplier = SupplierRegistered(
            supplier_id=SUPPLIER_ID, display_name="Emerald", payout_account_id="acct_1", tier="provisional"
        )
        await self.rig.event(supplier)
        for each in self.campaigns:
            sealed = seal({"notifications": self._people_key}, {"email": self._address(each)})
            person = PersonRecorded(subject_id=each.participant_id, sealed=sealed)
            await self.rig.event(person, topic="gateway.people", streamed=False)
            await self.rig.event(each.opened())

    async def send(self, number: int) -> UUID:
        """Funds are held."""
        each = self.campaigns[number]
        return await self.rig.event(
            FundsHeld(
                campaign_id=each.campaign_id,
                commitment_id=each.commitment_id,
                participant_id=each.participant_id,
                amount_minor=UNIT_PRICE_MINOR,
                currency="usd",
                intent_id=uuid4(),
                payment_intent_id="pi_1",
            )
        )

    async def assert_one_effect(self, number: int, message_id: UUID) -> None:
        """One message; one mail by its id."""
        assert await self.rig.told_because_of(message_id) == ["notifications.message_recorded.v1"]
        rows = await self.rig.rows("SELECT result FROM message WHERE cause_id = :cause", cause=message_id)
        assert [row.result for row in rows] == ["sent"]
        delivered = [mail for to, mail in self.mails if to == self._address(self.campaigns[number])]
        assert len(set(delivered)) == 1
        assert len(delivered) <= 2

    @staticmethod
    def _address(campaign: Campaign) -> str:
        return f"{campaign.participant_id}@people.test"


class EscrowScenario(Scenario):
    """CommitmentReserved, with the participant's token waiting: one payment intent at the stand-in, one posting."""

    service = "escrow"

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        super().__init__(folder, nursery)
        self.standin: Standin

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Rig]:
        """Beside a stand-in."""
        self.standin = Standin(self.folder / "standin")
        try:
            await self.standin.start()
            async with super().running() as rig:
                yield rig
        finally:
            await self.standin.stop()

    async def environment(self) -> Mapping[str, str]:
        """Where the stand-in is."""
        return {
            "ALPMERA_STRIPE_URL": self.standin.url,
            "ALPMERA_STRIPE_KEY": API_KEY,
            "ALPMERA_STRIPE_KIND": "stand-in",
            "ALPMERA_RECONCILE_SECONDS": "1",
        }

    async def prepare(self, count: int) -> None:
        """Open the campaigns; the tokens wait for their reservations."""
        await self.rig.until(self._float_is_measured, "the float is measured")
        self.campaigns = [Campaign() for _ in range(count)]
        for each in self.campaigns:
            await self.rig.event(each.opened())
        await self.rig.quiet()
        for each in self.campaigns:
            token = UsePaymentMethod(
                campaign_id=each.campaign_id,
                commitment_id=each.commitment_id,
                participant_id=each.participant_id,
                confirmation_token=await self.standin.token("pm_card_visa"),
                return_url="http://localhost:9/back",
            )
            await self.rig.command(token, actor=each.person)

    async def _float_is_measured(self) -> bool:
        return bool(await self.rig.rows("SELECT 1 FROM float_gauge WHERE admits"))

    async def send(self, number: int) -> UUID:
        """Units are reserved."""
        return await self.rig.event(self.campaigns[number].reserved())

    async def settled(self) -> None:
        """Reconciliation has matched every object with Stripe's balance transaction, the first top-up's too."""

        async def level() -> bool:
            rows = await self.rig.rows(
                "SELECT object_id FROM clearing_object UNION ALL SELECT account FROM ledger_account "
                "WHERE scope = 'platform' AND account = 'psp_pending' AND balance_minor <> 0"
            )
            return not rows

        await self.rig.until(level, "reconciliation has nothing to do")
        await self.rig.quiet()

    async def payment_intents(self, number: int) -> list[str]:
        """The states of this commitment's payment intents at the stand-in."""
        page = await self.standin.sdk.payment_intents.list_async({"limit": 100})
        wanted = str(self.campaigns[number].commitment_id)
        return [each.status for each in page.data if wanted in str(each.metadata)]

    async def assert_one_effect(self, number: int, message_id: UUID) -> None:
        """One payment intent, one posting, told once."""
        each = self.campaigns[number]
        assert await self.rig.told_because_of(message_id) == ["escrow.payment_started.v1"]
        assert await self.payment_intents(number) == ["succeeded"]
        postings = await self.rig.rows(
            "SELECT kind FROM ledger_transfer WHERE commitment_id = :c AND kind IN ('lock', 'late_receipt')",
            c=each.commitment_id,
        )
        assert [row.kind for row in postings] == ["lock"]
        told = await self.rig.rows(
            "SELECT count(*) AS n FROM outbox WHERE type = :type AND key = :key",
            type=FundsHeld.type,
            key=str(each.campaign_id),
        )
        assert told[0].n == 1
        ((balance,),) = await self.rig.rows(
            "SELECT balance_minor FROM ledger_account WHERE account = :a", a=f"escrow:{each.commitment_id}"
        )
        assert balance == UNIT_PRICE_MINOR


class GatewayScenario(Scenario):
    """The projection: a posted transfer is added to the campaign's sums once."""

    service = "gateway"
    group = "gateway-g1"
    beside = ("gateway.replies-gateway-under-test",)

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        super().__init__(folder, nursery)
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    async def environment(self) -> Mapping[str, str]:
        """Keys, and a free port."""
        return {
            "ALPMERA_PROFILE": "test",
            "ALPMERA_HTTP_PORT": str(self._port),
            "ALPMERA_PEOPLE_KEY_GATEWAY": base64_key(),
            "ALPMERA_PEOPLE_KEY_NOTIFICATIONS": base64_key(),
            "ALPMERA_STRIPE_WEBHOOK_SECRETS": "whsec_test",
        }

    async def prepare(self, count: int) -> None:
        """Make the campaigns known."""
        self.campaigns = [Campaign() for _ in range(count)]
        for each in self.campaigns:
            await self.rig.event(each.opened())

    async def send(self, number: int) -> UUID:
        """Funds were locked."""
        each = self.campaigns[number]
        entries = (("psp_clearing", -UNIT_PRICE_MINOR), (f"escrow:{each.commitment_id}", UNIT_PRICE_MINOR))
        transfer = LedgerTransfer(
            scope=str(each.campaign_id), currency="usd", position=1, kind="lock", cause=f"pi:{uuid4()}",
            commitment_id=each.commitment_id, reason=None, event_at=wall_now(), relied_on=(),
            previous_hash="0" * 64, hash="1" * 64,
            entries=tuple(
                LedgerEntry(account=account, amount_minor=amount, balance_minor=amount, version=1)
                for account, amount in entries
            ),
        )  # fmt: skip
        return await self.rig.event(LedgerTransfersPosted(scope_id=str(each.campaign_id), transfers=(transfer,)))

    async def assert_one_effect(self, number: int, message_id: UUID) -> None:
        """The campaign's sums are those of one transfer."""
        rows = await self.rig.rows(
            "SELECT escrow_minor, received_minor FROM read_1.campaign_ledger WHERE scope_id = :c",
            c=str(self.campaigns[number].campaign_id),
        )
        assert [tuple(row) for row in rows] == [(UNIT_PRICE_MINOR, UNIT_PRICE_MINOR)]


SCENARIOS: dict[str, type[Scenario]] = {
    scenario.service: scenario
    for scenario in (CampaignsScenario, EscrowScenario, SuppliersScenario, NotificationsScenario, GatewayScenario)
}
