"""Set and remove a person's own alert rules. Under the person's head, and the campaign's, so that nothing comes true between."""

from __future__ import annotations

from contracts.alerts import (
    ALERT_RULES_MAX,
    AlertRuleRemoved,
    AlertRuleSet,
    ClosesWithin,
    EndAlertRules,
    RefundUnsettled,
    RemoveAlertRule,
    SetAlertRule,
    campaign_of,
)
from contracts.envelope import SYSTEM
from contracts.errors import Rejected
from services.kit.work import Work
from services.notifications.domain.alert_rules import closes_from, has_come_true, over_because, unsettled_from
from services.notifications.store.alerts import Waiting, alerts
from services.notifications.usecases.fire_alerts import CLOSES, REFUND, audit, end_rule, refund_subject, watch_refund


async def set_alert_rule(work: Work, command: SetAlertRule) -> None:
    """Keep a rule, and its deadline. Raises Rejected: not_allowed, campaign_unknown, alert_true_already,
    alert_cannot_come_true, alert_rules_used_up."""
    if work.actor.id != str(command.participant_id):
        raise Rejected("not_allowed")
    rule, known = command.rule, alerts(work)
    if not isinstance(rule, RefundUnsettled):
        standing = known.standings.get(rule.campaign_id)
        if standing is None:
            raise Rejected("campaign_unknown")
        if has_come_true(rule, standing, now=work.now):
            raise Rejected("alert_true_already")
        why = over_because(rule, standing)
        if why is not None:
            raise Rejected("alert_cannot_come_true", reason=why)
    if await known.count(command.participant_id) >= ALERT_RULES_MAX:
        raise Rejected("alert_rules_used_up", rules_max=ALERT_RULES_MAX)
    waiting = Waiting(command.rule_id, command.participant_id, campaign_of(rule), rule)
    if isinstance(rule, RefundUnsettled):
        await known.hold_refunds()
    if not await known.set(waiting):
        return
    audit(work, waiting, "set", before=None, after="waiting")
    work.publish(AlertRuleSet(participant_id=command.participant_id, rule_id=command.rule_id, rule=rule))
    await _schedule(work, waiting)


async def remove_alert_rule(work: Work, command: RemoveAlertRule) -> None:
    """Remove a rule that waits. Raises Rejected(alert_rule_unknown), also for somebody else's."""
    known = alerts(work)
    waiting = await known.one(command.rule_id)
    if waiting is None or not work.actor.id == str(command.participant_id) == str(waiting.participant_id):
        raise Rejected("alert_rule_unknown")
    await known.settle(waiting, "removed")
    work.unschedule(CLOSES, subject=str(waiting.rule_id))
    if waiting.campaign_id is None:
        for refund in await known.refunds_of(waiting.participant_id):
            work.unschedule(REFUND, subject=refund_subject(waiting, refund))
    audit(work, waiting, "removed", before="waiting", after="removed")
    work.publish(AlertRuleRemoved(participant_id=waiting.participant_id, rule_id=waiting.rule_id))


async def end_alert_rules(work: Work, command: EndAlertRules) -> None:
    """Somebody may see a campaign no more. Raises Rejected(not_allowed) unless the gateway itself asks."""
    if work.actor.role != SYSTEM.role:
        raise Rejected("not_allowed")
    for waiting in alerts(work).of_campaign(command.campaign_id):
        if waiting.participant_id == command.participant_id:
            await end_rule(work, waiting, command.campaign_id, "not_visible")


async def _schedule(work: Work, waiting: Waiting) -> None:
    rule, known = waiting.rule, alerts(work)
    if isinstance(rule, ClosesWithin):
        work.schedule(
            CLOSES,
            scope=str(rule.campaign_id),
            subject=str(waiting.rule_id),
            due_at=closes_from(rule, known.standings[rule.campaign_id]),
            grace_seconds=0,
        )
    elif isinstance(rule, RefundUnsettled):
        for refund in await known.refunds_of(waiting.participant_id):
            # What is unsettled for so long already was so before the rule was made.
            if unsettled_from(rule, refund.decided_at) > work.now:
                watch_refund(work, waiting, refund)
