"""Disputes for staff: the list, the evidence that the records give, preparing it and sending it to the bank."""

from __future__ import annotations

import base64
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from contracts.disputes import DisputeEvidence, PrepareDisputeEvidence, SubmitDisputeEvidence
from contracts.envelope import Command
from contracts.errors import Rejected
from services.gateway.auth.requests import allowed
from services.gateway.documents.evidence import evidence_paper
from services.gateway.domain.dispute_evidence import evidence_of
from services.gateway.domain.operation import Operation, Outcome
from services.gateway.parts import Gateway, gateway_of
from services.gateway.routes.acting import asked
from services.gateway.routes.papers import Form, made_at, paper, paper_answer, pdf_answer, pdf_of, pdf_only
from services.gateway.routes.reading import one_of, read_body
from services.gateway.routes.replying import json_answer, list_answer, perform
from services.gateway.schemas.answers_disputes import DisputeList, DisputeView, EvidenceSubmissionBody
from services.gateway.schemas.bodies import EmptyBody
from services.gateway.schemas.describing import act, answers, words_of
from services.gateway.schemas.views import money_view
from services.gateway.store.read_disputes import dispute_by_id, disputes, messages_to, records_of
from services.gateway.usecases.keep_evidence import keep_paper, kept_paper

DIGEST_SHOWN = 16
DISPUTE_STATES = frozenset({"open", "won", "lost", "inquiry_closed"})

router = APIRouter(prefix="/v1", tags=["staff"])


@router.get(
    "/disputes",
    operation_id="disputes_list",
    summary="Payments that a bank disputes or asks about",
    responses=answers(DisputeList, 401, 403, 422),
)
async def disputes_list(request: Request, state: Annotated[str | None, words_of(DISPUTE_STATES)] = None) -> Response:
    """The newest first."""
    await allowed(request, "disputes_list")
    found = await disputes(gateway_of(request).reads, state=one_of(state, DISPUTE_STATES, name="state"))
    return list_answer(found, _row_view)


@router.get(
    "/disputes/{dispute_id}",
    operation_id="disputes_read",
    summary="One dispute with the evidence that the records give",
    responses=answers(DisputeView, 401, 403, 404),
)
async def disputes_read(request: Request, dispute_id: UUID) -> Response:
    """The evidence is built from the records at this moment."""
    await allowed(request, "disputes_read")
    return json_answer(await _view(gateway_of(request), dispute_id))


@router.get(
    "/disputes/{dispute_id}/evidence",
    operation_id="dispute_evidence",
    summary="The evidence that the records give now, as PDF or page",
    response_class=Response,
    responses=paper(401, 403, 404, 422),
)
async def dispute_evidence(request: Request, dispute_id: UUID, form: Form = "pdf") -> Response:
    """The same fields as a person reads them. What was prepared before is a file of its own."""
    await allowed(request, "dispute_evidence")
    row, records, evidence = await _gathered(gateway_of(request), dispute_id)
    return await paper_answer(evidence_paper(row, records, evidence, await made_at(request)), form)


@router.get(
    "/disputes/{dispute_id}/evidence-file",
    operation_id="dispute_evidence_file",
    summary="The prepared file, byte for byte as the bank gets it",
    response_class=Response,
    responses=pdf_only(401, 403, 404),
)
async def dispute_evidence_file(request: Request, dispute_id: UUID) -> Response:
    """Its SHA-256 is the `paper_digest` of the dispute. 404 while nothing is prepared."""
    await allowed(request, "dispute_evidence_file")
    gateway = gateway_of(request)
    row = await _dispute(gateway, dispute_id)
    if row["evidence_hash"] is None or row["paper_digest"] is None:
        raise Rejected("not_found")
    content = await kept_paper(gateway, row["psp_dispute_id"], row["evidence_hash"], digest=row["paper_digest"])
    return pdf_answer(content, name=f"alpmera-evidence-{row['paper_digest'][:DIGEST_SHOWN]}")


