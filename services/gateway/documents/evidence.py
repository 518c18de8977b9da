"""The evidence for a bank as a paper: what its fields say, a part for each, and nothing besides.

The same text goes to the bank in its own fields and as this file. No name and no address is in it, because the bank knows
its card's owner; what the supplier and the maker of the product wrote stands as they wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from contracts.disputes import DisputeEvidence
from services.gateway.documents.document import Document, Fact, Part
from services.gateway.domain.dispute_evidence import evidence_parts
from services.gateway.domain.money_text import minute, money

TITLE = "Evidence for a dispute"


def evidence_paper(
    dispute: Mapping[str, Any], records: Mapping[str, Any], evidence: DisputeEvidence, made_at: datetime
) -> Document:
    """The paper of one dispute; `records` as in `evidence_of`."""
    amount = f"{money(dispute['amount_minor'], dispute['currency'])} {dispute['currency'].upper()}"
    facts = [
        Fact("Dispute", dispute["psp_dispute_id"]),
        Fact("Disputed", amount),
        Fact("The bank's reason", dispute["reason"].replace("_", " ")),
        Fact("Opened", minute(dispute["opened_at"])),
        Fact("Commitment", str(records["reference"])),
        Fact("SHA-256 of what is told", evidence.hash()),
    ]
    if dispute["evidence_due_by"] is not None:
        facts.insert(4, Fact("Evidence taken until", minute(dispute["evidence_due_by"])))
    terms, product = records["terms"], records["product"]
    written = (product["name"], product["specification"], records["delivery_evidence"], records["tracking"])
    parts = (Part(title, lines) for title, lines in evidence_parts(evidence))
    return Document(
        TITLE,
        dispute["psp_dispute_id"],
        made_at,
        (Part("The dispute", facts=tuple(facts)), *parts),
        tuple(str(each) for each in (*written, terms["title"]) if each),
    )
