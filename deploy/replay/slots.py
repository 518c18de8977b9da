"""One hour of data is one slot; empty ones do not exist. A constant shift maps the file's dates to the stack's time.

Owns the cutting and the mapping. Intervals between lines are kept exactly; inside a slot all lines are sent at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from deploy.replay.products import Product
from deploy.replay.reading import Line

SLOT = timedelta(hours=1)


@dataclass(slots=True)
class Slot:
    """An hour of the file: what opens in it, and each product's lines in their sequence."""

    begins_at: datetime
    lines: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))

    @property
    def line_count(self) -> int:
        """How many lines it has."""
        return sum(map(len, self.lines.values()))


def hour_floor(moment: datetime) -> datetime:
    """The beginning of the hour of a moment."""
    return moment.replace(minute=0, second=0, microsecond=0)


def hour_ceiling(moment: datetime) -> datetime:
    """The moment itself at a full hour, the next full hour otherwise."""
    floor = hour_floor(moment)
    return floor if floor == moment else floor + SLOT


def cut(products: Sequence[Product]) -> list[Slot]:
    """The slots with at least one line, in their sequence."""
    slots: dict[datetime, Slot] = {}
    for product in products:
        for line in product.lines:
            begins_at = hour_floor(line.at)
            slots.setdefault(begins_at, Slot(begins_at)).lines[product.code].append(line)
    return [slots[begins_at] for begins_at in sorted(slots)]


def shift_between(first_slot: datetime, stack_now: datetime) -> timedelta:
    """What is added to the file's dates so that the first slot begins with the stack's next full hour."""
    return hour_ceiling(stack_now) - first_slot