@router.post(
    "/disputes/{dispute_id}/evidence",
    summary="Keep the evidence that the records give now, for its submission",
    **act("prepare_evidence", EmptyBody, DisputeView),
)
async def prepare_evidence(request: Request, dispute_id: UUID) -> Response:
    """Nothing is sent yet; an escrow auditor sends it."""
    identity = await allowed(request, "prepare_evidence")
    body = await read_body(request, EmptyBody)
    gateway = gateway_of(request)
    row, records, evidence = await _gathered(gateway, dispute_id)
    now = await made_at(request)

    async def make() -> bytes:
        return await pdf_of(evidence_paper(row, records, evidence, now))

    kept = await keep_paper(gateway, row["psp_dispute_id"], evidence.hash(), make=make, made_at=now)

    def commands(_: Operation) -> list[Command]:
        return [
            PrepareDisputeEvidence(
                campaign_id=row["campaign_id"],
                dispute_id=row["psp_dispute_id"],
                evidence=evidence,
                paper=base64.b64encode(kept).decode(),
            )
        ]

    wanted = asked(
        request, identity, "prepare_evidence", body, commands, resource_id=dispute_id, campaign_id=row["campaign_id"]
    )
    return await perform(request, wanted, _present(gateway, dispute_id))


@router.post(
    "/disputes/{dispute_id}/evidence-submission",
    summary="Send exactly the prepared evidence with this hash to the bank",
    **act("submit_evidence", EvidenceSubmissionBody, DisputeView),
)
async def submit_evidence(request: Request, dispute_id: UUID) -> Response:
    """Once, and by another person than the one who prepared it."""
    identity = await allowed(request, "submit_evidence")
    body = await read_body(request, EvidenceSubmissionBody)
    gateway = gateway_of(request)
    row = await _dispute(gateway, dispute_id)

    def commands(_: Operation) -> list[Command]:
        return [
            SubmitDisputeEvidence(
                campaign_id=row["campaign_id"], dispute_id=row["psp_dispute_id"], evidence_hash=body.evidence_hash
            )
        ]

    wanted = asked(
        request, identity, "submit_evidence", body, commands, resource_id=dispute_id, campaign_id=row["campaign_id"]
    )
    return await perform(request, wanted, _present(gateway, dispute_id))


async def _dispute(gateway: Gateway, dispute_id: UUID) -> Any:
    row = await dispute_by_id(gateway.reads, dispute_id)
    if row is None:
        raise Rejected("not_found")
    return row


async def _gathered(gateway: Gateway, dispute_id: UUID) -> tuple[Any, Any, DisputeEvidence]:
    row = await _dispute(gateway, dispute_id)
    records = await records_of(gateway.reads, row["commitment_id"])
    if records is None:
        raise Rejected("not_found")
    messages = await messages_to(gateway.reads, records["participant_id"], row["campaign_id"])
    return row, records, evidence_of(records, messages)


async def _view(gateway: Gateway, dispute_id: UUID) -> dict[str, Any]:
    row, _, evidence = await _gathered(gateway, dispute_id)
    return _row_view(row) | {
        "psp_dispute_id": row["psp_dispute_id"],
        "reason": row["reason"],
        "evidence": evidence.model_dump(mode="json"),
        "evidence_hash": evidence.hash(),
        "prepared_hash": row["evidence_hash"],
        "prepared_by": row["prepared_by"],
        "submitted_by": row["submitted_by"],
        "paper_digest": row["paper_digest"],
    }


def _row_view(row: Any) -> dict[str, Any]:
    names = (
        "id",
        "campaign_id",
        "commitment_id",
        "state",
        "status",
        "opened_at",
        "evidence_due_by",
        "evidence_state",
    )
    return {name: row[name] for name in names} | {"amount": money_view(row["amount_minor"], row["currency"])}


def _present(gateway: Gateway, dispute_id: UUID) -> Any:
    async def present(_: Outcome) -> dict[str, Any]:
        return await _view(gateway, dispute_id)

    return present
