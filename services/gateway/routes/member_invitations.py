"""Invitations to the platform: issue, list, revoke, look at one's link, and use it with an account that exists."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.gateway.auth.requests import allowed
from services.gateway.middleware import traceparent_of
from services.gateway.parts import gateway_of
from services.gateway.routes.reading import read_body
from services.gateway.routes.replying import created_answer, json_answer
from services.gateway.schemas.answers_account import (
    MemberInvitationIssued,
    MemberInvitationList,
    MemberInvitationPreview,
    MemberInvitationRedeemed,
    MemberInvitationView,
)
from services.gateway.schemas.bodies_account import InvitationTokenBody, MemberInvitationBody
from services.gateway.schemas.describing import answers, body_of, created
from services.gateway.store.cursors import LIMIT_DEFAULT, LIMIT_MAX, cursor_after, page
from services.gateway.store.read_campaigns import campaign_title
from services.gateway.usecases.invite_members import (
    Wanted,
    invitation_view,
    issue_invitation,
    list_invitations,
    open_invitation,
    redeem_invitation,
    revoke_invitation,
)
from services.kit.clock import wall_now

router = APIRouter(prefix="/v1/member-invitations", tags=["accounts"])


@router.post(
    "",
    operation_id="member_invitations_issue",
    summary="Invite one person to the platform, and to one campaign if wanted",
    status_code=201,
    responses=created(MemberInvitationIssued, 400, 401, 403, 404, 409, 413, 422, 503),
    openapi_extra=body_of(MemberInvitationBody),
)
async def member_invitations_issue(request: Request) -> Response:
    """The token is shown once; the link to hand on is `/sign-up#` followed by it. Staff's go to `email` by mail, too."""
    identity = await allowed(request, "member_invitations_issue")
    body = await read_body(request, MemberInvitationBody)
    wanted = Wanted(
        role=body.role,
        supplier_id=body.supplier_id,
        campaign_id=body.campaign_id,
        valid_days=body.valid_days,
        email=body.email,
        note=body.note,
    )
    issued = await issue_invitation(gateway_of(request), identity, wanted, traceparent_of(request.scope))
    return created_answer(issued, at="/v1/member-invitations")


@router.get(
    "",
    operation_id="member_invitations_list",
    summary="Invitations: a participant's own, everybody's for those who admit people",
    responses=answers(MemberInvitationList, 400, 401, 403, 422, 503),
)
async def member_invitations_list(
    request: Request,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
) -> Response:
    """The newest first."""
    identity = await allowed(request, "member_invitations_list")
    gateway = gateway_of(request)
    rows, left = await list_invitations(gateway, identity, page(cursor, limit))
    shown, now = rows[:limit], wall_now()
    more = len(rows) > limit
    return json_answer(
        {
            "data": [invitation_view(gateway, row, identity, now=now) for row in shown],
            "next_cursor": cursor_after(shown[-1]["created_at"], shown[-1]["id"]) if more else None,
            "left": left,
        }
    )


@router.post(
    "/preview",
    operation_id="member_invitations_preview",
    summary="What an invitation opens",
    responses=answers(MemberInvitationPreview, 400, 404, 413, 422, 503),
    openapi_extra=body_of(InvitationTokenBody),
)
async def member_invitations_preview(request: Request) -> Response:
    """Nothing is used. The token travels in the body, so that no address and no log holds it."""
    body = await read_body(request, InvitationTokenBody)
    gateway = gateway_of(request)
    row = await open_invitation(gateway, body.token)
    title = await campaign_title(gateway.reads, row["campaign_id"]) if row["campaign_id"] else None
    return json_answer(
        {
            "role": row["role"],
            "campaign_id": row["campaign_id"],
            "campaign_title": title,
            "bound": row["bound"],
            "expires_at": row["expires_at"],
        }
    )


@router.post(
    "/redemption",
    operation_id="member_invitations_redeem",
    summary="Use an invitation to a campaign with your account",
    responses=answers(MemberInvitationRedeemed, 400, 401, 403, 404, 413, 422, 503),
    openapi_extra=body_of(InvitationTokenBody),
)
async def member_invitations_redeem(request: Request) -> Response:
    """The same person may repeat it; nobody else can use it afterwards."""
    identity = await allowed(request, "member_invitations_redeem")
    body = await read_body(request, InvitationTokenBody)
    campaign_id = await redeem_invitation(gateway_of(request), identity, body.token, traceparent_of(request.scope))
    return json_answer({"campaign_id": campaign_id})


@router.post(
    "/{member_invitation_id}/revocation",
    operation_id="member_invitations_revoke",
    summary="Revoke an invitation, and the admission it gave",
    responses=answers(MemberInvitationView, 400, 401, 403, 404, 503),
)
async def member_invitations_revoke(request: Request, member_invitation_id: UUID) -> Response:
    """What somebody has committed already stays theirs and stays visible to them."""
    identity = await allowed(request, "member_invitations_revoke")
    traceparent = traceparent_of(request.scope)
    return json_answer(await revoke_invitation(gateway_of(request), identity, member_invitation_id, traceparent))
