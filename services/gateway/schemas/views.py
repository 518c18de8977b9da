"""Make answers from rows of the read model. Pure functions; words and money sentences are computed here, on reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.cases import people_needed
from services.gateway.domain import words
from services.gateway.domain.money_text import minute
from services.gateway.domain.money_words import money_now

Row = Mapping[str, Any]
View = dict[str, Any]

ENDED_WELL = frozenset({"RELEASED", "DONE"})
JOINABLE = frozenset({"ACTIVE", "TARGET_ACHIEVED"})


def money_view(amount_minor: int | None, currency: str) -> View:
    """An amount as the interface writes it."""
    return {"amount": amount_minor or 0, "currency": currency.upper()}


def progress_view(row: Row) -> View:
    """The moving figures of a campaign."""
    held, reserved, capacity = row["held_units"], row["reserved_units"], row["capacity_units"]
    # What a bank disputes stays taken and is not counted.
    counted = max(0, held - row["disputed_units"])
    return {
        "campaign_id": row["id"],
        "state": row["state"],
        "state_words": words.campaign_words(row["state"], row["close_reason"]),
        "held_units": counted,
        "reserved_units": reserved,
        "target_units": row["target_units"],
        "capacity_units": capacity,
        "units_left": max(0, capacity - held - reserved),
        "held_commitments": row["held_commitments"],
        "target_reached": counted >= row["target_units"],
        "joining": is_joining(row),
    }


def is_joining(row: Row) -> bool:
    """Whether the campaign accepts joins, as far as the read model knows."""
    return row["state"] in JOINABLE and row["joining_ended"] is None


def summary_view(row: Row) -> View:
    """A campaign in a list."""
    return {
        "id": row["id"],
        "title": row["title"],
        "state": row["state"],
        "state_words": words.campaign_words(row["state"], row["close_reason"]),
        "closed_reason": row["close_reason"],
        "visibility": row["visibility"],
        "unit_price": money_view(row["unit_price_minor"], row["currency"]),
        "category": row["category"],
        "progress": progress_view(row),
        "close_at": row["close_at"],
        "joining": is_joining(row),
        "opened_at": row["opened_at"],
        "joining_paused": row["joining_paused"] and is_joining(row),
        "frozen": row["frozen"],
        "stale": row["stale"],
    }


def campaign_view(row: Row, *, staff: View | None) -> View:
    """A campaign's page."""
    currency = row["currency"]
    has_window = row["window_closes_at"] is not None
    return summary_view(row) | {
        "product": row["product"],
        "terms": row["terms"],
        "terms_hash": row["terms_hash"],
        "constraints": row["constraints"] or [],
        "state_since": row["state_since"],
        "state_explained": words.campaign_explained(row),
        "money": {
            "held": money_view((row["escrow_minor"] or 0) + (row["dispute_hold_minor"] or 0), currency),
            "refund_owed": money_view(row["refund_payable_minor"], currency),
            "refunded": money_view(row["refunded_minor"], currency),
            "released": money_view(row["supplier_paid_minor"], currency),
            "fees": money_view(row["platform_fee_minor"], currency),
            "reserved_for_issues": money_view(row["reserve_minor"], currency),
        },
        "what_happens_if": words.what_happens_if(minute(row["close_at"]), row["terms"]["delivery_window_days"]),
        "supplier": {"id": row["accepted_supplier_id"] or row["window_supplier_id"], "name": row["supplier_name"]}
        if row["supplier_name"] is not None
        else None,
        "acceptance": {
            "opens_at": row["window_opens_at"],
            "closes_at": row["window_closes_at"],
            "final_units": row["window_units"],
        }
        if has_window
        else None,
        "settlement": settlement_view(row) if row["state"] == "CLOSED" else None,
        "staff": staff,
    }


def settlement_view(row: Row) -> View:
    """How far a campaign's refunds are."""
    return {
        "refunds_owed": row["refunds_owed"],
        "refunds_paid": row["refunds_paid"],
        "refunds_waiting": row["refunds_waiting"],
        "paid_lately": row["refunds_paid_lately"],
        "owed": money_view(row["refunds_owed_minor"], row["currency"]),
        "paid": money_view(row["refunds_paid_minor"], row["currency"]),
        "expected_by": row["refunds_expected_by"],
    }


def staff_view(row: Row, cases: list[View]) -> View:
    """What staff see of a campaign beside its page."""
    return {
        "author_id": row["author_id"],
        "supplier_ids": row["supplier_ids"] or [],
        "returned_reason": row["returned_reason"],
        "missing_sign_offs": row["missing_sign_offs"] or [],
        "cases": cases,
        "next_acts": _next_acts(row),
    }


