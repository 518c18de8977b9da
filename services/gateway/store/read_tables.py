"""The read model's tables: one specification from which their DDL and their upserts are made.

Every table is written from one service's events only, so that the sequence across topics cannot matter; what spans two
services is joined when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.gateway.store.account_classes import TRANSFER_COLUMNS


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the read model: the key column, the other columns with their types, columns that add up instead of
    being replaced, and its indexes as column lists."""

    key: str
    columns: Mapping[str, str]
    sums: frozenset[str] = frozenset()
    indexes: tuple[str, ...] = ()
    key_type: str = "uuid"
    hot: bool = field(default=False)

    @property
    def names(self) -> list[str]:
        """All columns, the key first."""
        return [self.key, *self.columns]


_MONEY_SUMS = (
    "escrow_minor",
    "refund_payable_minor",
    "dispute_hold_minor",
    "reserve_minor",
    "supplier_payable_minor",
    "platform_fee_minor",
    "received_minor",
    "refunded_minor",
    "supplier_paid_minor",
)

TABLES: dict[str, Table] = {
    # from campaigns.events
    "campaign": Table(
        "id",
        {
            "author_id": "text",
            "product": "jsonb",
            "terms": "jsonb",
            "terms_hash": "text",
            "supplier_ids": "jsonb",
            "visibility": "text",
            "constraints": "jsonb",
            "title": "text",
            "category": "text",
            "unit_price_minor": "bigint",
            "currency": "text",
            "target_units": "integer",
            "capacity_units": "integer",
            "close_at": "timestamptz",
            "state": "text",
            "state_since": "timestamptz",
            "drafted_at": "timestamptz",
            "opened_at": "timestamptz",
            "close_reason": "text",
            "returned_reason": "text",
            "joining_ended": "text",
            "final_units": "integer",
            "missing_sign_offs": "jsonb",
            "accepted_supplier_id": "uuid",
            "held_units": "integer",
            "reserved_units": "integer",
            "held_commitments": "integer",
            "seq": "bigint",
        },
        indexes=("drafted_at DESC, id DESC",),
        hot=True,
    ),
    "commitment": Table(
        "id",
        {
            "campaign_id": "uuid",
            "participant_id": "uuid",
            "quantity": "integer",
            "amount_minor": "bigint",
            "currency": "text",
            "terms_hash": "text",
            "reference": "text",
            "state": "text",
            "state_at": "timestamptz",
            "reserved_until": "timestamptz",
            "created_at": "timestamptz",
            "locked_at": "timestamptz",
            "withdrawn_was": "text",
            "fail_reason": "text",
            "refusal_code": "text",
            "refusal_facts": "jsonb",
        },
        indexes=("participant_id, created_at DESC, id DESC", "campaign_id, created_at DESC, id DESC"),
        hot=True,
    ),
    # from escrow.events
    "commitment_money": Table(
        "commitment_id",
        {
            "campaign_id": "uuid",
            "payment_state": "text",
            "attempt": "integer",
            "decline_code": "text",
            "retry_until": "timestamptz",
            "held_at": "timestamptz",
            "end_reason": "text",
            "late_minor": "bigint",
            "released_at": "timestamptz",
            "plan_id": "uuid",
            "held_trace_id": "text",
        },
        sums=frozenset({"late_minor"}),
        hot=True,
    ),
    "refund": Table(
        "decision_id",
        {
            "commitment_id": "uuid",
            "campaign_id": "uuid",
            "amount_minor": "bigint",
            "currency": "text",
            "reason": "text",
            "state": "text",
            "decided_at": "timestamptz",
            "sent_at": "timestamptz",
            "state_at": "timestamptz",
            "failures": "integer",
            "decided_trace_id": "text",
            "sent_trace_id": "text",
        },
        sums=frozenset({"failures"}),
        indexes=("commitment_id", "campaign_id", "decided_at, decision_id"),
    ),
    "dispute": Table(
        "id",
        dict.fromkeys(("commitment_id", "campaign_id"), "uuid")
        | dict.fromkeys(("psp_dispute_id", "currency", "status", "reason", "state"), "text")
        | dict.fromkeys(("evidence_hash", "evidence_state", "prepared_by", "submitted_by", "paper_digest"), "text")
        | dict.fromkeys(("evidence_due_by", "opened_at", "state_at"), "timestamptz")
        | {"amount_minor": "bigint", "charged_back": "boolean"},
        indexes=("commitment_id", "campaign_id", "state, opened_at DESC"),
    ),
    "campaign_ledger": Table(
        "scope_id",
        {**dict.fromkeys(_MONEY_SUMS, "bigint"), "position": "bigint", "head_hash": "text"},
        sums=frozenset(_MONEY_SUMS),
        key_type="text",
        hot=True,
    ),
    "ledger_transfer": Table(
        "id",
        TRANSFER_COLUMNS,
        indexes=("scope_id, position", "commitment_id", "plan_id", "object_id", "at DESC, id DESC"),
    ),
    "campaign_settlement": Table("campaign_id", {"settled_at": "timestamptz"}),
    "clearing_plan": Table(
        "id",
        {
            "campaign_id": "uuid",
            "kind": "text",
            "state": "text",
            "plan_hash": "text",
            "maker_id": "text",
            "approver_id": "text",
            "reason": "text",
            "supplier_id": "uuid",
            "gross_minor": "bigint",
            "reserve_minor": "bigint",
            "fee_minor": "bigint",
            "net_minor": "bigint",
            "currency": "text",
            "line_count": "integer",
            "conditions": "jsonb",
            "transfer_id": "text",
            "refused_code": "text",
            "refused_transfers": "integer",
            "submitted_at": "timestamptz",
            "reason_code": "text",
            "evidence": "jsonb",
            "target_plan_id": "uuid",
            "target_position": "bigint",
            "preview": "jsonb",
            "lines_applied": "integer",
            "lines_failed": "integer",
            "completed_at": "timestamptz",
        },
        sums=frozenset({"refused_transfers"}),
        indexes=("campaign_id", "state"),
    ),
    "checkpoint": Table(
        "hash",
        {"scope": "text", "number": "bigint", "position": "bigint", "signed": "jsonb"},
        indexes=("scope, number DESC",),
        key_type="text",
    ),
    "platform_checkpoint": Table("number", {"hash": "text", "signed": "jsonb", "at": "timestamptz"}, key_type="bigint"),
    "float_gauge": Table(
        "currency",
        {
            "available_minor": "bigint",
            "worst_case_fees_minor": "bigint",
            "buffer_minor": "bigint",
            "room_minor": "bigint",
            "next_fee_minor": "bigint",
            "admits": "boolean",
            "gauged_at": "timestamptz",
        },
        key_type="text",
    ),
    "plan_line": Table(
        "line_id",
        {
            "plan_id": "uuid",
            "campaign_id": "uuid",
            "commitment_id": "uuid",
            "amount_minor": "bigint",
            "currency": "text",
            "to_reserve": "boolean",
            "account": "text",
            "before_minor": "bigint",
            "after_minor": "bigint",
            "told_at": "timestamptz",
        },
        key_type="text",
        indexes=("plan_id, told_at, commitment_id",),
    ),
    "top_up": Table("id", {"amount_minor": "bigint", "currency": "text", "at": "timestamptz"}),
    # from suppliers.events
    "supplier": Table("id", {"display_name": "text", "tier": "text", "registered_at": "timestamptz"}),
    "invitation": Table(
        "id",
        {
            "campaign_id": "uuid",
            "supplier_id": "uuid",
            "state": "text",
            "units": "integer",
            "final": "boolean",
            "terms_hash": "text",
            "opens_at": "timestamptz",
            "closes_at": "timestamptz",
            "invited_at": "timestamptz",
            "answered_at": "timestamptz",
            "decline_reason": "text",
        },
        indexes=("campaign_id", "supplier_id"),
    ),
    "commitment_delivery": Table(
        "commitment_id",
        {
            "campaign_id": "uuid",
            "state": "text",
            "dispatched_at": "timestamptz",
            "tracking": "text",
            "delivered_at": "timestamptz",
            "inspection_until": "timestamptz",
            "evidence": "text",
        },
        indexes=("campaign_id",),
    ),
    "issue": Table(
        "id",
        {
            "campaign_id": "uuid",
            "commitment_id": "uuid",
            "participant_id": "uuid",
            "state": "text",
            "reported_at": "timestamptz",
            "decided_at": "timestamptz",
        },
        indexes=("campaign_id", "commitment_id"),
    ),
    "campaign_fulfillment": Table(
        "campaign_id",
        {
            "delivered": "integer",
            "verdict": "text",
            "issue_rate_basis_points": "integer",
            "accepted_at": "timestamptz",
        },
    ),
    # from notifications.events; no word of a message is in it
    "message": Table(
        "id",
        dict.fromkeys(("participant_id", "campaign_id"), "uuid")
        | {"template": "text", "template_version": "integer", "result": "text"}
        | dict.fromkeys(("recorded_at", "result_at"), "timestamptz"),
        indexes=("participant_id, recorded_at",),
    ),
    # from notifications.events: a rule on its person's stream, its end and its firings on campaigns' streams
    "alert_rule": Table(
        "id",
        dict.fromkeys(("participant_id", "campaign_id"), "uuid")
        | {"rule": "jsonb", "set_at": "timestamptz", "removed_at": "timestamptz"},
        indexes=("participant_id",),
    ),
    "alert_end": Table("rule_id", {"campaign_id": "uuid", "ended_at": "timestamptz", "end_reason": "text"}),
    "alert_firing": Table(
        "id",
        {"rule_id": "uuid", "campaign_id": "uuid", "fired_at": "timestamptz"},
        indexes=("rule_id",),
    ),
    # from every service; each row is written by one of them
    "case_record": Table(
        "case_id",
        {
            "service": "text",
            "kind": "text",
            "scope": "text",
            "subject_id": "text",
            "severity": "text",
            "blocking": "boolean",
            "facts": "jsonb",
            "state": "text",
            "resolution": "text",
            "opened_at": "timestamptz",
            "closed_at": "timestamptz",
            "asked_by": "text",
            "asked_words": "text",
            "asked_evidence": "jsonb",
            "closed_by": "text",
            "closed_words": "text",
        },
        indexes=("scope", "state"),
    ),
    "outcome": Table(
        "command_id",
        {
            "scope": "text",
            "event_type": "text",
            "code": "text",
            "facts": "jsonb",
            "subject_id": "text",
            "at": "timestamptz",
        },
    ),
}

SCOPE_OF: dict[str, str] = {
    "campaign": "CAST(id AS text)",
    "campaign_ledger": "scope_id",
    "checkpoint": "scope",
    "platform_checkpoint": "'platform'",
    "ledger_transfer": "scope_id",
    "supplier": "CAST(id AS text)",
    "top_up": "'platform'",
    "float_gauge": "'platform'",
    "alert_rule": "CAST(participant_id AS text)",
    "case_record": "scope",
    "outcome": "scope",
}
"""Table → the expression that names a row's scope, where it is not the campaign's id. A rebuild compares by scope."""
