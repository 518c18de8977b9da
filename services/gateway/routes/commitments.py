"""Commitments: joining a campaign, paying with another card, leaving, reporting a fault, and reading one's own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from contracts.campaigns import CommitFunds, WithdrawCommitment
from contracts.envelope import Command
from contracts.errors import Rejected
from contracts.escrow import UsePaymentMethod
from contracts.suppliers import ReportIssue
from services.gateway.auth.identity import Identity
from services.gateway.auth.requests import allowed, is_own_origin, lacks_factor, own_origin, signed_in
from services.gateway.domain.operation import Operation, Outcome
from services.gateway.domain.words import COMMITMENT_WORDS
from services.gateway.parts import Gateway, gateway_of
from services.gateway.problems import FieldError, ProblemError
from services.gateway.routes.acting import asked
from services.gateway.routes.reading import one_of, read_body
from services.gateway.routes.replying import json_answer, list_answer, page_answer, perform
from services.gateway.schemas.answers_commitments import (
    CommitmentList,
    CommitmentRowList,
    CommitmentView,
    IssueList,
    IssueView,
)
from services.gateway.schemas.bodies import CommitBody, EmptyBody, IssueBody, PaymentBody
from services.gateway.schemas.describing import act, answers, words_of
from services.gateway.schemas.views import commitment_row_view, commitment_view, issue_view
from services.gateway.store.cursors import LIMIT_DEFAULT, LIMIT_MAX, page
from services.gateway.store.read_commitments import campaign_commitments, own_commitments, visible_commitment
from services.gateway.store.read_suppliers import campaign_issues, is_campaign_supplier, issue_by_id
from services.gateway.usecases.freeze_addresses import check_named

STATES = frozenset(COMMITMENT_WORDS)

router = APIRouter(prefix="/v1", tags=["commitments"])


@router.post(
    "/campaigns/{campaign_id}/commitments",
    summary="Join a campaign and commit funds to escrow",
    **act("commit_funds", CommitBody, CommitmentView, 402),
)
async def commit_funds(request: Request, campaign_id: UUID) -> Response:
    """Reserve units and pay for them. 201 only once the funds are held and the read model shows it."""
    identity = await allowed(request, "commit_funds")
    if lacks_factor(request, identity):
        raise Rejected("passkey_required")
    body = await read_body(request, CommitBody)
    gateway = gateway_of(request)
    check_named(body.address_id, needed=await gateway.visibility.check(campaign_id, identity))

    def commands(operation: Operation) -> list[Command]:
        commitment_id = operation.resource_id
        return [
            CommitFunds(
                campaign_id=campaign_id,
                commitment_id=commitment_id,
                participant_id=identity.subject_id,
                quantity=body.quantity,
                terms_hash=body.terms_hash,
            ),
            UsePaymentMethod(
                campaign_id=campaign_id,
                commitment_id=commitment_id,
                participant_id=identity.subject_id,
                confirmation_token=body.confirmation_token,
                return_url=return_url,
            ),
        ]

    wanted = asked(
        request, identity, "commit_funds", body, commands, campaign_id=campaign_id, address_id=body.address_id
    )
    return_url = _return_url(request, body.return_url, wanted.created_id)
    # A repeat of an accepted join is told what became of it, whatever holds now.
    if await gateway.joining_pause.holds() and not await gateway.acts.is_known(wanted):
        raise Rejected("collections_paused")
    return await perform(request, wanted, _present_commitment(gateway, identity, wanted.created_id))


@router.get(
    "/commitments",
    operation_id="commitments_list",
    summary="Your commitments, the newest first",
    responses=answers(CommitmentList, 400, 401, 403, 422),
)
async def commitments_list(
    request: Request,
    state: Annotated[str | None, words_of(STATES)] = None,
    campaign_id: UUID | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
) -> Response:
    """Each with one sentence that says where the money is now."""
    identity = await allowed(request, "commitments_list")
    gateway = gateway_of(request)
    rows = await own_commitments(
        gateway.reads,
        identity.subject_id,
        state=one_of(state, STATES, name="state"),
        campaign_id=campaign_id,
        page=page(cursor, limit),
    )
    return page_answer(rows, limit=limit, view=_view_for(gateway, identity), moment="created_at")


@router.get(
    "/commitments/{commitment_id}",
    operation_id="commitments_read",
    summary="One of your commitments",
    responses=answers(CommitmentView, 401, 404),
)
async def commitments_read(request: Request, commitment_id: UUID) -> Response:
    """The commitment with its payment, refund, delivery, and what you can do now."""
    identity = await signed_in(request)
    gateway = gateway_of(request)
    row = await _own(gateway, commitment_id, identity)
    return json_answer(_view_for(gateway, identity)(row))


@router.post(
    "/commitments/{commitment_id}/payment",
    summary="Use another card for a reservation that waits for its funds",
    **act("pay_commitment", PaymentBody, CommitmentView, 402),
)
async def pay_commitment(request: Request, commitment_id: UUID) -> Response:
    """Nothing was charged by the card that was declined."""
    identity = await allowed(request, "pay_commitment")
    body = await read_body(request, PaymentBody)
    gateway = gateway_of(request)
    row = await _own(gateway, commitment_id, identity)
    return_url = _return_url(request, body.return_url, commitment_id)

    def commands(operation: Operation) -> list[Command]:
        return [
            UsePaymentMethod(
                campaign_id=row["campaign_id"],
                commitment_id=commitment_id,
                participant_id=identity.subject_id,
                confirmation_token=body.confirmation_token,
                return_url=return_url,
                attempt=operation.attempt,
            )
        ]

    wanted = asked(
        request, identity, "pay_commitment", body, commands,
        resource_id=commitment_id, campaign_id=row["campaign_id"],
    )  # fmt: skip
    return await perform(request, wanted, _present_commitment(gateway, identity, commitment_id))


@router.post(
    "/commitments/{commitment_id}/withdrawal",
    summary="Leave a campaign before it closes for joining: full refund, no question",
    **act("withdraw_commitment", EmptyBody, CommitmentView),
)
async def withdraw_commitment(request: Request, commitment_id: UUID) -> Response:
    """The refund is decided at once; the answer says where the money is."""
    identity = await allowed(request, "withdraw_commitment")
    body = await read_body(request, EmptyBody)
    gateway = gateway_of(request)
    row = await _own(gateway, commitment_id, identity)

    def commands(_: Operation) -> list[Command]:
        return [
            WithdrawCommitment(
                campaign_id=row["campaign_id"], commitment_id=commitment_id, participant_id=identity.subject_id
            )
        ]

    wanted = asked(
        request, identity, "withdraw_commitment", body, commands,
        resource_id=commitment_id, campaign_id=row["campaign_id"],
    )  # fmt: skip
    return await perform(request, wanted, _present_commitment(gateway, identity, commitment_id))


@router.post(
    "/commitments/{commitment_id}/issues",
    summary="Report a fault inside the inspection window",
    **act("report_issue", IssueBody, IssueView),
)
async def report_issue(request: Request, commitment_id: UUID) -> Response:
    """The description stays with the gateway and the suppliers service; events carry its digest only."""
    identity = await allowed(request, "report_issue")
    body = await read_body(request, IssueBody)
    gateway = gateway_of(request)
    row = await _own(gateway, commitment_id, identity)

    def commands(operation: Operation) -> list[Command]:
        return [
            ReportIssue(
                campaign_id=row["campaign_id"],
                commitment_id=commitment_id,
                participant_id=identity.subject_id,
                issue_id=operation.resource_id,
                description_digest=hashlib.sha256(body.description.encode()).hexdigest(),
                photo_digests=body.photo_digests,
            )
        ]

    wanted = asked(
        request, identity, "report_issue", body, commands,
        campaign_id=row["campaign_id"], issue_text=body.description,
    )  # fmt: skip

    async def present(_: Outcome) -> dict[str, Any]:
        issue = await issue_by_id(gateway.reads, wanted.created_id)
        if issue is None:
            raise Rejected("issue_unknown")
        return issue_view(issue, with_text=True)

    return await perform(request, wanted, present)


@router.get(
    "/campaigns/{campaign_id}/commitments",
    operation_id="campaign_commitments",
    summary="The commitments of a campaign, for staff and its supplier",
    responses=answers(CommitmentRowList, 400, 401, 403, 404, 422),
)
async def campaign_commitments_list(
    request: Request,
    campaign_id: UUID,
    state: Annotated[str | None, words_of(STATES)] = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
) -> Response:
    """Without who made them; amounts are for staff."""
    identity = await _campaign_reader(request, campaign_id, "campaign_commitments")
    rows = await campaign_commitments(
        gateway_of(request).reads,
        campaign_id,
        state=one_of(state, STATES, name="state"),
        page=page(cursor, limit),
    )
    return page_answer(
        rows,
        limit=limit,
        view=lambda row: commitment_row_view(row, with_money=identity.is_staff),
        moment="created_at",
    )


@router.get(
    "/campaigns/{campaign_id}/issues",
    operation_id="campaign_issues",
    summary="The reported faults of a campaign, for staff and its supplier",
    responses=answers(IssueList, 401, 403, 404),
)
async def campaign_issues_list(request: Request, campaign_id: UUID) -> Response:
    """Their texts are for staff."""
    identity = await _campaign_reader(request, campaign_id, "campaign_issues")
    rows = await campaign_issues(gateway_of(request).reads, campaign_id)
    return list_answer(rows, lambda row: issue_view(row, with_text=identity.is_staff))


async def _campaign_reader(request: Request, campaign_id: UUID, operation: str) -> Identity:
    """Staff, or the supplier that was invited to this campaign. Raises Rejected."""
    identity = await allowed(request, operation)
    gateway = gateway_of(request)
    await gateway.visibility.check(campaign_id, identity)
    if identity.is_supplier and not await is_campaign_supplier(gateway.reads, campaign_id, identity.supplier_id):
        raise Rejected("not_found")
    return identity


async def _own(gateway: Gateway, commitment_id: UUID, identity: Identity) -> Mapping[str, Any]:
    if identity.is_supplier:
        raise Rejected("not_found")
    participant_id = None if identity.is_staff else identity.subject_id
    row = await visible_commitment(gateway.reads, commitment_id, participant_id=participant_id)
    if row is None:
        raise Rejected("not_found")
    return row


def _view_for(gateway: Gateway, identity: Identity) -> Any:
    def view(row: Mapping[str, Any]) -> dict[str, Any]:
        own = row["participant_id"] == identity.subject_id
        return commitment_view(row, redirect_url=gateway.redirects.url_of(row["id"]) if own else None)

    return view


def _present_commitment(gateway: Gateway, identity: Identity, commitment_id: UUID) -> Any:
    async def present(outcome: Outcome) -> dict[str, Any]:
        row = outcome.row or await _own(gateway, commitment_id, identity)
        view: dict[str, Any] = _view_for(gateway, identity)(row)
        return view

    return present


def _return_url(request: Request, wanted: str | None, commitment_id: UUID) -> str:
    """Where the bank sends the browser back to: an address of ours, so that nobody is led elsewhere in our name."""
    if wanted is None:
        return f"{own_origin(request)}/commitments/{commitment_id}"
    parts = urlsplit(wanted)
    if parts.scheme not in {"http", "https"} or not is_own_origin(request, f"{parts.scheme}://{parts.netloc}"):
        raise ProblemError(
            "validation_failed",
            errors=[FieldError("/return_url", "The address must belong to this site.", "foreign_address")],
        )
    return wanted
