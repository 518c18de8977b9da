"""Clearing plans, the platform's own money, cases, and the overview of what waits for a person."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from contracts.cases import ResolveCase
from contracts.clearing import (
    ApproveClearingPlan,
    RetryPlanTransfer,
    SubmitClearingPlan,
    SubmitPlanByHand,
    TakePlanBack,
    WantedLine,
)
from contracts.envelope import Command
from contracts.errors import Rejected
from contracts.escrow import TopUpFloat
from services.gateway.auth.requests import allowed
from services.gateway.domain.operation import Operation, Outcome
from services.gateway.parts import Gateway, gateway_of
from services.gateway.routes.acting import asked
from services.gateway.routes.reading import one_of, read_body
from services.gateway.routes.replying import json_answer, list_answer, page_answer, perform
from services.gateway.schemas.answers_campaigns import CaseView
from services.gateway.schemas.answers_staff import CaseList, PlanLineList, PlanList, PlanView, StaffOverview, TopUpView
from services.gateway.schemas.bodies import ApprovalBody, CaseResolutionBody, EmptyBody, PlanBody, TopUpBody
from services.gateway.schemas.describing import act, answers, words_of
from services.gateway.schemas.views import case_view, issue_view, money_view, plan_line_view, plan_view, summary_view
from services.gateway.store.cursors import LIMIT_DEFAULT, LIMIT_MAX, Page, page
from services.gateway.store.read_campaigns import list_campaigns, waiting_for_plan
from services.gateway.store.read_staff import campaign_plans, case_by_id, cases, plan_by_id, plan_lines, plans_waiting
from services.gateway.store.read_suppliers import open_issues

CASE_STATES = frozenset({"open", "closed"})

router = APIRouter(prefix="/v1", tags=["staff"])


@router.post(
    "/campaigns/{campaign_id}/clearing-plans",
    summary="Make a plan for an act on money and submit it",
    **act("submit_clearing_plan", PlanBody, PlanView),
)
async def submit_clearing_plan(request: Request, campaign_id: UUID) -> Response:
    """The maker's submission is the first approval."""
    identity = await allowed(request, "submit_clearing_plan")
    body = await read_body(request, PlanBody)
    gateway = gateway_of(request)
    await gateway.visibility.check(campaign_id, identity)

    def commands(operation: Operation) -> list[Command]:
        return [_submission(body, campaign_id, operation.resource_id)]

    wanted = asked(request, identity, "submit_clearing_plan", body, commands, campaign_id=campaign_id)
    return await perform(request, wanted, _present_plan(gateway, wanted.created_id))


@router.get(
    "/campaigns/{campaign_id}/clearing-plans",
    operation_id="campaign_clearing_plans",
    summary="A campaign's clearing plans",
    responses=answers(PlanList, 401, 403, 404),
)
async def campaign_clearing_plans(request: Request, campaign_id: UUID) -> Response:
    """The newest first."""
    identity = await allowed(request, "campaign_clearing_plans")
    gateway = gateway_of(request)
    await gateway.visibility.check(campaign_id, identity)
    return list_answer(await campaign_plans(gateway.reads, campaign_id), plan_view)


@router.get(
    "/clearing-plans/{plan_id}",
    operation_id="clearing_plans_read",
    summary="One clearing plan",
    responses=answers(PlanView, 401, 403, 404),
)
async def clearing_plans_read(request: Request, plan_id: UUID) -> Response:
    """With its figures, its conditions and who decided."""
    await allowed(request, "clearing_plans_read")
    return json_answer(plan_view(await _plan(gateway_of(request), plan_id)))


