"""What suppliers and participants do after the demand, by stated rules of chance that always fall alike.

The data says who wanted what and when; it says nothing about suppliers and faults. These rules stand in for them. Each
draws a number below 10,000 from SHA-256 over the seed, what is decided and about what, so a repeat decides the same:

- a supplier accepts 80 of 100 invitations, declines 12, and never answers 8 (the acceptance window passes);
- 2 of 100 delivered commitments have a fault reported, and 30 of 100 in the one campaign of 25 with a bad batch;
- of the reported faults that are decided after a release, half are upheld and half rejected.
"""

from __future__ import annotations

import hashlib
from typing import Literal

SEED = "alpmera-replay-1"
ACCEPTS_BELOW = 8_000
DECLINES_BELOW = 9_200
BAD_BATCH_BELOW = 400
FAULT_BELOW = 200
FAULT_IN_BAD_BATCH_BELOW = 3_000
UPHELD_BELOW = 5_000
CHANCES = 10_000

SupplierAnswer = Literal["accept", "decline", "silence"]
Verdict = Literal["upheld", "rejected"]


def supplier_answer(code: str) -> SupplierAnswer:
    """What the invited supplier of a product does."""
    chance = _chance("supplier", code)
    if chance < ACCEPTS_BELOW:
        return "accept"
    return "decline" if chance < DECLINES_BELOW else "silence"


def has_bad_batch(code: str) -> bool:
    """Whether a product's delivery has so many faults that nothing is released."""
    return _chance("batch", code) < BAD_BATCH_BELOW


def reports_fault(code: str, line_number: int) -> bool:
    """Whether the participant of a line reports a fault of what was delivered."""
    return _chance("fault", code, line_number) < (FAULT_IN_BAD_BATCH_BELOW if has_bad_batch(code) else FAULT_BELOW)


def verdict_on_fault(code: str, line_number: int) -> Verdict:
    """How operations decide about a reported fault."""
    return "upheld" if _chance("verdict", code, line_number) < UPHELD_BELOW else "rejected"


def _chance(*parts: object) -> int:
    text = "\0".join((SEED, *map(str, parts)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % CHANCES
