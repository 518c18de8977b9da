"""One example for each body that the interface takes: shown in its description, and sent by the tests that try them all.

They fit their models (a test says so). Ids in them are of nobody.
"""

from __future__ import annotations

from typing import Any

_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_ID = "0197a3c0-5b1e-7c4d-9a2f-3d5e7f901a2b"
_CHALLENGE = "wP0mQm2YtXk0c6uVnq1J9sFhZr3dLb8eA5gT7yKoIxU"
_CREDENTIAL_ID = "x1Q3m0yWc5sFhZr3dLb8eA"
_PROOF: dict[str, Any] = {
    "id": _CREDENTIAL_ID,
    "rawId": _CREDENTIAL_ID,
    "type": "public-key",
    "response": {
        "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0",
        "authenticatorData": "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAQ",
        "signature": "MEUCIQDk",
    },
    "clientExtensionResults": {},
}
_NEW_PASSKEY: dict[str, Any] = _PROOF | {
    "response": {"clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0", "attestationObject": "o2NmbXRkbm9uZQ"}
}

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
    "AlertRuleBody": {"rule": {"kind": "target_percent", "campaign_id": _ID, "percent": 80}},
    "AccessTokenBody": {"scopes": ["campaigns"]},
    "EmptyBody": {},
    "EvidenceSubmissionBody": {"evidence_hash": _HASH},
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
    "PlanBody": {
        "kind": "partial_refund",
        "reason": "The drum was dented; the participant keeps it for a part of the price.",
        "reason_code": "quality_issue",
        "lines": [{"commitment_id": _ID, "amount": {"amount": 12_000, "currency": "USD"}}],
        "evidence": ["issue:7f3a", "photo:sha256-2c26b46b"],
    },
    "ApprovalBody": {"plan_hash": _HASH},
    "CaseResolutionBody": {
        "resolution": "The processor corrected the amount of its fee; both books agree again.",
        "evidence": ["txn_1PkZ4x", "report:2026-11-21"],
    },
    "SignUpCodeBody": {"token": _CHALLENGE, "email": "ruth@people.test"},
    "SignInCodeBody": {"email": "ruth@people.test"},
    "CodeAnswerBody": {"challenge": _CHALLENGE, "code": "1234 5678"},
    "OneTimeCodeBody": {"code": "123 456"},
    "PasskeyProofBody": {"challenge_id": _ID, "credential": _PROOF},
    "PasskeyBody": {"challenge_id": _ID, "credential": _NEW_PASSKEY, "name": "Phone"},
    "PasskeyNameBody": {"name": "Old phone"},
    "MemberInvitationBody": {"role": "participant", "note": "Ruth from the choir", "valid_days": 14},
    "InvitationTokenBody": {"token": _CHALLENGE},
    "AddressBody": {
        "label": "Home",
        "recipient": "Maya Lindqvist",
        "lines": ["5314 22nd Avenue NW", "Apartment 4"],
        "city": "Seattle",
        "region": "WA",
        "postal_code": "98107",
        "default": True,
    },
    "AccountKindBody": {"kind": "person"},
    "TopUpBody": {"amount": {"amount": 5_000_000, "currency": "USD"}},
}
"""Name of a body's model → an example of it."""

PATTERN_EXAMPLES: dict[str, str] = {
    "^[0-9a-f]{64}$": _HASH,
    "^[0-9a-f]{128}$": _HASH * 2,
    r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$": "2026-11-21T10:00:00.000000Z",
}
"""Pattern of a text → a text that fits it, for fields whose name says nothing about their form."""

FIELD_EXAMPLES: dict[str, str | int] = {
    "amount": 109_800,
    "currency": "USD",
    "title": "Heat-pump dryers for Ballard",
    "campaign_title": "Heat-pump dryers for Ballard",
    "name": "Emerald Supply",
    "display_name": "Emerald Supply",
    "category": "appliances",
    "specification": "8 kg, A+++",
    "sku": "HP-8",
    "source": "public list",
    "seen_on": "2026-11-01",
    "state_words": "Funds held",
    "state_explained": "People can join until the campaign closes.",
    "money_now": "$1,098.00 is held in escrow.",
    "words": "Everybody is refunded in full.",
    "sentence": "$1,098.00 is held in escrow, because the payment succeeded.",
    "why": "the payment succeeded",
    "approval": "The rule acts by itself.",
    "approved_by": "escrow auditor",
    "pseudonym": "3f9ac41b7d02",
    "commitment": "3f9ac41b7d02",
    "now": "$1,098.00 is held in escrow.",
    "hash": _HASH,
    "head_hash": _HASH,
    "seq": 7,
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "explained": "A refund can take days to reach your card.",
    "case": "target_not_reached",
    "reference": "R-7K2M",
    "terms_hash": _HASH,
    "plan_hash": _HASH,
    "refund_terms": "Full refund unless the campaign completes.",
    "delivery_terms": "Delivered to each address within the window.",
    "delivery_model": "to the door",
    "recipient": "Maya Lindqvist",
    "lines": "5314 22nd Avenue NW",
    "city": "Seattle",
    "region": "WA",
    "postal_code": "98107",
    "country": "US",
    "href": "/v1/commitments/" + _ID,
    "url": "https://bank.example/confirm",
    "email": "maya@demo.test",
    "label": "maya",
    "external_id": "17850",
    "token": "8Xc1…",
    "csrf_token": "kT3v…",
    "publishable_key": "pk_test_standin",
    "api_base": "http://localhost:4242",
    "profile": "local",
    "next_cursor": "MjAyNi0xMS0yMVQxMDowMDowMCswMDowMHww",
    "tracking": "1Z999AA10123456784",
    "description": "The drum is dented.",
    "reason": "All conditions are met.",
    "version": "0.1.0",
    "quantity": 2,
    "status": 409,
    "min_units": 1,
    "max_units": 4,
    "target_units": 40,
    "capacity_units": 80,
    "unit_price_minor": 54_900,
    "amount_minor": 64_900,
    "held_units": 31,
    "reserved_units": 2,
    "units_left": 47,
    "held_commitments": 12,
    "fee_basis_points": 300,
    "delivery_window_days": 21,
}
"""Name of a field → what examples of answers show in it."""
