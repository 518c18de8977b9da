"""Put the platform's own money beside a file's payments before its first line is sent.

Owns the need: what the card processor may keep of every payment of the file at most. A replay of a large file would otherwise
find joining paused half-way, because the float that a fresh platform begins with is for its demo. The top-ups have keys of
their own, so that the same file, started again, adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contracts.payment_rail import worst_case_fee_minor
from deploy.replay.acting import Acts
from deploy.replay.people import PLAN_MAKER, People
from deploy.replay.products import CURRENCY, Product

TOP_UP_MINOR_MAX = 99_999_999
"""The largest amount of one top-up."""


def fees_needed_minor(products: Iterable[Product]) -> int:
    """What the processor may keep of all payments of the file, minor units."""
    return sum(
        worst_case_fee_minor(line.quantity * product.price_minor)
        for product in products
        for line in product.lines
        if not line.is_withdrawal
    )


def parts(amount_minor: int) -> Iterator[int]:
    """The amount in as few top-ups as there can be."""
    while amount_minor > 0:
        part = min(amount_minor, TOP_UP_MINOR_MAX)
        yield part
        amount_minor -= part


async def top_up(acts: Acts, people: People, products: Iterable[Product]) -> None:
    """Top the float up by what the file needs. Raises ReplayError."""
    for number, part in enumerate(parts(fees_needed_minor(products)), start=1):
        body = {"amount": {"amount": part, "currency": CURRENCY.upper()}}
        await acts.require(people.staff[PLAN_MAKER], "/v1/float/top-ups", body, key=acts.key(number, "top-up"))
