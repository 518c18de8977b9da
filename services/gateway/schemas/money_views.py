"""Make answers about movements of money from rows of the read model. Pure functions; words are computed on reading."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.gateway.domain.money_movements import ROLE_WORDS, proven_in, sentence, words_of
from services.gateway.domain.money_next import next_step
from services.gateway.domain.money_words import money_now
from services.gateway.schemas.views import money_view
from services.gateway.usecases.check_money import Checked

Row = Mapping[str, Any]
View = dict[str, Any]

PSEUDONYM_CHARACTERS = 12
FLOW_COLUMNS = {
    "received": "received",
    "goodwill": "goodwill",
    "held": "escrow",
    "frozen_by_disputes": "dispute_hold",
    "reserved_for_issues": "reserve",
    "refund_owed": "refund_payable",
    "cleared_not_sent": "supplier_payable",
    "refunded": "refunded",
    "paid_outside": "paid_outside",
    "released": "released",
    "fees": "fees",
    "taken_by_disputes": "taken_by_disputes",
    "borne_by_platform": "dispute_loss",
    "at_processor": "at_processor",
    "owed": "owed",
}
"""Figure of an answer → column of the sums."""
SUM_NAMES = (*FLOW_COLUMNS.values(), "transfers")


def pseudonym(commitment_id: UUID | None) -> str | None:
    """The name under which everybody sees a commitment's transfers. The ids are random, so that nobody can guess one
    and find its name; the owner sees the own name on the commitment's page."""
    if commitment_id is None:
        return None
    return hashlib.sha256(f"alpmera.commitment.1\n{commitment_id}".encode()).hexdigest()[:PSEUDONYM_CHARACTERS]


def story_view(commitment: Row, rows: Sequence[Row]) -> View:
    """Where the money of a commitment is, from its row and its movements, the oldest first."""
    newest = len(rows) - 1
    coming = next_step(commitment, rows)
    return {
        "commitment_id": commitment["id"],
        "reference": commitment["reference"],
        "campaign_id": commitment["campaign_id"],
        "campaign_title": commitment["campaign_title"],
        "currency": commitment["currency"].upper(),
        "pseudonym": pseudonym(commitment["id"]),
        "now": money_now(commitment),
        "movements": [
            _movement(row) | {"proof": _proof(commitment, row), "next": _next(coming) if ordinal == newest else None}
            for ordinal, row in enumerate(rows)
        ],
    }


def transfer_view(row: Row) -> View:
    """A transfer as everybody may see it; where its campaign is unnamed, its place in that campaign's ledger is too."""
    words = words_of(row)
    named = row.get("campaign_id") is not None or row["scope_id"] == "platform"
    return {
        "id": row["id"],
        "at": row["at"],
        "kind": row["kind"],
        "sentence": sentence(row),
        "amount": money_view(row["amount_minor"], row["currency"]),
        "reason": public_reason(row),
        "approval": words.approval,
        "approved_by": _roles(words.roles),
        "commitment": pseudonym(row["commitment_id"]),
        "campaign_id": row.get("campaign_id"),
        "campaign_title": row.get("campaign_title"),
        "seq": row["position"] if named else None,
        "hash": row["hash"],
    }


def escrow_view(checked: Checked, *, campaign: Row | None, explained: Sequence[str]) -> View:
    """The escrow of a campaign, or of the whole platform without one."""
    sums = checked.sums
    if not sums and campaign is not None:
        sums = [dict.fromkeys(SUM_NAMES, 0) | {"currency": campaign["currency"], "head_hash": None}]
    return {
        "campaign_id": None if campaign is None else campaign["id"],
        "campaign_title": None if campaign is None else campaign["title"],
        "sums": [flows_view(row) for row in sums],
        "equal": checked.equal,
        "checks": [{"name": each.name, "words": each.words, "holds": each.holds} for each in checked.checks],
        "checked_at": checked.at,
        "head_hash": sums[0]["head_hash"] if campaign is not None else None,
        "explained": list(explained),
    }


def flows_view(row: Row) -> View:
    """The sums of one currency."""
    currency = row["currency"]
    amounts = {name: money_view(int(row[column]), currency) for name, column in FLOW_COLUMNS.items()}
    return {"currency": currency.upper(), **amounts, "transfers": int(row["transfers"])}


def public_reason(row: Row) -> str:
    """The reason of a transfer as people read it. What a person typed into a plan is not shown: it may name somebody."""
    return words_of(row).why


def _movement(row: Row) -> View:
    words = words_of(row)
    return {
        "at": row["at"],
        "sentence": sentence(row),
        "why": words.why,
        "approval": words.approval,
        "approved_by": _roles(words.roles),
        "transfer": {
            "id": row["id"],
            "kind": row["kind"],
            "amount": money_view(row["amount_minor"], row["currency"]),
            "seq": row["position"],
            "hash": row["hash"],
        },
        "trace_id": row["trace_id"],
    }


def _proof(commitment: Row, row: Row) -> View | None:
    number = proven_in(row)
    return None if number is None else {"checkpoint": number, "href": f"/v1/me/commitments/{commitment['id']}/proof"}


def _next(coming: Any) -> View | None:
    return None if coming is None else {"words": coming.words, "by": coming.by}


def _roles(roles: Sequence[str]) -> list[str]:
    return [ROLE_WORDS[role] for role in roles]
