"""Refusals in Stripe's shape.

Owns the error body and which refusals an idempotency key remembers: Stripe keeps the answer of
every call that began to execute, and none of a call that failed validation, was refused by a rate
limit or met another call in flight. It cannot reproduce every message of Stripe's word for word.
"""

from __future__ import annotations

from typing import Any


class StripeError(Exception):
    """A refusal: becomes a 4xx or 5xx answer; what the handler wrote is rolled back."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        kept: bool = True,
        retry_after_seconds: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        self.retry_after_seconds = retry_after_seconds
        self.error: dict[str, Any] = {"type": kind, "message": message}
        if code is not None:
            self.error["code"] = code
            self.error["doc_url"] = "https://stripe.com/docs/error-codes/" + code.replace("_", "-")
        if param is not None:
            self.error["param"] = param
        if extra:
            self.error.update(extra)

    def body(self) -> dict[str, Any]:
        """The JSON body as Stripe sends it."""
        return {"error": self.error}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> StripeError:
    """A parameter that fails validation; an idempotency key does not remember it."""
    return StripeError(message, code=code, param=param, kept=False)


def missing(kind: str, object_id: str, *, param: str = "id", status: int = 404) -> StripeError:
    """No such object: 404 when it is the call's own subject, 400 when a parameter names it."""
    return StripeError(f"No such {kind}: '{object_id}'", status=status, code="resource_missing", param=param)


def unexpected_state(message: str, payment_intent: dict[str, Any]) -> StripeError:
    """A payment intent whose status does not allow the call; the object travels along."""
    return StripeError(
        message,
        code="payment_intent_unexpected_state",
        extra={"payment_intent": payment_intent},
    )


def api_error(message: str = "An unknown error occurred.") -> StripeError:
    """Stripe's own failure (500); kept under the idempotency key as Stripe keeps it."""
    return StripeError(message, status=500, kind="api_error")
