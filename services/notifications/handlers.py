"""Which message calls which act, and what a batch reads beforehand and writes at its end. No rule lives here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from contracts.alerts import EndAlertRules, RemoveAlertRule, SetAlertRule, campaign_of
from contracts.campaigns import CampaignOpened
from contracts.clearing import FundsReleased
from contracts.envelope import Envelope, Message
from contracts.escrow import (
    FundsHeld,
    RefundDecided,
    RefundFailed,
    RefundOwedAgain,
    RefundPaidOutside,
    RefundSent,
)
from contracts.gateway import PersonRecorded
from contracts.notices import TellNotices
from contracts.notifications import SendAccountMail, SendInvitationMail
from contracts.suppliers import SupplierRegistered
from contracts.transparency import PlatformCheckpointSigned
from services.kit.service import Handlers, Purpose, Service
from services.kit.work import Work
from services.notifications.domain.mails import CampaignFacts, ProofHead
from services.notifications.store.alerts import alerts
from services.notifications.store.facts import facts
from services.notifications.store.messages import write_messages
from services.notifications.usecases.deliver_mail import (
    DELIVERIES_IN_FLIGHT_MAX,
    deliver_mail,
    find_mail,
    post_delivery,
)
from services.notifications.usecases.fire_alerts import (
    REFUND_EVENTS,
    WATCHED,
    begin_campaign,
    on_deadline,
    watch_campaign,
    watch_refunds,
)
from services.notifications.usecases.record_person import erase_person, record_person
from services.notifications.usecases.send_account_mail import (
    ACCOUNT_MAIL_PURPOSE,
    deliver_account_mail,
    post_account_mail,
    send_account_mail,
)
from services.notifications.usecases.set_alert_rules import end_alert_rules, remove_alert_rule, set_alert_rule
from services.notifications.usecases.tell_money_event import tell_funds_held, tell_funds_released, tell_refund_paid
from services.notifications.usecases.tell_notices import tell_notices
from services.notifications.usecases.write_mail import MAIL_PURPOSE

PEOPLE_TOPIC = "gateway.people"


async def preload(work: Work, batch: Sequence[tuple[Envelope, Message]]) -> None:
    """Read what the batch's money events speak of: one statement per table."""
    campaign_ids: set[UUID] = set()
    cause_ids: list[UUID] = []
    participant_ids: set[UUID] = set()
    commitment_ids: set[UUID] = set()
    supplier_ids: set[UUID] = set()
    await _preload_alerts(work, [message for _, message in batch])
    for envelope, message in batch:
        if isinstance(message, FundsHeld | RefundSent | RefundPaidOutside):
            participant_ids.add(message.participant_id)
        elif isinstance(message, FundsReleased):
            commitment_ids.update(message.released_commitment_ids)
            supplier_ids.add(message.supplier_id)
        else:
            continue
        campaign_ids.add(message.campaign_id)
        cause_ids.append(envelope.id)
    known = facts(work)
    await known.load_campaigns(campaign_ids)
    await known.load_told(cause_ids)
    await known.load_held_funds(commitment_ids)
    await known.load_suppliers(supplier_ids)
    participant_ids.update(held.participant_id for held in known.held_funds.values())
    await known.load_contacts(participant_ids)
    if cause_ids:
        await known.load_proof_head()


async def _preload_alerts(work: Work, messages: Sequence[Message]) -> None:
    """Read what the batch's messages mean for people's rules."""
    campaign_ids: set[UUID] = set()
    participant_ids: set[UUID] = set()
    for message in messages:
        if isinstance(message, WATCHED + (CampaignOpened,)):
            campaign_ids.add(message.campaign_id)  # type: ignore[attr-defined]
        elif isinstance(message, REFUND_EVENTS):
            participant_ids.add(message.participant_id)
        elif isinstance(message, SetAlertRule):
            campaign_id = campaign_of(message.rule)
            campaign_ids.update([campaign_id] if campaign_id is not None else [])
        elif isinstance(message, EndAlertRules):
            campaign_ids.add(message.campaign_id)
    known = alerts(work)
    await known.load_campaigns(campaign_ids)
    await known.load_people(participant_ids)
    concerned = known.people()
    if concerned:
        await facts(work).load_campaigns(campaign_ids)
        await facts(work).load_contacts(concerned)


def scopes_of(_: Envelope, message: Message) -> Iterable[str]:
    """A rule about a campaign is set under that campaign's head: nothing comes true while it is looked at."""
    campaign_id = campaign_of(message.rule) if isinstance(message, SetAlertRule) else None
    if isinstance(message, EndAlertRules):
        campaign_id = message.campaign_id
    return () if campaign_id is None else (str(campaign_id),)


async def _keep_campaign(work: Work, message: CampaignOpened) -> None:
    begin_campaign(work, message)
    facts(work).add_campaign(
        CampaignFacts(message.campaign_id, message.terms.title, message.product.name, message.terms.close_at)
    )


async def _refund_paid(work: Work, message: RefundSent | RefundPaidOutside) -> None:
    await tell_refund_paid(work, message)
    await watch_refunds(work, message)


async def _keep_supplier(work: Work, message: SupplierRegistered) -> None:
    facts(work).add_supplier(message.supplier_id, message.display_name)


async def _keep_proof_head(work: Work, message: PlatformCheckpointSigned) -> None:
    await facts(work).put_proof_head(ProofHead(message.checkpoint.body.number, message.hash))


HANDLERS: Handlers = {
    FundsHeld: tell_funds_held,
    RefundSent: _refund_paid,
    RefundPaidOutside: _refund_paid,
    RefundDecided: watch_refunds,
    RefundFailed: watch_refunds,
    RefundOwedAgain: watch_refunds,
    FundsReleased: tell_funds_released,
    CampaignOpened: _keep_campaign,
    SupplierRegistered: _keep_supplier,
    PlatformCheckpointSigned: _keep_proof_head,
    PersonRecorded: record_person,
    TellNotices: tell_notices,
    SetAlertRule: set_alert_rule,
    RemoveAlertRule: remove_alert_rule,
    EndAlertRules: end_alert_rules,
    **dict.fromkeys(WATCHED, watch_campaign),
    SendAccountMail: send_account_mail,
    SendInvitationMail: send_account_mail,
}
"""What is done with each message; a message of another class is not for this service."""


async def on_tombstone(work: Work, topic: str, key: str) -> None:
    """An empty body on the people's topic: that person is erased."""
    if topic == PEOPLE_TOPIC:
        await erase_person(work, UUID(key))


async def finish(work: Work) -> None:
    """Write in bulk what the batch brought."""
    await facts(work).write()
    await alerts(work).write()
    await write_messages(work)


REST_SECONDS = 0.1
"""A mail may leave a tenth of a second later: what that time brings together is written in one transaction."""

SERVICE = Service(
    name="notifications",
    topics=("notifications.commands", "campaigns.events", "escrow.events", "suppliers.events", PEOPLE_TOPIC),
    handlers=HANDLERS,
    preload=preload,
    finish=finish,
    scopes_of=scopes_of,
    on_deadline=on_deadline,
    on_tombstone=on_tombstone,
    purposes={
        MAIL_PURPOSE: Purpose(call=deliver_mail, find=find_mail, post=post_delivery, runs_while_frozen=True),
        ACCOUNT_MAIL_PURPOSE: Purpose(
            call=deliver_account_mail, find=find_mail, post=post_account_mail, runs_while_frozen=True
        ),
    },
    intents_in_flight_max=DELIVERIES_IN_FLIGHT_MAX,
    poison_policy="skip",
    rest_seconds=REST_SECONDS,
)