def commitment_view(row: Row, *, redirect_url: str | None) -> View:
    """A participant's commitment."""
    currency = row["currency"]
    waiting = row["state"] == "PENDING_FUNDS"
    return {
        "id": row["id"],
        "reference": row["reference"],
        "campaign_id": row["campaign_id"],
        "campaign_title": row["campaign_title"],
        "campaign_state": row["campaign_state"],
        "quantity": row["quantity"],
        "unit_price": money_view(row["unit_price_minor"], currency),
        "amount": money_view(row["amount_minor"], currency),
        "terms_hash": row["terms_hash"],
        "state": row["state"],
        "state_words": words.commitment_words(
            row["state"], refund_state=row["refund_state"], in_dispute=row["dispute_state"] == "open"
        ),
        "money_now": money_now(row),
        "payment": _payment_view(row),
        "next_action": {"type": "redirect", "url": redirect_url}
        if waiting and row["payment_state"] == "action_required" and redirect_url is not None
        else None,
        "refund": _refund_view(row),
        "delivery": delivery_view(row),
        "issue": _commitment_issue_view(row),
        "dispute": _dispute_view(row),
        "reserved_until": row["reserved_until"] if waiting else None,
        "created_at": row["created_at"],
        "locked_at": row["locked_at"],
        "acts": _acts(row),
    }


def commitment_row_view(row: Row, *, with_money: bool) -> View:
    """A commitment as staff and the campaign's supplier see it."""
    return {
        "id": row["id"],
        "reference": row["reference"],
        "quantity": row["quantity"],
        "amount": money_view(row["amount_minor"], row["currency"]) if with_money else None,
        "state": row["state"],
        "state_words": words.commitment_words(
            row["state"], refund_state=row["refund_state"], in_dispute=row["in_dispute"]
        ),
        "delivery": delivery_view(row),
        "issue": {"id": row["issue_id"], "state": row["issue_state"]} if row["issue_id"] is not None else None,
        "in_dispute": row["in_dispute"],
    }


def delivery_view(row: Row) -> View | None:
    """How far the delivery of a commitment is."""
    if row["delivery_state"] is None:
        return None
    return {
        "state": row["delivery_state"],
        "tracking": row["tracking"],
        "inspection_until": row["inspection_until"],
    }


def issue_view(row: Row, *, with_text: bool) -> View:
    """A reported fault; its text is for its reporter and for staff."""
    return {
        "id": row["id"],
        "campaign_id": row["campaign_id"],
        "commitment_id": row["commitment_id"],
        "state": row["state"],
        "description": row["description"] if with_text else None,
        "reported_at": row["reported_at"],
        "decided_at": row["decided_at"],
    }


def supplier_view(row: Row) -> View:
    """A supplier."""
    return {"id": row["id"], "display_name": row["display_name"], "tier": row["tier"]}


def invitation_view(row: Row) -> View:
    """A supplier's invitation."""
    currency = row["currency"]
    return {
        "id": row["id"],
        "campaign_id": row["campaign_id"],
        "campaign_title": row["campaign_title"],
        "supplier_id": row["supplier_id"],
        "state": row["state"],
        "state_words": words.INVITATION_WORDS[row["state"]],
        "units": row["units"],
        "final": row["final"],
        "unit_price": money_view(row["unit_price_minor"], currency),
        "total": money_view(row["units"] * row["unit_price_minor"], currency),
        "terms": row["terms"],
        "terms_hash": row["terms_hash"],
        "opens_at": row["opens_at"],
        "closes_at": row["closes_at"],
        "invited_at": row["invited_at"],
    }


def plan_view(row: Row) -> View:
    """A clearing plan."""
    currency = row["currency"]
    names = (
        "id", "campaign_id", "kind", "state", "plan_hash", "maker_id", "approver_id", "reason", "reason_code",
        "target_plan_id", "target_position", "supplier_id", "line_count", "conditions", "submitted_at",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names},
        "kind_words": words.PLAN_KIND_WORDS[row["kind"]],
        "state_words": words.plan_words(row["kind"], row["state"], row["refused_code"]),
        "evidence": row["evidence"] or [],
        "gross": money_view(row["gross_minor"], currency),
        "reserve": money_view(row["reserve_minor"], currency),
        "fee": money_view(row["fee_minor"], currency),
        "net": money_view(row["net_minor"], currency),
        "progress": {
            "applied": row["lines_applied"] or 0,
            "failed": row["lines_failed"] or 0,
            "of": row["line_count"],
        },
        "preview": [
            {
                "account": each["account"],
                **{name: money_view(each[f"{name}_minor"], currency) for name in ("before", "movement", "after")},
            }
            for each in row["preview"] or []
        ],
        "transfer": {"id": row["transfer_id"]} if row["transfer_id"] is not None else None,
        "refused_code": row["refused_code"] if row["state"] not in ENDED_WELL else None,
    }


