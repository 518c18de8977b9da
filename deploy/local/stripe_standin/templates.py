"""Stripe's object shapes: what is the same in every object of a kind.

Owns the constant fields, which ``shapes`` merges with an object's facts. Keeping them out of the
database makes a payment small and cheap to write. It cannot show fields that Stripe adds after
``settings.API_VERSION``; the contract test compares with Stripe's own description.
"""

from __future__ import annotations

from typing import Any

from deploy.local.stripe_standin import settings

Facts = dict[str, Any]

_NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
NO_BILLING: Facts = {
    "address": _NO_ADDRESS,
    "email": None,
    "name": None,
    "phone": None,
    "tax_id": None,
}
CHECKS = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}
NO_REQUIREMENTS: Facts = {
    "alternatives": [],
    "current_deadline": None,
    "currently_due": [],
    "disabled_reason": None,
    "errors": [],
    "eventually_due": [],
    "past_due": [],
    "pending_verification": [],
}

EVIDENCE_FIELDS = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip

TEMPLATES: dict[str, Facts] = {
    "customer": {
        "object": "customer",
        "livemode": False,
        "address": None,
        "balance": 0,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "email": None,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "name": None,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    },
    "payment_method": {
        "object": "payment_method",
        "livemode": False,
        "allow_redisplay": "unspecified",
        "customer": None,
        "metadata": {},
        "type": "card",
    },
    "confirmation_token": {
        "object": "confirmation_token",
        "livemode": False,
        "mandate_data": None,
        "payment_intent": None,
        "payment_method_options": None,
        "return_url": None,
        "setup_future_usage": None,
        "setup_intent": None,
        "shipping": None,
        "use_stripe_sdk": False,
    },
    "payment_intent": {
        "object": "payment_intent",
        "livemode": False,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "application": None,
        "application_fee_amount": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "last_payment_error": None,
        "latest_charge": None,
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            },
        },
        "payment_method_types": ["card"],
        "processing": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "transfer_data": None,
    },
    "charge": {
        "object": "charge",
        "livemode": False,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "calculated_statement_descriptor": "ALPMERA",
        "disputed": False,
        "failure_balance_transaction": None,
        "fraud_details": {},
        "on_behalf_of": None,
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "transfer_data": None,
    },
    "refund": {
        "object": "refund",
        "receipt_number": None,
        "source_transfer_reversal": None,
        "transfer_reversal": None,
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
    },
    "transfer": {
        "object": "transfer",
        "livemode": False,
        "source_transaction": None,
        "source_type": "card",
    },
    "transfer_reversal": {
        "object": "transfer_reversal",
        "destination_payment_refund": None,
        "source_refund": None,
    },
    "topup": {
        "object": "topup",
        "livemode": False,
        "failure_code": None,
        "failure_message": None,
        "source": None,
    },
    "dispute": {
        "object": "dispute",
        "livemode": False,
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(EVIDENCE_FIELDS),
    },
    "file": {
        "object": "file",
        "expires_at": None,
        "links": {"object": "list", "data": [], "has_more": False, "url": "/v1/file_links"},
        "title": None,
        "type": "pdf",
        "url": None,
    },
    "balance_transaction": {
        "object": "balance_transaction",
        "balance_type": "payments",
        "exchange_rate": None,
    },
    "account": {
        "object": "account",
        "charges_enabled": True,
        "payouts_enabled": True,
        "details_submitted": True,
        "business_profile": None,
        "future_requirements": NO_REQUIREMENTS,
        "settings": None,
    },
    "event": {
        "object": "event",
        "livemode": False,
        "api_version": settings.API_VERSION,
    },
}
