"""Statements over several movements: a participant's year, and what a supplier received from a campaign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.payment_rail import short_disclosure
from services.gateway.documents.document import Document, Fact, Part, Table
from services.gateway.domain.fee_words import percent
from services.gateway.domain.money_text import day, money
from services.gateway.domain.words import PLAN_WORDS

Row = Mapping[str, Any]

YEAR_TITLE = "Yearly statement"
SUPPLIER_TITLE = "Supplier statement"


def yearly_statement(rows: Sequence[Row], *, year: int, made_at: datetime) -> Document:
    """A participant's movements of one year, a line per commitment and a total per currency."""
    names = ("charged", "refunded", "released", "held_at_end", "owed_at_end")
    parts = []
    for currency in sorted({row["currency"] for row in rows}):
        own = [row for row in rows if row["currency"] == currency]
        totals = {name: sum(int(row[name]) for row in own) for name in names}
        lines = [(row["reference"] or str(row["id"]), row["campaign_title"], *_amounts(row, names)) for row in own]
        lines.append(("Total", "", *_amounts({**totals, "currency": currency}, names)))
        parts.append(
            Part(
                f"Amounts in {currency.upper()}",
                table=Table(
                    f"Commitments with a movement in {year}, or funds held at its end, in {currency.upper()}",
                    (
                        "Reference",
                        "Campaign",
                        "Charged",
                        "Refunded",
                        "Cleared for the supplier",
                        "Held at the end",
                        "Owed back",
                    ),
                    tuple(lines),
                    numeric=frozenset({2, 3, 4, 5, 6}),
                ),
            )
        )
    if not parts:
        parts.append(Part("Movements", (f"No money of yours moved in {year}.",)))
    notes = (
        f"Days are counted in UTC, from 1 January {year} to 31 December {year}. What is charged and later refunded "
        "stands in both columns, each in the year in which it happened.",
        short_disclosure(),
        "This is a statement from the platform's ledger; it is not a tax document.",
    )
    titles = tuple(row["campaign_title"] for row in rows)
    return Document(YEAR_TITLE, str(year), made_at, (*parts, Part("How to read it", notes)), titles)


def supplier_statement(campaign: Row, plans: Sequence[Row], sums: Row, made_at: datetime) -> Document:
    """What was cleared for a supplier, the fee taken out of it, and what was transferred."""
    currency = campaign["currency"]
    code, rate = currency.upper(), campaign["terms"]["fee_basis_points"]

    def amount(minor: int) -> str:
        return f"{money(int(minor), currency)} {code}"

    totals = (
        Fact("Campaign", campaign["title"]),
        Fact("Units at the close", str(campaign["final_units"] or campaign["held_units"])),
        Fact("Collective price per unit", amount(campaign["unit_price_minor"])),
        Fact("Cleared", amount(sums["cleared"])),
        Fact(f"Platform's fee, {percent(rate)}", amount(sums["fee"])),
        Fact("Transferred", amount(sums["sent"])),
        Fact("Transferred back", amount(sums["back"])),
        Fact("Cleared, transfer to follow", amount(sums["waiting"])),
        Fact("In reserve for open reports", amount(sums["reserve"])),
    )
    parts = [Part("Totals", facts=totals)]
    if plans:
        parts.append(Part("Releases", table=_plan_table(plans, amount)))
    parts.append(Part("How to read it", _SUPPLIER_NOTES))
    return Document(SUPPLIER_TITLE, str(campaign["id"]), made_at, tuple(parts), (campaign["title"],))


_SUPPLIER_NOTES = (
    "Nothing is transferred before every release condition is met and two different escrow auditors have approved.",
    "The fee is the rate above, of everything cleared so far, rounded down to the cent, less what was taken before.",
    "This is a statement from the platform's ledger; it is not a tax document.",
)


def _plan_table(plans: Sequence[Row], amount: Any) -> Table:
    return Table(
        "Releases, the oldest first",
        ("Submitted", "State", "Lines", "Gross", "Reserve", "Fee", "Net", "Transfer"),
        tuple(
            (
                day(plan["submitted_at"]),
                PLAN_WORDS[plan["state"]],
                str(plan["line_count"]),
                amount(plan["gross_minor"]),
                amount(plan["reserve_minor"]),
                amount(plan["fee_minor"]),
                amount(plan["net_minor"]),
                plan["transfer_id"] or "none so far",
            )
            for plan in plans
        ),
        numeric=frozenset({2, 3, 4, 5, 6}),
    )


def _amounts(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(money(int(row[name]), row["currency"]) for name in names)
