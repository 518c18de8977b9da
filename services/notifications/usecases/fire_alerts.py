"""Tell people what their rules waited for: on campaigns' and refunds' events, and when a deadline comes.

A rule about a campaign comes true once and is over; one about refunds comes true once for each refund. Every firing is a
row that the database takes once, an event, and a mail that cites that event.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts import campaigns as events
from contracts.alerts import AlertFired, AlertRuleEnded, RefundUnsettled
from contracts.campaigns import CampaignOpened, CommitmentLocked, CommitmentWithdrawn, JoiningEnded, TargetReached
from contracts.envelope import Event
from contracts.escrow import RefundDecided, RefundFailed, RefundOwedAgain, RefundPaidOutside, RefundSent
from services.kit.service import Deadline
from services.kit.work import Work
from services.notifications.domain import mails
from services.notifications.domain.alert_rules import Standing, has_come_true, over_because, unsettled_from
from services.notifications.store.alerts import OpenRefund, Waiting, alerts
from services.notifications.store.facts import facts
from services.notifications.usecases.write_mail import Cited, write_mail

CLOSES = "alert_closes_within"
REFUND = "alert_refund_unsettled"
EndReason = Literal["campaign_final", "joining_ended", "not_visible"]

STATE_OF: dict[type[Event], str] = {
    events.TargetReached: "TARGET_ACHIEVED",
    events.AcceptanceRequested: "PENDING_ACCEPTANCE",
    events.FulfillmentStarted: "FULFILLMENT",
    events.InspectionStarted: "INSPECTION",
    events.CampaignCompleted: "COMPLETED",
    events.CampaignClosed: "CLOSED",
}
WATCHED: tuple[type[Event], ...] = (*STATE_OF, CommitmentLocked, CommitmentWithdrawn, JoiningEnded)
"""The events by which a campaign moves; its opening is where it begins."""

PAID = (RefundSent, RefundPaidOutside)
RefundEvent = RefundDecided | RefundFailed | RefundOwedAgain | RefundSent | RefundPaidOutside
REFUND_EVENTS = (RefundDecided, RefundFailed, RefundOwedAgain, *PAID)
"""The events by which a refund becomes open, and no longer is."""


def begin_campaign(work: Work, event: CampaignOpened) -> None:
    """Keep where a campaign stands when it opens."""
    if event.campaign_id not in alerts(work).standings:
        alerts(work).stand(
            Standing(
                event.campaign_id, event.terms.target_units, 0, "ACTIVE", event.terms.close_at, joining_ended=False
            )
        )


async def watch_campaign(work: Work, event: Event) -> None:
    """A campaign has moved: tell whom it concerns, and end what can come true no more."""
    campaign_id: UUID = event.campaign_id  # type: ignore[attr-defined]
    changes: dict[str, object] = {}
    if isinstance(event, CommitmentLocked | CommitmentWithdrawn | TargetReached):
        changes["held_units"] = event.held_units
    if isinstance(event, JoiningEnded):
        changes["joining_ended"] = True
    if type(event) in STATE_OF:
        changes["state"] = STATE_OF[type(event)]
    known = alerts(work)
    standing = known.move(campaign_id, **changes)
    if standing is None:
        return
    for waiting in known.of_campaign(campaign_id):
        if isinstance(waiting.rule, RefundUnsettled):
            continue
        if has_come_true(waiting.rule, standing, now=work.now):
            await _fire(work, waiting, campaign_id, waiting.rule_id, work.cause.time)
            continue
        why = over_because(waiting.rule, standing)
        if why is not None:
            await end_rule(work, waiting, campaign_id, why)


async def end_rule(work: Work, waiting: Waiting, campaign_id: UUID, reason: EndReason) -> None:
    """The rule waits no more without having come true."""
    await alerts(work).settle(waiting, "ended")
    work.unschedule(CLOSES, subject=str(waiting.rule_id))
    audit(work, waiting, "ended", before="waiting", after="ended", scope=str(campaign_id))
    work.publish(
        AlertRuleEnded(
            campaign_id=campaign_id, participant_id=waiting.participant_id, rule_id=waiting.rule_id, reason=reason
        )
    )


async def watch_refunds(work: Work, event: RefundEvent) -> None:
    """A refund is decided, paid (to the card or another way), or came back and is owed again."""
    known = alerts(work)
    refund = OpenRefund(event.decision_id, event.campaign_id, event.participant_id, work.cause.time)
    if isinstance(event, PAID):
        known.refund_settled(event.decision_id)
    else:
        known.refund_opened(refund)
    for waiting in known.of_person(event.participant_id):
        if isinstance(event, PAID):
            work.unschedule(REFUND, subject=refund_subject(waiting, refund))
        else:
            watch_refund(work, waiting, refund)


def watch_refund(work: Work, waiting: Waiting, refund: OpenRefund) -> None:
    """Look at a refund again when the rule's hours have passed."""
    if isinstance(waiting.rule, RefundUnsettled):
        work.schedule(
            REFUND,
            scope=str(refund.campaign_id),
            subject=refund_subject(waiting, refund),
            due_at=unsettled_from(waiting.rule, refund.decided_at),
            grace_seconds=0,
        )


def refund_subject(waiting: Waiting, refund: OpenRefund) -> str:
    """What names the deadline of one rule and one refund."""
    return f"{waiting.rule_id}/{refund.decision_id}"


async def on_deadline(work: Work, deadline: Deadline) -> None:
    """A due deadline; whether it is still so is looked at again."""
    known = alerts(work)
    rule_id, _, decision_id = deadline.subject.partition("/")
    waiting = await known.one(UUID(rule_id))
    if waiting is None:
        return
    campaign_id, occurrence = UUID(deadline.scope), waiting.rule_id
    if deadline.kind == REFUND:
        refund = await known.refund(UUID(decision_id))
        if refund is None:
            return
        occurrence = refund.decision_id
    elif deadline.kind != CLOSES:
        raise LookupError(f"a deadline of the unknown kind {deadline.kind}")
    await _fire(work, waiting, campaign_id, occurrence, deadline.due_at)


async def _fire(work: Work, waiting: Waiting, campaign_id: UUID, occurrence: UUID, happened_at: datetime) -> None:
    known = alerts(work)
    if not await known.fire(waiting, occurrence):
        return
    if waiting.campaign_id is not None:
        await known.settle(waiting, "fired")
        work.unschedule(CLOSES, subject=str(waiting.rule_id))
        audit(work, waiting, "fired", before="waiting", after="fired", scope=str(campaign_id))
    else:
        audit(work, waiting, "fired", before="waiting", after="waiting", scope=str(campaign_id))
    fired = work.publish(
        AlertFired(
            campaign_id=campaign_id,
            participant_id=waiting.participant_id,
            rule_id=waiting.rule_id,
            occurrence=occurrence,
        )
    )
    told = facts(work)
    if campaign_id not in told.campaigns:
        await told.load_campaigns([campaign_id])
    if waiting.participant_id not in told.contacts:
        await told.load_contacts([waiting.participant_id])
    mail = mails.alert(told.campaigns[campaign_id], waiting.participant_id, waiting.rule, happened_at=happened_at)
    write_mail(work, mail, cites=Cited(fired, AlertFired.type, work.now))


def audit(work: Work, waiting: Waiting, what: str, *, before: str | None, after: str, scope: str | None = None) -> None:
    """The record of what became of a rule."""
    work.audit(
        f"alert_rule.{what}",
        scope=scope or str(waiting.participant_id),
        subject=str(waiting.rule_id),
        before=None if before is None else {"state": before},
        after={"state": after},
    )