def plan_line_view(row: Row) -> View:
    """A line of a plan."""
    currency = row["currency"]
    return {
        "commitment_id": row["id"],
        "amount": money_view(row["amount_minor"], currency),
        "account": row["account"].partition(":")[0],
        "before": money_view(row["before_minor"], currency),
        "after": money_view(row["after_minor"], currency),
        "to_reserve": row["to_reserve"],
    }


def case_view(row: Row) -> View:
    """A case."""
    names = (
        "id", "service", "kind", "scope", "subject_id", "severity", "blocking", "state", "resolution", "opened_at",
        "closed_at", "asked_by", "asked_words", "closed_by", "closed_words",
    )  # fmt: skip
    by_people = people_needed(row["kind"], blocking=row["blocking"]) if row["service"] == "escrow" else 0
    more = {"facts": row["facts"] or {}, "asked_evidence": row["asked_evidence"] or [], "people_needed": by_people}
    return {name: row[name] for name in names} | more


def _payment_view(row: Row) -> View:
    state = row["payment_state"] or ("awaited" if row["state"] == "PENDING_FUNDS" else "ended")
    if row["state"] in {"LOCKED", "RELEASED"}:
        state = "held"
    declined = state == "declined"
    return {
        "state": state,
        "attempt": row["attempt"] or 1,
        "decline_code": row["decline_code"] if declined else None,
        "retry_until": row["retry_until"] if declined else None,
    }


def _refund_view(row: Row) -> View | None:
    if row["refund_state"] is None:
        return None
    return {
        "state": row["refund_state"],
        "amount": money_view(row["refund_minor"], row["currency"]),
        "reason": row["refund_reason"],
        "decided_at": row["refund_decided_at"],
        "sent_at": row["refund_sent_at"],
    }


def _dispute_view(row: Row) -> View | None:
    if row["dispute_state"] is None:
        return None
    return {
        "state": row["dispute_state"],
        "inquiry": row["dispute_status"].startswith("warning_"),
        "amount": money_view(row["dispute_minor"], row["currency"]),
        "opened_at": row["dispute_opened_at"],
        "decided_at": row["dispute_state_at"] if row["dispute_state"] != "open" else None,
    }


def _commitment_issue_view(row: Row) -> View | None:
    if row["issue_id"] is None:
        return None
    return {
        "id": row["issue_id"],
        "campaign_id": row["campaign_id"],
        "commitment_id": row["id"],
        "state": row["issue_state"],
        "description": None,
        "reported_at": row["issue_reported_at"],
        "decided_at": row["issue_decided_at"],
    }


def _acts(row: Row) -> View:
    joining = row["campaign_state"] in JOINABLE and row["joining_ended"] is None
    return {
        "pay": row["state"] == "PENDING_FUNDS" and row["payment_state"] == "declined",
        "withdraw": joining and row["state"] in {"PENDING_FUNDS", "LOCKED"},
        "report_issue": row["delivery_state"] == "delivered" and row["state"] == "LOCKED" and row["issue_id"] is None,
    }


def _next_acts(row: Row) -> list[str]:
    acts: list[str] = []
    state = row["state"]
    if state == "DRAFT":
        acts.append("submit")
    elif state == "IN_REVIEW":
        acts.append("review")
    elif state == "INSPECTION" and row["fulfillment_verdict"] in {"release", "release_less_reserve"}:
        acts += ["submit_plan", "approve_plan"]
    if state in {"FULFILLMENT", "INSPECTION"}:
        acts.append("sign_off_failure")
    return acts


def alert_rule_view(row: Row) -> dict[str, Any]:
    """An alert rule as its person sees it."""
    over = row["campaign_id"] is not None
    if row["removed_at"] is not None:
        state = "removed"
    elif over and row["firings"]:
        state = "fired"
    else:
        state = "ended" if row["ended_at"] is not None else "waiting"
    return {
        "id": row["id"],
        "rule": row["rule"],
        "campaign_title": row["campaign_title"],
        "state": state,
        "words": words.ALERT_END_WORDS[row["end_reason"]] if state == "ended" else words.ALERT_WORDS[state],
        "set_at": row["set_at"],
        "firings": row["firings"] or 0,
        "fired_at": row["fired_at"],
    }
