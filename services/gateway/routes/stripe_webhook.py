"""Stripe's webhooks: the raw body, its signature, and an answer at once.

The signature is checked by Stripe's own library against each live secret; it rejects old timestamps, and what it does
not reject, a timestamp in the future, is rejected here. Wall time is the clock of both sides. One of the two modules
that import `stripe`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from stripe import SignatureVerificationError, WebhookSignature

from services.gateway.middleware import traceparent_of
from services.gateway.parts import gateway_of
from services.gateway.problems import ProblemError
from services.gateway.routes.replying import json_answer
from services.gateway.schemas.answers import WebhookReceived
from services.gateway.schemas.describing import answers
from services.gateway.usecases.receive_webhook import is_of_this_account, psp_event
from services.kit import telemetry
from services.kit.clock import wall_seconds

TOLERANCE_SECONDS = 300
_EXAMPLE = {"id": "evt_1PxQ2s", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1PxQ2s"}}}

log = telemetry.logger("gateway.webhook")

router = APIRouter(prefix="/v1/webhooks", tags=["machines"])


@router.post(
    "/stripe",
    operation_id="stripe_webhook",
    summary="Stripe's events, signed",
    responses=answers(WebhookReceived, 400, 413, 503, limited=False),
    openapi_extra={
        "parameters": [
            {
                "name": "Stripe-Signature",
                "in": "header",
                "required": True,
                "description": "Stripe's signature over the moment and the body.",
                "schema": {"type": "string", "minLength": 1},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}, "example": _EXAMPLE}},
        },
    },
)
async def stripe_webhook(request: Request) -> Response:
    """A duplicate is answered like the first and does nothing."""
    raw = await request.body()
    header = request.headers.get("stripe-signature")
    gateway = gateway_of(request)
    signed_at = verified_stamp(raw, header, gateway.settings.webhook_secrets())
    if signed_at is None:
        log.warning("gateway.webhook.refused")
        raise ProblemError("malformed_request", facts={"signature": "does not fit"})
    try:
        told = json.loads(raw, parse_constant=_no_number)
        event = psp_event(
            told,
            signed_at=datetime.fromtimestamp(signed_at, UTC),
            traceparent=traceparent_of(request.scope),
        )
    except (ValueError, AttributeError, RecursionError) as error:
        raise ProblemError("malformed_request") from error
    if is_of_this_account(told, is_live=gateway.settings.stripe_is_live()):
        await gateway.webhooks.receive(event)
    else:
        # Answered as received, so that Stripe does not send it again and again.
        log.warning("gateway.webhook.of_another_account")
    return json_answer({"received": True})


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def verified_stamp(raw: bytes, header: str | None, secrets: tuple[str, ...]) -> int | None:
    """The moment a body was signed at, in seconds since 1970, when one of the secrets signed it within 300 seconds of
    now on either side; otherwise None."""
    stamp = _stamp(header)
    if stamp is None or abs(wall_seconds() - stamp) > TOLERANCE_SECONDS:
        return None
    for secret in secrets:
        try:
            WebhookSignature.verify_header(raw, header, secret, tolerance=TOLERANCE_SECONDS)
        except (SignatureVerificationError, UnicodeDecodeError):
            continue
        return stamp
    return None


def _stamp(header: str | None) -> int | None:
    # Split as Stripe's library splits it: were the two to find different stamps, the one that is checked here would not be
    # the one that was signed.
    for part in (header or "").split(","):
        name, _, value = part.partition("=")
        if name == "t" and value.isascii() and value.isdigit() and len(value) <= 12:
            return int(value)
    return None
