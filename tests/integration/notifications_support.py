"""A campaign whose money events are told, and a real mail server in this process. Test code."""

from __future__ import annotations

import asyncio
import base64
import email
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, Envelope, Session

from contracts.campaigns import CampaignOpened
from contracts.clearing import FundsReleased
from contracts.envelope import Message
from contracts.escrow import FundsHeld, RefundSent
from contracts.gateway import PersonRecorded
from contracts.suppliers import SupplierRegistered
from contracts.terms import Product, Terms
from services.kit.people import seal
from services.kit.service import Service
from services.notifications.handlers import SERVICE
from services.notifications.settings import mail_settings
from tests.fixtures.harness import Harness, Published

MakeHarness = Callable[[Service], Awaitable[Harness]]
PEOPLE_KEY = base64.b64encode(os.urandom(32)).decode()
SUPPLIER_ID = uuid4()


@dataclass
class Mailbox:
    """The hooks of the mail server: it takes every mail, unless it is told to refuse."""

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuse_recipient: str | None = None
    refuse_data: str | None = None

    async def handle_RCPT(  # the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuse_recipient:
            return self.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse_data:
            return self.refuse_data
        assert envelope.content is not None
        content = envelope.content if isinstance(envelope.content, bytes) else envelope.content.encode()
        self.mails.append(email.message_from_bytes(content, policy=default))
        self.recipients += envelope.rcpt_tos
        return "250 OK queued as 7"


@pytest_asyncio.fixture(name="mailbox")
async def mailbox_fixture(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mailbox]:
    """A mail server on a free port, named in the settings."""
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, hostname="mail.test"), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("ALPMERA_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("ALPMERA_SMTP_PORT", str(port))
    monkeypatch.setenv("ALPMERA_SMTP_TIMEOUT_SECONDS", "5")
    mail_settings.cache_clear()
    yield box
    server.close()
    await server.wait_closed()


@pytest.fixture(autouse=True, name="mail_environment")
def mail_environment_fixture(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ALPMERA_MASTER_KEY", base64.b64encode(os.urandom(32)).decode())
    monkeypatch.setenv("ALPMERA_PEOPLE_KEY_NOTIFICATIONS", PEOPLE_KEY)
    monkeypatch.setenv("ALPMERA_PROFILE", "local")
    mail_settings.cache_clear()
    yield
    mail_settings.cache_clear()


@dataclass
class Desk:
    """One campaign whose money events are told."""

    harness: Harness
    campaign_id: UUID = field(default_factory=uuid4)

    def opened(self, *, title: str = "Cast-iron stoves", product: str = "Stove") -> CampaignOpened:
        """The campaign's opening."""
        terms = Terms(
            title=title,
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
            delivery_terms="To the door.",
            refund_terms="In full until the close.",
        )
        return CampaignOpened(
            campaign_id=self.campaign_id,
            product=Product(name=product, specification="Cast iron", category="household"),
            terms=terms,
            terms_hash=terms.hash(),
            supplier_ids=(SUPPLIER_ID,),
            visibility="members",
            opened_at=datetime(2026, 11, 21, tzinfo=UTC),
        )

    def held(self, participant_id: UUID, *, amount_minor: int = 54_900, currency: str = "usd") -> FundsHeld:
        """Funds of a new commitment are held."""
        return FundsHeld(
            campaign_id=self.campaign_id,
            commitment_id=uuid4(),
            participant_id=participant_id,
            amount_minor=amount_minor,
            currency=currency,
            intent_id=uuid4(),
            payment_intent_id="pi_1",
        )

    def refunded(self, participant_id: UUID) -> RefundSent:
        """A refund is paid."""
        return RefundSent(
            campaign_id=self.campaign_id,
            commitment_id=uuid4(),
            participant_id=participant_id,
            amount_minor=54_900,
            currency="usd",
            decision_id=uuid4(),
            refund_id="re_1",
            reason="target_not_reached",
        )

    def released(self, *held: FundsHeld) -> FundsReleased:
        """The funds of these commitments went to the supplier."""
        return FundsReleased(
            campaign_id=self.campaign_id,
            plan_id=uuid4(),
            plan_kind="release",
            supplier_id=SUPPLIER_ID,
            net_minor=1,
            fee_minor=1,
            currency="usd",
            transfer_id="tr_1",
            released_commitment_ids=tuple(each.commitment_id for each in held),
        )

    async def record(self, participant_id: UUID, address: str | None) -> None:
        """The gateway tells a person's contact data."""
        data: dict[str, Any] = {"email": address} if address else {"label": "nobody"}
        event = PersonRecorded(subject_id=participant_id, sealed=seal({"notifications": PEOPLE_KEY}, data))
        await self.harness.deliver(event)

    async def messages(self) -> list[Any]:
        """The messages as stored."""
        return await self.harness.rows("SELECT * FROM message ORDER BY recorded_at, message_id")


async def make_desk(harness: MakeHarness, **changes: str) -> Desk:
    """A desk with its campaign open and its supplier known."""
    desk = Desk(await harness(SERVICE))
    supplier = SupplierRegistered(
        supplier_id=SUPPLIER_ID, display_name="Emerald Supply", payout_account_id="acct_1", tier="provisional"
    )
    await desk.harness.deliver(supplier, desk.opened(**changes))
    return desk


def kinds(published: list[Published]) -> list[str]:
    return [type(each.message).__name__ for each in published]


def of_kind(published: list[Published], kind: type[Message]) -> list[Any]:
    return [each.message for each in published if isinstance(each.message, kind)]
