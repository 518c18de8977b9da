"""One example for each body that the interface takes: shown in its description, and sent by the tests that try them all.

They fit their models (a test says so). Ids in them are of nobody.
"""

from __future__ import annotations

from typing import Any

_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_ID = "0197a3c0-5b1e-7c4d-9a2f-3d5e7f901a2b"

TERMS: dict[str, Any] = {
    "title": "Heat-pump dryers for Ballard",
    "target_units": 40,
    "capacity_units": 80,
    "unit_price_minor": 54_900,
    "currency": "usd",
    "min_units": 1,
    "max_units": 4,
    "close_at": "2026-12-05T00:00:00Z",
    "fee_basis_points": 300,
    "delivery_window_days": 21,
    "delivery_model": "to the door",
    "delivery_terms": "Delivered to each address within the window.",
    "refund_terms": "Full refund unless the campaign completes.",
}

BODY_EXAMPLES: dict[str, dict[str, Any]] = {
    "AccessTokenBody": {"scopes": ["commitments"]},
    "EmptyBody": {},
    "SignInBody": {"email": "maya@demo.test"},
    "DevParticipantsBody": {"participants": [{"external_id": "17850"}]},
    "CampaignBody": {
        "product": {
            "name": "Heat-pump dryer",
            "specification": "8 kg, A+++",
            "category": "appliances",
            "reference_prices": [
                {"amount_minor": 64_900, "currency": "usd", "source": "public list", "seen_on": "2026-11-01"}
            ],
        },
        "terms": TERMS,
        "supplier_ids": [_ID],
        "visibility": "members",
        "readiness": {
            "owner": "olga",
            "backup": "gus",
            "what_fails": "The supplier cannot deliver in the window.",
            "who_notices": "The owner, on the first day after the window.",
            "what_then": "The campaign closes and everybody is refunded.",
        },
    },
    "ReviewBody": {
        "decision": "accept",
        "reason": "Demand, terms and delivery fit the canon.",
        "answers": {"doctrine_fit": True, "risks_stated": True, "operable": True, "precedent_safe": True},
        "constraints": [],
    },
    "SignOffBody": {"role": "operations", "reason": "The window ended without delivery."},
    "CommitBody": {"quantity": 2, "terms_hash": _HASH, "confirmation_token": "ctoken_1PxQ2s"},
    "PaymentBody": {"confirmation_token": "ctoken_1PxQ2s"},
    "IssueBody": {"description": "The drum is dented.", "photo_digests": [_HASH]},
    "DecisionBody": {"verdict": "upheld", "reason": "The photo shows it."},
    "SupplierBody": {"display_name": "Emerald Supply", "payout_account_id": "acct_1PxQ2s", "tier": "provisional"},
    "AcceptanceBody": {"terms_hash": _HASH},
    "DeclineBody": {"reason": "No capacity in the window."},
    "DispatchBody": {"commitment_ids": [_ID], "tracking": "1Z999AA10123456784"},
    "DeliveryBody": {"commitment_ids": [_ID], "evidence": "Signed delivery notes, batch 12."},
    "PlanBody": {"kind": "release", "reason": "All conditions are met."},
    "ApprovalBody": {"plan_hash": _HASH},
    "TopUpBody": {"amount": {"amount": 5_000_000, "currency": "USD"}},
}
"""Name of a body's model → an example of it."""
