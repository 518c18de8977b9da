"""Campaigns: lists, pages, live progress, and the acts of staff that move them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from contracts.campaigns import DraftCampaign, ReviewCampaign, ReviseDraft, SignOffFailure, SubmitCampaign
from contracts.envelope import Command
from contracts.errors import Rejected
from contracts.terms import CAMPAIGN_STATES, content_digest
from services.gateway.auth.identity import Identity
from services.gateway.auth.requests import allowed, identify, identity_of
from services.gateway.domain.operation import Operation, Outcome
from services.gateway.parts import Gateway, gateway_of
from services.gateway.problems import ProblemError
from services.gateway.routes.acting import asked
from services.gateway.routes.reading import one_of, read_body
from services.gateway.routes.replying import json_answer, page_answer, perform
from services.gateway.routes.versions import check_version, etag_of, read_answer, stale, wanted_version, with_etag
from services.gateway.schemas.answers_campaigns import CampaignList, CampaignView, ProgressView
from services.gateway.schemas.bodies import CampaignBody, EmptyBody, ReviewBody, SignOffBody
from services.gateway.schemas.describing import act, answers, versioned_read, words_of
from services.gateway.schemas.views import campaign_view, case_view, progress_view, staff_view, summary_view
from services.gateway.store.cursors import LIMIT_DEFAULT, LIMIT_MAX, page
from services.gateway.store.read_campaigns import list_campaigns, visible_campaign, visible_progress
from services.gateway.store.read_staff import cases
from services.gateway.usecases.accept_act import Act
from services.gateway.usecases.stream_progress import Watcher

KEEPALIVE_SECONDS = 15.0

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])


async def present_campaign(gateway: Gateway, campaign_id: UUID, identity: Identity | None) -> dict[str, Any]:
    """A campaign's page as this person sees it. Raises Rejected(not_found)."""
    row = await visible_campaign(gateway.reads, campaign_id, identity)
    if row is None:
        raise Rejected("not_found")
    staff = None
    if identity is not None and identity.is_staff:
        found = await cases(gateway.reads, state=None, scope=str(campaign_id))
        staff = staff_view(row, [case_view(case) for case in found])
    return campaign_view(row, staff=staff)


@router.get(
    "",
    operation_id="campaigns_list",
    summary="Campaigns that you may see, the newest first",
    responses=answers(CampaignList, 400, 422),
)
async def campaigns_list(
    request: Request,
    state: Annotated[str | None, words_of(CAMPAIGN_STATES)] = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
) -> Response:
    """A part of the list; `state` filters by one state."""
    identity = await identify(request)
    one_of(state, frozenset(CAMPAIGN_STATES), name="state")
    rows = await list_campaigns(
        gateway_of(request).reads, identity, states=[state] if state else None, page=page(cursor, limit)
    )
    return page_answer(rows, limit=limit, view=summary_view, moment="drafted_at")


@router.post("", summary="Record a campaign draft", **act("draft_campaign", CampaignBody, CampaignView))
async def draft_campaign(request: Request) -> Response:
    """The sender becomes the campaign's author and cannot review it."""
    identity = await allowed(request, "draft_campaign")
    body = await read_body(request, CampaignBody)

    def commands(operation: Operation) -> list[Command]:
        return [
            DraftCampaign(
                campaign_id=operation.resource_id,
                product=body.product,
                terms=body.terms,
                supplier_ids=body.supplier_ids,
                visibility=body.visibility,
                readiness=body.readiness,
            )
        ]

    wanted = asked(request, identity, "draft_campaign", body, commands)
    return await _answer_campaign(request, wanted, identity)


@router.get(
    "/{campaign_id}",
    operation_id="campaigns_read",
    summary="A campaign's page: terms, progress, money, what can go wrong",
    **versioned_read(CampaignView, 404),
)
async def campaigns_read(request: Request, campaign_id: UUID) -> Response:
    """Everything a campaign's page shows, as this person sees it."""
    identity = await identify(request)
    return read_answer(request, json_answer(await present_campaign(gateway_of(request), campaign_id, identity)))


@router.put(
    "/{campaign_id}",
    summary="Replace what an own draft says",
    **act("revise_draft", CampaignBody, CampaignView, 412, 428, versioned=True),
)
async def revise_draft(request: Request, campaign_id: UUID) -> Response:
    """By its author, while it is a draft. `If-Match` names the version that was read; a repeat of an accepted request is
    answered like the first. Readiness answers that are not given stay as they are."""
    identity = await allowed(request, "revise_draft")
    body = await read_body(request, CampaignBody)
    gateway = gateway_of(request)
    row = await visible_campaign(gateway.reads, campaign_id, identity)
    if row is None:
        raise Rejected("not_found")
    if row["author_id"] != str(identity.subject_id):
        raise Rejected("not_allowed")
    based_on = content_digest(
        product=row["product"], terms=row["terms"], supplier_ids=row["supplier_ids"], visibility=row["visibility"]
    )

    def commands(_: Operation) -> list[Command]:
        return [ReviseDraft(campaign_id=campaign_id, based_on=based_on, **dict(body))]

    wanted = asked(request, identity, "revise_draft", body, commands, resource_id=campaign_id, campaign_id=campaign_id)
    version = wanted_version(request)
    if not await gateway.acts.is_known(wanted):
        check_version(version, await _etag(gateway, campaign_id, identity))
    try:
        answer = await _answer_campaign(request, wanted, identity)
    except ProblemError as problem:
        if problem.code != "version_stale":
            raise
        # The author's other request was first; the versions are told as those the author knows.
        raise stale(version, await _etag(gateway, campaign_id, identity)) from problem
    return with_etag(answer) if answer.status_code == HTTPStatus.OK else answer


