"""What became of an act, decided from the rows that the read model shows.

Pure functions over rows: the same answer for a request that waited, a repeat, and somebody who asks later. An answer is
final only when the read model shows it; what is not known yet is `running`, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.gateway.domain.operation import RUNNING, Operation, Outcome

_PAID_STATES = frozenset({"LOCKED", "REFUNDED", "RELEASED"})
_ENDED_CODES = {
    "expired": "payment_expired",
    "refused": "collections_frozen",
    "collections_paused": "collections_paused",
}
"""Why a reservation ended without funds → the code that tells it; escrow refuses to collect while it checks, and while the
float has no room."""
_PLAN_SENT = frozenset({"RELEASED", "DONE"})
_UNKNOWN_AT_ESCROW = "payment_not_expected"


def from_commands(refusals: list[Mapping[str, Any]]) -> Outcome:
    """The outcome of an act whose commands end in an event or a refusal each; the first refusal counts."""
    for row in refusals:
        if row["code"] is not None:
            return Outcome("refused", code=row["code"], facts=row["facts"] or {})
    return Outcome("done") if refusals else RUNNING


def of_payment(
    operation: Operation,
    commitment: Mapping[str, Any] | None,
    refusals: list[Mapping[str, Any]],
    redirect_url: str | None,
) -> Outcome:
    """The outcome of joining, or of paying with another card."""
    if commitment is None:
        return _before_reservation(refusals)
    state = commitment["state"]
    if state == "REFUSED":
        return Outcome("refused", commitment["refusal_code"], commitment["refusal_facts"] or {}, row=commitment)
    if state in _PAID_STATES or (state == "WITHDRAWN" and commitment["withdrawn_was"] == "LOCKED"):
        return Outcome("done", row=commitment)
    if state == "WITHDRAWN":
        return Outcome("refused", "payment_canceled", row=commitment)
    if state == "FUNDS_FAILED":
        code = _ENDED_CODES.get(commitment["fail_reason"], "payment_canceled")
        return Outcome("refused", code, row=commitment)
    return _pending(operation, commitment, refusals, redirect_url)


def of_transfer_retry(
    operation: Operation, plan: Mapping[str, Any] | None, refusals: list[Mapping[str, Any]]
) -> Outcome:
    """The outcome of trying a refused transfer again: released, or refused once more since it was asked."""
    refused = from_commands([row for row in refusals if row["code"] is not None])
    if refused.state == "refused":
        return refused
    if plan is None:
        return RUNNING
    if plan["state"] in _PLAN_SENT:
        return Outcome("done")
    if (plan["refused_transfers"] or 0) > operation.baseline:
        return Outcome("refused", "plan_state_conflict", {"transfer_refused": plan["refused_code"]})
    return RUNNING


def of_row(row: Mapping[str, Any] | None, refusals: list[Mapping[str, Any]]) -> Outcome:
    """The outcome of an act that ends with a row of its own, such as a top-up."""
    if row is not None:
        return Outcome("done")
    return from_commands([refusal for refusal in refusals if refusal["code"] is not None])


def _before_reservation(refusals: list[Mapping[str, Any]]) -> Outcome:
    # Without a reservation escrow refuses the card as not expected. That is a consequence of the campaigns service's
    # own refusal, which comes on another topic and says why; it is waited for.
    told = [row for row in refusals if row["code"] is not None and row["code"] != _UNKNOWN_AT_ESCROW]
    return from_commands(told)


def _pending(
    operation: Operation,
    commitment: Mapping[str, Any],
    refusals: list[Mapping[str, Any]],
    redirect_url: str | None,
) -> Outcome:
    refused = [row for row in refusals if row["code"] is not None]
    if refused:
        return Outcome("refused", refused[0]["code"], refused[0]["facts"] or {}, row=commitment)
    payment = commitment["payment_state"]
    seen_attempt = commitment["attempt"] or (1 if payment is not None else 0)
    if operation.attempt > max(seen_attempt, 1):
        return Outcome("running", row=commitment)
    if payment == "declined":
        facts = {"decline_code": commitment["decline_code"], "retry_until": _text(commitment["retry_until"])}
        return Outcome("refused", "payment_declined", facts, row=commitment)
    if payment == "action_required" and redirect_url is not None:
        return Outcome("action_required", redirect_url=redirect_url, row=commitment)
    return Outcome("running", row=commitment)


def _text(value: Any) -> str | None:
    return value.isoformat() if value is not None else None