@router.get(
    "/clearing-plans/{plan_id}/lines",
    operation_id="clearing_plan_lines",
    summary="The lines of a plan, each with its account before and after",
    responses=answers(PlanLineList, 400, 401, 403, 404, 422),
)
async def clearing_plan_lines(
    request: Request,
    plan_id: UUID,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
) -> Response:
    """As escrow computed them when the plan was submitted."""
    await allowed(request, "clearing_plan_lines")
    gateway = gateway_of(request)
    await _plan(gateway, plan_id)
    rows = await plan_lines(gateway.reads, plan_id, page=page(cursor, limit))
    return page_answer(rows, limit=limit, view=plan_line_view, moment="told_at")


@router.post(
    "/clearing-plans/{plan_id}/approval",
    summary="Approve exactly the plan with this hash, as the second person",
    **act("approve_clearing_plan", ApprovalBody, PlanView),
)
async def approve_clearing_plan(request: Request, plan_id: UUID) -> Response:
    """The maker cannot approve an own plan."""
    identity = await allowed(request, "approve_clearing_plan")
    body = await read_body(request, ApprovalBody)
    gateway = gateway_of(request)
    campaign_id = (await _plan(gateway, plan_id))["campaign_id"]

    def commands(_: Operation) -> list[Command]:
        return [ApproveClearingPlan(campaign_id=campaign_id, plan_id=plan_id, plan_hash=body.plan_hash)]

    wanted = asked(
        request, identity, "approve_clearing_plan", body, commands, resource_id=plan_id, campaign_id=campaign_id
    )
    return await perform(request, wanted, _present_plan(gateway, plan_id))


@router.post(
    "/clearing-plans/{plan_id}/withdrawal",
    summary="Take back an own plan that nobody has approved yet",
    **act("take_plan_back", EmptyBody, PlanView),
)
async def take_plan_back(request: Request, plan_id: UUID) -> Response:
    """It stays in the list as stopped, with who made it and that it was taken back."""
    identity = await allowed(request, "take_plan_back")
    body = await read_body(request, EmptyBody)
    gateway = gateway_of(request)
    campaign_id = (await _plan(gateway, plan_id))["campaign_id"]

    def commands(_: Operation) -> list[Command]:
        return [TakePlanBack(campaign_id=campaign_id, plan_id=plan_id)]

    wanted = asked(request, identity, "take_plan_back", body, commands, resource_id=plan_id, campaign_id=campaign_id)
    return await perform(request, wanted, _present_plan(gateway, plan_id))


@router.post(
    "/clearing-plans/{plan_id}/transfer-retry",
    summary="Try a refused transfer again, after its cause was mended",
    **act("retry_plan_transfer", EmptyBody, PlanView),
)
async def retry_plan_transfer(request: Request, plan_id: UUID) -> Response:
    """200 once the funds are released."""
    identity = await allowed(request, "retry_plan_transfer")
    body = await read_body(request, EmptyBody)
    gateway = gateway_of(request)
    plan = await _plan(gateway, plan_id)

    def commands(_: Operation) -> list[Command]:
        return [RetryPlanTransfer(campaign_id=plan["campaign_id"], plan_id=plan_id)]

    wanted = asked(
        request, identity, "retry_plan_transfer", body, commands,
        resource_id=plan_id, campaign_id=plan["campaign_id"], baseline=plan["refused_transfers"] or 0,
    )  # fmt: skip
    return await perform(request, wanted, _present_plan(gateway, plan_id))


@router.get(
    "/cases",
    operation_id="cases_list",
    summary="Cases: what needs a person",
    responses=answers(CaseList, 401, 403, 422),
)
async def cases_list(request: Request, state: Annotated[str | None, words_of(CASE_STATES)] = None) -> Response:
    """The newest first."""
    await allowed(request, "cases_list")
    found = await cases(gateway_of(request).reads, state=one_of(state, CASE_STATES, name="state"))
    return list_answer(found, case_view)


