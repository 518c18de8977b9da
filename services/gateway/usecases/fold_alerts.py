"""Fold the notifications service's events about alert rules into rows of the read model."""

from __future__ import annotations

from typing import Any

from contracts import alerts as events
from contracts.envelope import Envelope
from services.gateway.store.projection import Rows


def fold_alert(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold an event about a rule; False when it is about something else."""
    match event:
        case events.AlertRuleSet():
            rows.put(
                "alert_rule", event.rule_id,
                participant_id=event.participant_id, campaign_id=events.campaign_of(event.rule),
                rule=event.rule.model_dump(mode="json"), set_at=envelope.time,
            )  # fmt: skip
        case events.AlertRuleRemoved():
            rows.put("alert_rule", event.rule_id, removed_at=envelope.time)
        case events.AlertRuleEnded():
            rows.put(
                "alert_end", event.rule_id,
                campaign_id=event.campaign_id, ended_at=envelope.time, end_reason=event.reason,
            )  # fmt: skip
        case events.AlertFired():
            rows.put(
                "alert_firing", envelope.id,
                rule_id=event.rule_id, campaign_id=event.campaign_id, fired_at=envelope.time,
            )  # fmt: skip
        case _:
            return False
    return True
