"""I5 and I10 at the payment side: one object per intent, one per decision and plan, one execution per key.

What was seen is kept as numbers of eight bytes, so that a million objects take some tens of megabytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from deploy.audit.findings import Finding, Findings
from deploy.audit.journal import Journal, Line

SUCCESS = range(200, 300)


@dataclass
class Repeats:
    """What was seen of the journal so far."""

    findings: Findings
    seen: dict[int, int] = field(default_factory=dict)
    live_refunds: dict[int, int] = field(default_factory=dict)

    def take(self, line: Line) -> None:
        """Note one money fact."""
        if line["kind"] == "refund":
            self._refund(line)
        for what, invariant, name in _claims(line):
            key, mine = _number(name), _number(line["object"]["id"])
            if self.seen.setdefault(key, mine) != mine:
                scope = (line["object"].get("metadata") or {}).get("campaign_id", "")
                self.findings.add(invariant, Finding(what, scope, line["object"]["id"], {"of": name}))
                self.seen[key] = mine

    def _refund(self, line: Line) -> None:
        """A decision has at most one refund that stands: pending or paid."""
        facts = line["object"]
        decision = (facts.get("metadata") or {}).get("decision_id")
        if not decision:
            return
        key, mine = _number(decision), _number(facts["id"])
        if facts["status"] in ("failed", "canceled"):
            if self.live_refunds.get(key) == mine:
                del self.live_refunds[key]
        elif self.live_refunds.setdefault(key, mine) != mine:
            scope = facts["metadata"].get("campaign_id", "")
            what = "a refund decision has two refunds that stand"
            self.findings.add("I5", Finding(what, scope, facts["id"], {"decision_id": decision}))


async def check_repeats(findings: Findings, journal: Journal) -> None:
    """Read the journal and the keyed requests for anything that happened twice."""
    repeats = Repeats(findings)
    async for page in journal.facts():
        for line in page:
            repeats.take(line)
    executed: set[int] = set()
    async for page in journal.requests():
        for line in page:
            if line["replayed"] or line["status"] not in SUCCESS:
                continue
            number = _number(line["key"])
            if number in executed:
                what = "a key was executed twice"
                findings.add("I5", Finding(what, "", line["key"], {"path": line["path"], "seq": line["seq"]}))
            executed.add(number)


def _claims(line: Line) -> Iterator[tuple[str, str, str]]:
    """What an object claims for itself alone: words, invariant, name."""
    facts, kind = line["object"], line["kind"]
    metadata = facts.get("metadata") or {}
    if kind == "charge" and facts["status"] != "succeeded":
        return
    if kind in ("charge", "refund", "transfer", "topup") and metadata.get("intent_id"):
        yield "an intent has two objects at Stripe", "I5", f"{kind}:{metadata['intent_id']}"
    if kind == "charge" and facts.get("payment_intent"):
        yield "a payment has two charges", "I5", f"payment:{facts['payment_intent']}"
    if kind == "transfer" and metadata.get("plan_id"):
        yield "a plan has two transfers at Stripe", "I10", f"plan:{metadata['plan_id']}"


def _number(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
