"""A person's own alert rules: what to tell them of, set and removed by commands, decided by the notifications service.

A rule is a condition and nothing else: ids, a figure or a state, never a word about anybody. What a rule says was written
by its person; whether it came true is read from other services' events alone.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.envelope import Command, Event, register
from contracts.terms import Part

ALERT_RULES_MAX = 20
"""Rules of one person that wait at the same time."""
PERCENT_MAX = 200
DAYS_MAX = 60
HOURS_MAX = 720

AlertState = Literal["TARGET_ACHIEVED", "PENDING_ACCEPTANCE", "FULFILLMENT", "INSPECTION", "COMPLETED", "CLOSED"]
"""States that an open campaign can reach."""


class TargetPercent(Part):
    """The held units reach this part of the target quantity."""

    kind: Literal["target_percent"]
    campaign_id: UUID
    percent: Annotated[int, Field(strict=True, ge=1, le=PERCENT_MAX)]


class ClosesWithin(Part):
    """Joining the campaign ends within so many days."""

    kind: Literal["closes_within"]
    campaign_id: UUID
    days: Annotated[int, Field(strict=True, ge=1, le=DAYS_MAX)]


class StateReached(Part):
    """The campaign reaches a state."""

    kind: Literal["campaign_state"]
    campaign_id: UUID
    state: AlertState


class RefundUnsettled(Part):
    """A refund of the person's, of whichever campaign, is not sent so many hours after it was decided."""

    kind: Literal["refund_unsettled"]
    hours: Annotated[int, Field(strict=True, ge=1, le=HOURS_MAX)]


ALERT_KINDS = frozenset({"target_percent", "closes_within", "campaign_state", "refund_unsettled"})
"""The words by which the kinds of rules are told apart."""

AlertTerms = Annotated[TargetPercent | ClosesWithin | StateReached | RefundUnsettled, Field(discriminator="kind")]


def campaign_of(rule: TargetPercent | ClosesWithin | StateReached | RefundUnsettled) -> UUID | None:
    """The campaign that a rule is about; None for one about all of a person's refunds."""
    return None if isinstance(rule, RefundUnsettled) else rule.campaign_id


class _OfPerson(Command):
    """A command about one person's rules; only that person sends it."""

    participant_id: UUID

    @property
    def scope(self) -> str:
        """The message key: the person's random id."""
        return str(self.participant_id)


@register
class SetAlertRule(_OfPerson):
    """Set a rule. The gateway has seen that the person may see the campaign, and chooses the rule's id."""

    type: ClassVar[str] = "notifications.set_alert_rule.v1"
    service: ClassVar[str] = "notifications"
    rule_id: UUID
    rule: AlertTerms


@register
class RemoveAlertRule(_OfPerson):
    """Remove one of one's own rules."""

    type: ClassVar[str] = "notifications.remove_alert_rule.v1"
    service: ClassVar[str] = "notifications"
    rule_id: UUID


@register
class EndAlertRules(_OfPerson):
    """Somebody may see a campaign no more: their rules about it end. The gateway asks it by itself, for nobody else may."""

    type: ClassVar[str] = "notifications.end_alert_rules.v1"
    service: ClassVar[str] = "notifications"
    campaign_id: UUID


@register
class AlertRuleSet(Event):
    """A rule waits from now on. On the person's stream."""

    type: ClassVar[str] = "notifications.alert_rule_set.v1"
    service: ClassVar[str] = "notifications"
    participant_id: UUID
    rule_id: UUID
    rule: AlertTerms

    @property
    def scope(self) -> str:
        """The message key: the person's random id."""
        return str(self.participant_id)


@register
class AlertRuleRemoved(Event):
    """Its person removed a rule. On the person's stream."""

    type: ClassVar[str] = "notifications.alert_rule_removed.v1"
    service: ClassVar[str] = "notifications"
    participant_id: UUID
    rule_id: UUID

    @property
    def scope(self) -> str:
        """The message key: the person's random id."""
        return str(self.participant_id)


@register
class AlertRuleEnded(Event):
    """A rule can come true no more: its campaign is final, joining it has ended, or its person may not see the campaign any
    more. On the campaign's stream."""

    type: ClassVar[str] = "notifications.alert_rule_ended.v1"
    service: ClassVar[str] = "notifications"
    campaign_id: UUID
    participant_id: UUID
    rule_id: UUID
    reason: Literal["campaign_final", "joining_ended", "not_visible"]


@register
class AlertFired(Event):
    """A rule came true. A rule about a campaign is over with it; one about refunds waits for the next one. `occurrence` is
    the rule's id, or the refund's decision. On the campaign's stream."""

    type: ClassVar[str] = "notifications.alert_fired.v1"
    service: ClassVar[str] = "notifications"
    campaign_id: UUID
    participant_id: UUID
    rule_id: UUID
    occurrence: UUID
