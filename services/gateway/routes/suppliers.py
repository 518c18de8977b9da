"""Suppliers: registration, invitations and their answers, dispatch and delivery, decisions on faults."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from contracts.envelope import Command
from contracts.errors import Rejected
from contracts.suppliers import (
    AcceptInvitation,
    DecideIssue,
    DeclineInvitation,
    RecordDelivery,
    RecordDispatch,
    RegisterSupplier,
)
from services.gateway.auth.identity import Identity
from services.gateway.auth.requests import allowed
from services.gateway.domain.operation import Operation, Outcome
from services.gateway.domain.words import INVITATION_WORDS
from services.gateway.parts import Gateway, gateway_of
from services.gateway.routes.acting import asked
from services.gateway.routes.reading import one_of, read_body
from services.gateway.routes.replying import list_answer, perform
from services.gateway.schemas.answers_commitments import IssueView, ShipmentView
from services.gateway.schemas.answers_staff import InvitationList, InvitationView, SupplierList, SupplierView
from services.gateway.schemas.bodies import (
    AcceptanceBody,
    DecisionBody,
    DeclineBody,
    DeliveryBody,
    DispatchBody,
    SupplierBody,
)
from services.gateway.schemas.describing import act, answers, words_of
from services.gateway.schemas.views import invitation_view, issue_view, supplier_view
from services.gateway.store.read_suppliers import (
    invitation_by_id,
    invitations,
    is_campaign_supplier,
    issue_by_id,
    supplier_by_id,
    suppliers,
)

STATES = frozenset(INVITATION_WORDS)

router = APIRouter(prefix="/v1", tags=["suppliers"])


@router.post(
    "/suppliers",
    summary="Record a supplier with its verified payout account",
    **act("register_supplier", SupplierBody, SupplierView),
)
async def register_supplier(request: Request) -> Response:
    """A given `supplier_id` is kept; without one the supplier gets a new id."""
    identity = await allowed(request, "register_supplier")
    body = await read_body(request, SupplierBody)
    gateway = gateway_of(request)

    def commands(operation: Operation) -> list[Command]:
        return [
            RegisterSupplier(
                supplier_id=operation.resource_id,
                display_name=body.display_name,
                payout_account_id=body.payout_account_id,
                tier=body.tier,
            )
        ]

    wanted = asked(request, identity, "register_supplier", body, commands, resource_id=body.supplier_id)

    async def present(_: Outcome) -> dict[str, Any]:
        row = await supplier_by_id(gateway.reads, body.supplier_id or wanted.created_id)
        if row is None:
            raise Rejected("supplier_unknown")
        return supplier_view(row)

    return await perform(request, wanted, present)


@router.get(
    "/suppliers",
    operation_id="suppliers_list",
    summary="The registered suppliers",
    responses=answers(SupplierList, 401, 403),
)
async def suppliers_list(request: Request) -> Response:
    """By name."""
    await allowed(request, "suppliers_list")
    return list_answer(await suppliers(gateway_of(request).reads), supplier_view)


@router.get(
    "/invitations",
    operation_id="invitations_list",
    summary="Invitations: a supplier's own, or all for staff",
    responses=answers(InvitationList, 401, 403, 422),
)
async def invitations_list(request: Request, state: Annotated[str | None, words_of(STATES)] = None) -> Response:
    """The newest first."""
    identity = await allowed(request, "invitations_list")
    rows = await invitations(
        gateway_of(request).reads,
        supplier_id=identity.supplier_id if identity.is_supplier else None,
        state=one_of(state, STATES, name="state"),
    )
    return list_answer(rows, invitation_view)


@router.post(
    "/invitations/{invitation_id}/acceptance",
    summary="Accept exactly the terms with this hash",
    **act("accept_invitation", AcceptanceBody, InvitationView),
)
async def accept_invitation(request: Request, invitation_id: UUID) -> Response:
    """From the supplier's own account, inside the acceptance window. It binds the terms."""
    identity = await allowed(request, "accept_invitation")
    body = await read_body(request, AcceptanceBody)
    campaign_id, supplier_id = await _own_invitation(gateway_of(request), invitation_id, identity)

    def commands(_: Operation) -> list[Command]:
        return [
            AcceptInvitation(
                campaign_id=campaign_id,
                invitation_id=invitation_id,
                supplier_id=supplier_id,
                terms_hash=body.terms_hash,
            )
        ]

    wanted = asked(
        request, identity, "accept_invitation", body, commands, resource_id=invitation_id, campaign_id=campaign_id
    )
    return await _answer_invitation(request, wanted, invitation_id, identity)


