"""Disputes for staff: the list, the evidence that the records give, preparing it and sending it to the bank."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from contracts.disputes import DisputeEvidence, PrepareDisputeEvidence, SubmitDisputeEvidence
from contracts.envelope import Command
from contracts.errors import Rejected
from services.gateway.auth.requests import allowed
from services.gateway.domain.dispute_evidence import evidence_of, evidence_parts
from services.gateway.domain.operation import Operation, Outcome
from services.gateway.pages import page_response, render
from services.gateway.parts import Gateway, gateway_of
from services.gateway.routes.acting import asked
from services.gateway.routes.reading import one_of, read_body
from services.gateway.routes.replying import json_answer, list_answer, perform
from services.gateway.schemas.answers_disputes import DisputeList, DisputeView, EvidenceSubmissionBody
from services.gateway.schemas.bodies import EmptyBody
from services.gateway.schemas.describing import act, answers, problems, words_of
from services.gateway.schemas.views import money_view
from services.gateway.store.read_disputes import dispute_by_id, disputes, messages_to, records_of

DISPUTE_STATES = frozenset({"open", "won", "lost", "inquiry_closed"})
PAGE_EXAMPLE = '<!doctype html><html lang="en"><title>Evidence du_1Nexample</title></html>'
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The evidence as a page.",
        "content": {"text/html": {"schema": {"type": "string"}, "example": PAGE_EXAMPLE}},
    }
}

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
    summary="The evidence as a page that can be printed",
    response_class=Response,
    responses={**_PAGE, **problems(401, 403, 404)},
)
async def dispute_evidence(request: Request, dispute_id: UUID) -> Response:
    """The same fields as a person reads them."""
    await allowed(request, "dispute_evidence")
    row, evidence = await _gathered(gateway_of(request), dispute_id)
    facts = {"dispute": row["psp_dispute_id"], "hash": evidence.hash(), "parts": evidence_parts(evidence)}
    return page_response(render("dispute_evidence.html.j2", **facts))


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
    row, evidence = await _gathered(gateway, dispute_id)

    def commands(_: Operation) -> list[Command]:
        return [
            PrepareDisputeEvidence(campaign_id=row["campaign_id"], dispute_id=row["psp_dispute_id"], evidence=evidence)
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


async def _gathered(gateway: Gateway, dispute_id: UUID) -> tuple[Any, DisputeEvidence]:
    row = await _dispute(gateway, dispute_id)
    records = await records_of(gateway.reads, row["commitment_id"])
    if records is None:
        raise Rejected("not_found")
    messages = await messages_to(gateway.reads, records["participant_id"], row["campaign_id"])
    return row, evidence_of(records, messages)


async def _view(gateway: Gateway, dispute_id: UUID) -> dict[str, Any]:
    row, evidence = await _gathered(gateway, dispute_id)
    return _row_view(row) | {
        "psp_dispute_id": row["psp_dispute_id"],
        "reason": row["reason"],
        "evidence": evidence.model_dump(mode="json"),
        "evidence_hash": evidence.hash(),
        "prepared_hash": row["evidence_hash"],
        "prepared_by": row["prepared_by"],
        "submitted_by": row["submitted_by"],
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