async def _etag(gateway: Gateway, campaign_id: UUID, identity: Identity) -> str:
    return etag_of(bytes(json_answer(await present_campaign(gateway, campaign_id, identity)).body))


@router.post(
    "/{campaign_id}/submission",
    summary="Submit a draft for review",
    **act("submit_campaign", EmptyBody, CampaignView),
)
async def submit_campaign(request: Request, campaign_id: UUID) -> Response:
    """The terms are frozen by their hash."""
    identity = await allowed(request, "submit_campaign")
    body = await read_body(request, EmptyBody)
    await gateway_of(request).visibility.check(campaign_id, identity)
    wanted = asked(
        request, identity, "submit_campaign", body,
        lambda _: [SubmitCampaign(campaign_id=campaign_id)], resource_id=campaign_id, campaign_id=campaign_id,
    )  # fmt: skip
    return await _answer_campaign(request, wanted, identity)


@router.post(
    "/{campaign_id}/review",
    summary="Decide on a campaign in review",
    **act("review_campaign", ReviewBody, CampaignView),
)
async def review_campaign(request: Request, campaign_id: UUID) -> Response:
    """Accept, accept with constraints, defer, or reject; the reviewer is not the author."""
    identity = await allowed(request, "review_campaign")
    body = await read_body(request, ReviewBody)
    await gateway_of(request).visibility.check(campaign_id, identity)

    def commands(_: Operation) -> list[Command]:
        return [
            ReviewCampaign(
                campaign_id=campaign_id,
                decision=body.decision,
                reason=body.reason,
                answers=body.answers,
                constraints=body.constraints,
            )
        ]

    wanted = asked(
        request, identity, "review_campaign", body, commands, resource_id=campaign_id, campaign_id=campaign_id
    )
    return await _answer_campaign(request, wanted, identity)


@router.post(
    "/{campaign_id}/failure-sign-offs",
    summary="Sign off that fulfillment was not completed",
    **act("sign_off_failure", SignOffBody, CampaignView),
)
async def sign_off_failure(request: Request, campaign_id: UUID) -> Response:
    """One of three sign-offs by three people; the role is the sender's own."""
    identity = await allowed(request, "sign_off_failure")
    body = await read_body(request, SignOffBody)
    if body.role != identity.role:
        raise Rejected("not_allowed", role=identity.role)
    await gateway_of(request).visibility.check(campaign_id, identity)
    wanted = asked(
        request, identity, "sign_off_failure", body,
        lambda _: [SignOffFailure(campaign_id=campaign_id, role=body.role, reason=body.reason)],
        resource_id=campaign_id, campaign_id=campaign_id,
    )  # fmt: skip
    return await _answer_campaign(request, wanted, identity)


@router.get(
    "/{campaign_id}/events",
    operation_id="campaigns_progress",
    summary="A campaign's progress as server-sent events",
    response_class=StreamingResponse,
    responses=answers(ProgressView, 404, 503),
    openapi_extra={
        "parameters": [
            {
                "name": "Last-Event-ID",
                "in": "header",
                "required": False,
                "description": "The id of the newest event that is known; browsers send it by themselves.",
                "schema": {"type": "string", "pattern": "^[0-9]{1,18}$", "examples": ["7"]},
            }
        ]
    },
)
async def campaigns_progress(request: Request, campaign_id: UUID) -> Response:
    """The figures at once, then on every change; nothing is sent that `Last-Event-ID` says is known."""
    identity = await identify(request)
    gateway = gateway_of(request)
    row = await visible_progress(gateway.reads, campaign_id, identity)
    if row is None:
        raise Rejected("not_found")
    watcher = gateway.progress.open(campaign_id)
    watcher.newest = row
    watcher.changed.set()
    known = request.headers.get("last-event-id", "")
    seen = int(known) if known.isascii() and known.isdigit() and len(known) < 19 else -1
    return StreamingResponse(
        _progress_events(request, gateway, watcher, seen),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _progress_events(request: Request, gateway: Gateway, watcher: Watcher, seen: int) -> AsyncIterator[bytes]:
    try:
        while not gateway.progress.stopping:
            try:
                await asyncio.wait_for(watcher.changed.wait(), timeout=KEEPALIVE_SECONDS)
            except TimeoutError:
                if not await _still_visible(request, gateway, watcher.campaign_id):
                    return
                yield KEEPALIVE_COMMENT
                continue
            watcher.changed.clear()
            row = watcher.newest
            if row is not None and row["seq"] > seen:
                seen = row["seq"]
                yield _progress_event(row)
    finally:
        gateway.progress.close(watcher)


async def _still_visible(request: Request, gateway: Gateway, campaign_id: UUID) -> bool:
    """Whether the viewer may still see it: a session that ended ends its streams too."""
    return await visible_progress(gateway.reads, campaign_id, await identity_of(request)) is not None


def _progress_event(row: Mapping[str, Any]) -> bytes:
    data = json.dumps(progress_view(row), default=str, separators=(",", ":"))
    return format_sse_event(event="progress", id=str(row["seq"]), data_str=data)


async def _answer_campaign(request: Request, wanted: Act, identity: Identity) -> Response:
    gateway = gateway_of(request)

    async def present(_: Outcome) -> dict[str, Any]:
        return await present_campaign(gateway, wanted.resource_id or wanted.created_id, identity)

    return await perform(request, wanted, present)