@router.post(
    "/invitations/{invitation_id}/decline",
    summary="Decline an invitation, with the reason",
    **act("decline_invitation", DeclineBody, InvitationView),
)
async def decline_invitation(request: Request, invitation_id: UUID) -> Response:
    """Without another supplier the campaign closes and everybody is refunded."""
    identity = await allowed(request, "decline_invitation")
    body = await read_body(request, DeclineBody)
    campaign_id, supplier_id = await _own_invitation(gateway_of(request), invitation_id, identity)

    def commands(_: Operation) -> list[Command]:
        return [
            DeclineInvitation(
                campaign_id=campaign_id, invitation_id=invitation_id, supplier_id=supplier_id, reason=body.reason
            )
        ]

    wanted = asked(
        request, identity, "decline_invitation", body, commands, resource_id=invitation_id, campaign_id=campaign_id
    )
    return await _answer_invitation(request, wanted, invitation_id, identity)


@router.post(
    "/campaigns/{campaign_id}/dispatches",
    summary="Record that commitments are dispatched",
    **act("record_dispatch", DispatchBody, ShipmentView),
)
async def record_dispatch(request: Request, campaign_id: UUID) -> Response:
    """By the campaign's supplier."""
    identity = await allowed(request, "record_dispatch")
    body = await read_body(request, DispatchBody)
    supplier_id = await _campaign_supplier(gateway_of(request), campaign_id, identity)

    def commands(_: Operation) -> list[Command]:
        return [
            RecordDispatch(
                campaign_id=campaign_id,
                supplier_id=supplier_id,
                commitment_ids=body.commitment_ids,
                tracking=body.tracking,
            )
        ]

    wanted = asked(
        request, identity, "record_dispatch", body, commands, resource_id=campaign_id, campaign_id=campaign_id
    )

    async def present(_: Outcome) -> dict[str, Any]:
        return {"campaign_id": campaign_id, "commitment_ids": list(body.commitment_ids), "event": "dispatched"}

    return await perform(request, wanted, present)


@router.post(
    "/campaigns/{campaign_id}/deliveries",
    summary="Record that commitments are delivered, with evidence",
    **act("record_delivery", DeliveryBody, ShipmentView),
)
async def record_delivery(request: Request, campaign_id: UUID) -> Response:
    """Each commitment's inspection begins with its own delivery."""
    identity = await allowed(request, "record_delivery")
    body = await read_body(request, DeliveryBody)
    supplier_id = await _campaign_supplier(gateway_of(request), campaign_id, identity)

    def commands(_: Operation) -> list[Command]:
        return [
            RecordDelivery(
                campaign_id=campaign_id,
                supplier_id=supplier_id,
                commitment_ids=body.commitment_ids,
                evidence=body.evidence,
            )
        ]

    wanted = asked(
        request, identity, "record_delivery", body, commands, resource_id=campaign_id, campaign_id=campaign_id
    )

    async def present(_: Outcome) -> dict[str, Any]:
        return {"campaign_id": campaign_id, "commitment_ids": list(body.commitment_ids), "event": "delivered"}

    return await perform(request, wanted, present)


@router.post(
    "/issues/{issue_id}/decision",
    summary="Decide on a reported fault",
    **act("decide_issue", DecisionBody, IssueView),
)
async def decide_issue(request: Request, issue_id: UUID) -> Response:
    """Upheld: the participant is refunded in full from what is still kept."""
    identity = await allowed(request, "decide_issue")
    body = await read_body(request, DecisionBody)
    gateway = gateway_of(request)
    issue = await issue_by_id(gateway.reads, issue_id)
    if issue is None:
        raise Rejected("not_found")

    def commands(_: Operation) -> list[Command]:
        return [
            DecideIssue(campaign_id=issue["campaign_id"], issue_id=issue_id, verdict=body.verdict, reason=body.reason)
        ]

    wanted = asked(
        request, identity, "decide_issue", body, commands, resource_id=issue_id, campaign_id=issue["campaign_id"]
    )

    async def present(_: Outcome) -> dict[str, Any]:
        row = await issue_by_id(gateway.reads, issue_id)
        if row is None:
            raise Rejected("issue_unknown")
        return issue_view(row, with_text=True)

    return await perform(request, wanted, present)


async def _own_invitation(gateway: Gateway, invitation_id: UUID, identity: Identity) -> tuple[UUID, UUID]:
    """The campaign and supplier of an own invitation. Raises Rejected(not_found) for anybody else's."""
    row = await invitation_by_id(gateway.reads, invitation_id, supplier_id=identity.supplier_id)
    if row is None:
        raise Rejected("not_found")
    return row["campaign_id"], row["supplier_id"]


async def _campaign_supplier(gateway: Gateway, campaign_id: UUID, identity: Identity) -> UUID:
    """The sender's supplier, invited to this campaign. Raises Rejected(not_found) for anybody else."""
    if identity.supplier_id is None or not await is_campaign_supplier(gateway.reads, campaign_id, identity.supplier_id):
        raise Rejected("not_found")
    return identity.supplier_id


async def _answer_invitation(request: Request, wanted: Any, invitation_id: UUID, identity: Identity) -> Response:
    gateway = gateway_of(request)

    async def present(_: Outcome) -> dict[str, Any]:
        row = await invitation_by_id(gateway.reads, invitation_id, supplier_id=identity.supplier_id)
        if row is None:
            raise Rejected("invitation_unknown")
        return invitation_view(row)

    return await perform(request, wanted, present)
