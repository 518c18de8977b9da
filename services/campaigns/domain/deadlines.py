"""The kinds of deadlines this service sets, and how long each waits. All in stack time; the subject is the campaign."""

from __future__ import annotations

from datetime import timedelta

CLOSE_DATE = "close_date"
"""The campaign's close date: joining ends."""

DECISION_OVERDUE = "decision_overdue"
"""Joining has ended, and reservations have stayed open for too long since: a case."""

FROZEN_STEP = "frozen_step"
"""A step was held back by a freeze: look again."""

DECISION_OVERDUE_AFTER = timedelta(minutes=30)
"""How long after the end of joining open reservations are normal; escrow ends each within 15 minutes."""

FROZEN_STEP_DELAY_MIN = timedelta(minutes=10)
FROZEN_STEP_DELAY_MAX = timedelta(days=1)
"""Bounds of the growing wait between two looks at a frozen campaign; the end of another service's case wakes at once."""


def frozen_step_delay(attempt: int) -> timedelta:
    """The wait before the next look; `attempt` counts from 0."""
    return min(FROZEN_STEP_DELAY_MAX, FROZEN_STEP_DELAY_MIN * (1 << min(attempt, 10)))
