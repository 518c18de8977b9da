"""Evidence for a bank, built from records alone: what was agreed, when it was accepted, what was told and delivered.

Pure functions over rows of the read model. No name, address or mail goes into it: the bank knows its card's owner, and
nothing personal travels through the platform's messages. It cannot judge whether the evidence will convince.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.disputes import DisputeEvidence
from services.gateway.domain.money_text import minute, money

TEXT_CHARACTERS_MAX = 20_000
Row = Mapping[str, Any]

TITLES: dict[str, str] = {
    "product_description": "What was agreed",
    "refund_policy_disclosure": "Refund rule in the accepted terms",
    "cancellation_policy_disclosure": "Withdrawal rule in the accepted terms",
    "access_activity_log": "Acceptance of the terms, and messages sent",
    "uncategorized_text": "What happened, and the terms in full",
    "shipping_date": "Dispatched",
    "shipping_tracking_number": "Tracking",
    "service_date": "Delivered",
}
"""Field of the evidence → its title on the page."""


def evidence_of(records: Row, messages: Sequence[Row]) -> DisputeEvidence:
    """The evidence that the records give."""
    product, terms = records["product"], records["terms"]
    amount = money(records["amount_minor"], records["currency"])
    return DisputeEvidence(
        product_description=_text(
            f"{product['name']}: {product['specification']}. {records['quantity']} units, {amount} in all, committed as a "
            f"part of the campaign {terms['title']!r}; reference {records['reference']}."
        ),
        refund_policy_disclosure=_text(f"{terms['refund_terms']} (terms {records['terms_hash']})"),
        cancellation_policy_disclosure=_text(
            f"Withdrawal was possible in full and without a reason until {minute(records['close_at'])} "
            f"(terms {records['terms_hash']})."
        ),
        access_activity_log=_text("\n".join(_acceptance(records, messages))),
        uncategorized_text=_text("\n".join([*_course(records), "", "The terms in full:", *_terms(terms)])),
        service_date=_day(records["delivered_at"]),
        shipping_date=_day(records["dispatched_at"]),
        shipping_tracking_number=(records["tracking"] or None),
    )


def evidence_parts(evidence: DisputeEvidence) -> list[tuple[str, tuple[str, ...]]]:
    """The evidence as a person reads it: a title and the lines of each field that says something."""
    fields = evidence.model_dump()
    return [
        (title, tuple(line for line in str(fields[name]).splitlines() if line.strip()))
        for name, title in TITLES.items()
        if fields[name]
    ]


def _acceptance(records: Row, messages: Sequence[Row]) -> Iterator[str]:
    yield f"{minute(records['created_at'])}: joined the campaign and accepted the terms {records['terms_hash']}"
    if records["locked_at"] is not None:
        yield f"{minute(records['locked_at'])}: the payment succeeded and the funds were held in escrow"
    for message in messages:
        if message["recorded_at"] is not None:
            result = message["result"] or "not answered yet"
            template = f"{message['template']} (version {message['template_version']})"
            yield f"{minute(message['recorded_at'])}: message {template} by mail: {result}"


def _course(records: Row) -> Iterator[str]:
    for name, words in (
        ("dispatched_at", "dispatched by the supplier"),
        ("delivered_at", "delivered"),
        ("inspection_until", "end of the time in which a fault can be reported"),
        ("issue_reported_at", "a fault was reported"),
    ):
        if records[name] is not None:
            yield f"{minute(records[name])}: {words}"
    if records["delivery_evidence"]:
        yield f"Record of the delivery: {records['delivery_evidence']}"
    if records["issue_state"] is not None:
        yield f"The reported fault is {records['issue_state']}"


def _terms(terms: Row) -> Iterable[str]:
    return (f"{name}: {value}" for name, value in sorted(terms.items()) if value is not None)


def _day(moment: datetime | None) -> str | None:
    return moment.date().isoformat() if moment is not None else None


def _text(value: str) -> str:
    return value[:TEXT_CHARACTERS_MAX]
