"""Evidence for a bank: prepared by operations from the records, sent once by an escrow auditor.

Two people because what is sent is final: the bank takes evidence once, and reads it as the platform's word. It moves no
money. The call is an intent; its answer carries the dispute, which is applied like any other reading. The paper that goes
along is the one that was kept first with these fields; escrow makes none and cannot read it, it knows its digest.
"""

from __future__ import annotations

import base64
import hashlib

from contracts.disputes import (
    DisputeEvidencePrepared,
    DisputeEvidenceRefused,
    DisputeEvidenceSubmitted,
    PrepareDisputeEvidence,
    SubmitDisputeEvidence,
    paper_bytes,
)
from contracts.errors import Rejected
from services.escrow.domain.disputes import ANSWERABLE_STATES
from services.escrow.domain.psp import dispute_facts
from services.escrow.store.disputes import Dispute, EvidenceRow, find_dispute, find_evidence, is_submitted
from services.escrow.usecases.apply_dispute import apply_dispute
from services.escrow.usecases.record_plan_step import AUDITOR
from services.kit.service import Answer, Intent
from services.kit.work import Work

OPERATIONS = "operations"
EVIDENCE_PURPOSE = "dispute_evidence"
EVIDENCE_CASE = "dispute_evidence_refused"


async def prepare_dispute_evidence(work: Work, message: PrepareDisputeEvidence) -> None:
    """Keep a version of the evidence. Raises Rejected."""
    if work.actor.role != OPERATIONS:
        raise Rejected("not_allowed", role=work.actor.role)
    dispute = await _answerable(work, message)
    evidence_hash = message.evidence.hash()
    row = await find_evidence(work, dispute.dispute_id, evidence_hash)
    if row is None:
        paper = paper_bytes(message.paper) if message.paper is not None else None
        row = EvidenceRow(
            dispute_id=dispute.dispute_id,
            evidence_hash=evidence_hash,
            evidence=message.evidence.model_dump(mode="json", exclude_none=True),
            prepared_by=work.actor.id,
            prepared_at=work.now,
            paper=paper,
            paper_digest=hashlib.sha256(paper).hexdigest() if paper is not None else None,
        )
        work.session.add(row)
        _audit(work, dispute, "evidence_prepared", row)
    work.publish(
        DisputeEvidencePrepared(
            campaign_id=dispute.campaign_id,
            commitment_id=dispute.commitment_id,
            participant_id=dispute.participant_id,
            dispute_id=dispute.dispute_id,
            evidence_hash=evidence_hash,
            prepared_by=work.actor.id,
            paper_digest=row.paper_digest,
        )
    )


async def submit_dispute_evidence(work: Work, message: SubmitDisputeEvidence) -> None:
    """Record the call that sends the evidence to the bank. Raises Rejected."""
    if work.actor.role != AUDITOR:
        raise Rejected("not_allowed", role=work.actor.role)
    dispute = await _answerable(work, message)
    row = await find_evidence(work, dispute.dispute_id, message.evidence_hash)
    if row is None:
        raise Rejected("evidence_hash_stale")
    if row.prepared_by == work.actor.id:
        raise Rejected("approver_is_maker")
    row.submitted_by, row.submitted_at = work.actor.id, work.now
    work.intend(
        EVIDENCE_PURPOSE,
        object_id=f"{dispute.dispute_id}:{row.evidence_hash}",
        ordinal=1,
        scope=str(dispute.campaign_id),
        request={
            "dispute": dispute.dispute_id,
            "campaign_id": str(dispute.campaign_id),
            "evidence_hash": row.evidence_hash,
            "evidence": row.evidence,
            "paper": base64.b64encode(row.paper).decode() if row.paper is not None else None,
        },
    )
    work.publish(
        DisputeEvidenceSubmitted(
            campaign_id=dispute.campaign_id,
            commitment_id=dispute.commitment_id,
            participant_id=dispute.participant_id,
            dispute_id=dispute.dispute_id,
            evidence_hash=row.evidence_hash,
            prepared_by=row.prepared_by,
            submitted_by=work.actor.id,
            paper_digest=row.paper_digest,
        )
    )
    _audit(work, dispute, "evidence_submitted", row)


async def post_dispute_evidence(work: Work, intent: Intent, answer: Answer) -> None:
    """The bank has it, or Stripe did not take it."""
    dispute = await find_dispute(work, intent.request["dispute"])
    row = await find_evidence(work, intent.request["dispute"], intent.request["evidence_hash"])
    if dispute is None or row is None:
        return
    if answer.outcome == "done":
        await apply_dispute(work, dispute_facts(answer.body))
        return
    row.refused_code = str((answer.body.get("error") or {}).get("code") or "refused")
    work.publish(
        DisputeEvidenceRefused(
            campaign_id=dispute.campaign_id,
            commitment_id=dispute.commitment_id,
            participant_id=dispute.participant_id,
            dispute_id=dispute.dispute_id,
            evidence_hash=row.evidence_hash,
            code=row.refused_code,
        )
    )
    work.open_case(
        EVIDENCE_CASE,
        scope=str(dispute.campaign_id),
        subject=dispute.dispute_id,
        facts={"commitment_id": dispute.commitment_id, "code": row.refused_code},
    )


async def _answerable(work: Work, message: PrepareDisputeEvidence | SubmitDisputeEvidence) -> Dispute:
    dispute = await find_dispute(work, message.dispute_id)
    if dispute is None or dispute.campaign_id != message.campaign_id:
        raise Rejected("dispute_unknown")
    over = dispute.evidence_due_by is not None and dispute.evidence_due_by < work.now
    if dispute.status not in ANSWERABLE_STATES or over or await is_submitted(work, dispute.dispute_id):
        raise Rejected("dispute_state_conflict", status=dispute.status)
    return dispute


def _audit(work: Work, dispute: Dispute, verb: str, row: EvidenceRow) -> None:
    work.audit(
        f"escrow.dispute.{verb}",
        scope=str(dispute.campaign_id),
        subject=dispute.dispute_id,
        before=None,
        after={
            "evidence_hash": row.evidence_hash,
            "paper_digest": row.paper_digest,
            "commitment_id": str(dispute.commitment_id),
        },
    )
