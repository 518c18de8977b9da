"""Scripted faults: what goes wrong, for which calls or webhooks, how many times.

Owns the rules that tests set and the choice of the one that applies. Rules live in memory: a
restart clears them. It cannot break the network itself; a proxy in front does that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from deploy.local.stripe_standin import settings
from deploy.local.stripe_standin.errors import StripeError, invalid

GATE_ACTIONS = ("rate_limit_429", "conflict_409", "timeout_before")
EXECUTE_ACTIONS = ("fail_500_before", "fail_500_after", "timeout_after", "delay")
WEBHOOK_ACTIONS = ("duplicate", "withhold", "delay")


@dataclass(slots=True)
class Rule:
    """One fault; ``left`` counts down to zero."""

    number: int
    action: str
    left: int
    method: str | None = None
    path: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    stack_seconds: int = 0
    code: str | None = None
    webhook: bool = False
    types: tuple[str, ...] = ()
    copies: int = 2
    every: int = 1
    seen: int = 0

    def is_due(self) -> bool:
        """Whether it strikes now: at each ``every``-th call or event that it is meant for."""
        self.seen += 1
        return self.seen % self.every == 0

    def fits_call(self, method: str, path: str, metadata: dict[str, Any]) -> bool:
        """Whether the rule is meant for this call."""
        return (
            not self.webhook
            and (self.method is None or self.method == method)
            and path.startswith(self.path)
            and self._fits_metadata(metadata)
        )

    def fits_event(self, event_type: str, metadata: dict[str, Any]) -> bool:
        """Whether the rule is meant for this event."""
        return self.webhook and (not self.types or event_type in self.types) and self._fits_metadata(metadata)

    def _fits_metadata(self, metadata: dict[str, Any]) -> bool:
        return all(metadata.get(name) == value for name, value in self.metadata.items())

    def shown(self) -> dict[str, Any]:
        """The rule for a reader."""
        kind = (
            {"types": list(self.types)}
            if self.webhook
            else {
                "method": self.method,
                "path": self.path,
            }
        )
        return {
            "id": self.number,
            "action": self.action,
            "left": self.left,
            ("webhook" if self.webhook else "match"): {**kind, "metadata": self.metadata},
        }


@dataclass(frozen=True, slots=True)
class DeliveryPlan:
    """How often and when an event is sent; zero copies = withheld."""

    copies: int = 1
    delay_seconds: float = 0.0
    delay_stack_seconds: int = 0


class FaultBook:
    """The rules in force, the first fitting one wins."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._next_number = 1

    def add(self, body: dict[str, Any]) -> Rule:
        """Check and keep a rule as it came in JSON."""
        if len(self.rules) >= settings.FAULT_RULES_MAX:
            raise invalid(f"At most {settings.FAULT_RULES_MAX} fault rules at once.")
        rule = _read_rule(body, self._next_number)
        self._next_number += 1
        self.rules.append(rule)
        return rule

    def clear(self) -> int:
        """Remove every rule; returns how many there were."""
        count = len(self.rules)
        self.rules.clear()
        return count

    def take_gate(self, method: str, path: str, metadata: dict[str, Any]) -> Rule | None:
        """A fault that keeps the call from being looked at, used up by one."""
        return self._take(GATE_ACTIONS, method, path, metadata)

    def take_execute(self, method: str, path: str, metadata: dict[str, Any]) -> Rule | None:
        """A fault around the execution of the call, used up by one."""
        return self._take(EXECUTE_ACTIONS, method, path, metadata)

    def _take(self, actions: tuple[str, ...], method: str, path: str, metadata: dict[str, Any]) -> Rule | None:
        for rule in self.rules:
            if rule.action in actions and rule.fits_call(method, path, metadata) and rule.is_due():
                self._use(rule)
                return rule
        return None

    def delivery_plan(self, event_type: str, metadata: dict[str, Any]) -> DeliveryPlan:
        """How this event is to be sent."""
        for rule in self.rules:
            if rule.fits_event(event_type, metadata) and rule.is_due():
                self._use(rule)
                if rule.action == "withhold":
                    return DeliveryPlan(copies=0)
                if rule.action == "duplicate":
                    return DeliveryPlan(copies=rule.copies)
                return DeliveryPlan(delay_seconds=rule.seconds, delay_stack_seconds=rule.stack_seconds)
        return DeliveryPlan()

    def _use(self, rule: Rule) -> None:
        rule.left -= 1
        if rule.left <= 0:
            self.rules.remove(rule)


def _number(body: dict[str, Any], name: str, *, default: float, most: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise invalid(f"{name} must be a number from 0 to {most:g}.", param=name)
    return float(value)


def _read_rule(body: dict[str, Any], number: int) -> Rule:
    webhook, match = body.get("webhook"), body.get("match", {})
    target = webhook if webhook is not None else match
    if not isinstance(target, dict):
        raise invalid("match or webhook must be an object.", param="match")
    allowed = WEBHOOK_ACTIONS if webhook is not None else GATE_ACTIONS + EXECUTE_ACTIONS
    action = body.get("action")
    if action not in allowed:
        raise invalid(f"action must be one of {', '.join(allowed)}.", param="action")
    metadata = target.get("metadata") or {}
    types = target.get("types") or []
    if not isinstance(metadata, dict) or not isinstance(types, list):
        raise invalid("metadata must be an object and types a list.", param="match")
    hang = settings.FAULT_HANG_DEFAULT_SECONDS if str(action).startswith("timeout") else 1.0
    stack_seconds = int(_number(body, "stack_seconds", default=0, most=10**9))
    return Rule(
        number=number,
        action=str(action),
        left=int(_number(body, "times", default=1, most=10**9)) or 1,
        method=target.get("method"),
        path=str(target.get("path") or ""),
        metadata={str(name): str(value) for name, value in metadata.items()},
        seconds=_number(
            body,
            "seconds",
            default=0.0 if stack_seconds else hang,
            most=settings.FAULT_HANG_MAX_SECONDS,
        ),
        stack_seconds=stack_seconds,
        code=body.get("code"),
        webhook=webhook is not None,
        types=tuple(str(item) for item in types),
        copies=int(_number(body, "copies", default=2, most=settings.WEBHOOK_COPIES_MAX)),
        every=int(_number(body, "every", default=1, most=10**9)) or 1,
    )


def refusal(rule: Rule) -> StripeError:
    """The answer of a gate fault that is an answer; never kept under a key. A rate limit says how long to wait."""
    if rule.action == "rate_limit_429":
        return StripeError(
            "Request rate limit exceeded.",
            status=429,
            code=rule.code or "rate_limit",
            kept=False,
            retry_after_seconds=math.ceil(rule.seconds),
        )
    return key_in_use("(scripted)")


def key_in_use(key: str) -> StripeError:
    """409: another call with the same key is being executed."""
    return StripeError(
        "There is currently another in-progress request using this Idempotent Key (that probably "
        f"means you submitted twice, and the other request is still going through): {key}. "
        "Please try again later.",
        status=409,
        code="idempotency_key_in_use",
        kept=False,
    )
