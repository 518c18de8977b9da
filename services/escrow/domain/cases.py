"""How each kind of case that escrow can open comes to its end.

Most end by themselves, when what they are about is gone. A person closes only what nothing else ever closes, so that no
freeze lasts for ever and none is lifted while its finding is judged by a rule. A house test compares the table with what
the source can open and with docs/canon/cases.md. It cannot say whether the person was right; a finding that is made again
opens a new case.
"""

from __future__ import annotations

from typing import Final, Literal

Closing = Literal["itself", "person", "resume"]
"""`itself`: a rule, when the cause is gone. `person`: an escrow auditor, two where it blocks. `resume`: an operator's
`./alpmera resume`, after the cause was mended."""

BY_HAND = "by_hand"
"""The resolution of a case that people closed. The database counts them."""

CLOSED_BY: Final[dict[str, Closing]] = {
    "refund_failed": "itself",
    "refunds_overdue": "itself",
    "cover_broken": "itself",
    "float_low": "itself",
    "clearing_overdue": "itself",
    "transfer_refused": "itself",
    "suspense": "itself",
    "dispute_open": "itself",
    "dispute_rate_warning": "itself",
    "dispute_rate_critical": "itself",
    "ledger_unbalanced": "person",
    "psp_mismatch": "person",
    "latch_conflict": "person",
    "top_up_failed": "person",
    "transfer_reversed": "person",
    "plan_line_failed": "person",
    "issue_upheld_after_release": "person",
    "dispute_evidence_refused": "person",
    "dispute_lost_in_part": "person",
    "paid_twice": "person",
    "deadline_failed": "person",
    "intent_mismatch": "person",
    "intent_stopped": "person",
    "poison": "resume",
    "forked_stream": "resume",
    "early_overdue": "resume",
}
