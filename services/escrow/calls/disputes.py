"""Disputes: read one, with the payment intent that it is about; send evidence about one."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from services.escrow.calls.client import StripeCalls, StripeUnavailableError
from services.kit.service import Answer, Intent

EVIDENCE_FILE_PURPOSE = "dispute_evidence"


@dataclass(frozen=True)
class DisputeCalls:
    """The purpose `dispute_read`."""

    stripe: StripeCalls

    async def call(self, intent: Intent) -> Answer:
        """The dispute as it is now; its payment intent stands in `payment`."""
        payment_intent_id = intent.request.get("payment_intent")
        try:
            body = await self.stripe.read(f"/v1/disputes/{intent.request['dispute']}")
            payment = await self.stripe.read(f"/v1/payment_intents/{payment_intent_id}") if payment_intent_id else None
        except StripeUnavailableError:
            return Answer("unknown")
        if body is None:
            return Answer("refused", {"status": 404})
        return Answer("done", {**body, "payment": payment})

    async def find(self, intent: Intent) -> Answer | None:
        """Reading again is always right."""
        return await self.call(intent)


@dataclass(frozen=True)
class EvidenceCalls:
    """The purpose `dispute_evidence`."""

    stripe: StripeCalls

    async def call(self, intent: Intent) -> Answer:
        """Send the evidence to the bank; Stripe takes it once. The paper is uploaded first under a key of its own: what is
        repeated after a crash finds the same file, and a file that no dispute names is read by nobody."""
        request = intent.request
        evidence: dict[str, Any] = dict(request["evidence"])
        if request.get("paper") is not None:
            uploaded = await self.stripe.upload(
                EVIDENCE_FILE_PURPOSE,
                f"evidence-{request['evidence_hash']}.pdf",
                base64.b64decode(request["paper"]),
                key=f"{intent.id}:file",
            )
            if uploaded.outcome != "done":
                return uploaded
            evidence["uncategorized_file"] = uploaded.body["id"]
        return await self.stripe.send(
            "post",
            f"/v1/disputes/{request['dispute']}",
            {
                "evidence": evidence,
                "submit": True,
                "metadata": {"campaign_id": request["campaign_id"], "intent_id": str(intent.id)},
            },
            key=str(intent.id),
        )

    async def find(self, intent: Intent) -> Answer | None:
        """The dispute when this very call has changed it, by its metadata; None when it is still to be made."""
        try:
            body = await self.stripe.read(f"/v1/disputes/{intent.request['dispute']}")
        except StripeUnavailableError:
            return Answer("unknown")
        if body is None or (body.get("metadata") or {}).get("intent_id") != str(intent.id):
            return None
        return Answer("done", body)