@router.post(
    "/cases/{case_id}/resolution",
    summary="Say what was found about a case that nothing closes by itself",
    **act("resolve_case", CaseResolutionBody, CaseView),
)
async def resolve_case(request: Request, case_id: UUID) -> Response:
    """Closes it; a case that blocks stays open until a second, different escrow auditor has given a resolution too."""
    identity = await allowed(request, "resolve_case")
    body = await read_body(request, CaseResolutionBody)
    gateway = gateway_of(request)
    case = await _case(gateway, case_id)
    if case["service"] != ResolveCase.service:
        raise Rejected("case_ends_otherwise", kind=case["kind"])

    def commands(_: Operation) -> list[Command]:
        return [
            ResolveCase(scope_id=case["scope"], case_id=case_id, resolution=body.resolution, evidence=body.evidence)
        ]

    async def present(_: Outcome) -> dict[str, Any]:
        return case_view(await _case(gateway, case_id))

    return await perform(
        request, asked(request, identity, "resolve_case", body, commands, resource_id=case_id), present
    )


@router.post(
    "/float/top-ups",
    summary="Add the platform's own money beside the participants' funds",
    **act("top_up_float", TopUpBody, TopUpView),
)
async def top_up_float(request: Request) -> Response:
    """So that what is owed stays covered beside the payment processor's fees."""
    identity = await allowed(request, "top_up_float")
    body = await read_body(request, TopUpBody)

    def commands(operation: Operation) -> list[Command]:
        return [
            TopUpFloat(
                top_up_id=operation.resource_id,
                amount_minor=body.amount.amount,
                currency=body.amount.currency.lower(),
            )
        ]

    wanted = asked(request, identity, "top_up_float", body, commands)

    async def present(_: Outcome) -> dict[str, Any]:
        return {
            "id": wanted.created_id,
            "amount": money_view(body.amount.amount, body.amount.currency),
            "state": "done",
        }

    return await perform(request, wanted, present)


@router.get(
    "/staff/overview",
    operation_id="staff_overview",
    summary="What waits for a person",
    responses=answers(StaffOverview, 401, 403),
)
async def staff_overview(request: Request) -> Response:
    """Reviews, plans for a second approval, reported faults, open cases, campaigns ready for a plan."""
    identity = await allowed(request, "staff_overview")
    reads = gateway_of(request).reads
    reviews = await list_campaigns(reads, identity, states=["IN_REVIEW"], page=Page(LIMIT_MAX))
    return json_answer(
        {
            "reviews": [summary_view(row) for row in reviews],
            "plans": [plan_view(row) for row in await plans_waiting(reads)],
            "issues": [issue_view(row, with_text=True) for row in await open_issues(reads)],
            "cases": [case_view(row) for row in await cases(reads, state="open")],
            "ready_for_plan": [summary_view(row) for row in await waiting_for_plan(reads)],
        }
    )


def _submission(body: PlanBody, campaign_id: UUID, plan_id: UUID) -> Command:
    if body.kind in ("release", "reserve_release"):
        return SubmitClearingPlan(campaign_id=campaign_id, plan_id=plan_id, plan_kind=body.kind, reason=body.reason)
    return SubmitPlanByHand(
        campaign_id=campaign_id,
        plan_id=plan_id,
        plan_kind=body.kind,
        reason=body.reason,
        reason_code=body.reason_code,
        lines=tuple(
            WantedLine(commitment_id=line.commitment_id, amount_minor=line.amount.amount) for line in body.lines
        ),
        currency=body.currency,
        evidence=body.evidence,
        target_plan_id=body.target_plan_id,
        target_position=body.target_position,
    )


async def _case(gateway: Gateway, case_id: UUID) -> Any:
    row = await case_by_id(gateway.reads, case_id)
    if row is None:
        raise Rejected("not_found")
    return row


async def _plan(gateway: Gateway, plan_id: UUID) -> Any:
    row = await plan_by_id(gateway.reads, plan_id)
    if row is None:
        raise Rejected("not_found")
    return row


def _present_plan(gateway: Gateway, plan_id: UUID) -> Any:
    async def present(_: Outcome) -> dict[str, Any]:
        return plan_view(await _plan(gateway, plan_id))

    return present
