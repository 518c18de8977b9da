"""Addresses: a person's own, the frozen one of a commitment, and where a campaign's supplier delivers to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from contracts.errors import Rejected
from services.gateway.auth.person_keys import opened_key
from services.gateway.auth.requests import allowed
from services.gateway.middleware import traceparent_of
from services.gateway.parts import gateway_of
from services.gateway.routes.reading import read_body
from services.gateway.routes.replying import created_answer, json_answer, page_answer
from services.gateway.routes.versions import check_version, etag_of, read_answer, wanted_version, with_etag
from services.gateway.schemas.answers_addresses import (
    AddressList,
    AddressView,
    DeliveryAddressList,
    FrozenAddressView,
)
from services.gateway.schemas.bodies_addresses import AddressBody
from services.gateway.schemas.describing import IF_MATCH, answers, body_of, created, problems, versioned_read
from services.gateway.store.addresses import copies_to_deliver
from services.gateway.store.cursors import LIMIT_DEFAULT, LIMIT_MAX, page
from services.gateway.store.read_commitments import own_commitment
from services.gateway.store.read_suppliers import is_campaign_supplier
from services.gateway.usecases.keep_addresses import (
    View,
    add_address,
    change_address,
    own_addresses,
    postal,
    read_address,
    read_copy,
    remove_address,
)

router = APIRouter(prefix="/v1", tags=["addresses"])


@router.get(
    "/me/addresses",
    operation_id="addresses_list",
    summary="Your addresses",
    responses=answers(AddressList, 401, 403),
)
async def addresses_list(request: Request) -> Response:
    """All of them, the default first."""
    identity = await allowed(request, "addresses_list")
    gateway = gateway_of(request)
    own_key = gateway.settings.people_key_gateway.get_secret_value()
    async with gateway.engine.connect() as connection:
        found = await own_addresses(connection, own_key, identity.subject_id)
    return json_answer({"data": found, "next_cursor": None})


@router.post(
    "/me/addresses",
    operation_id="addresses_add",
    summary="Add an address",
    status_code=201,
    responses=created(AddressView, 400, 401, 403, 409, 413, 422),
    openapi_extra=body_of(AddressBody),
)
async def addresses_add(request: Request) -> Response:
    """Any address in the United States can be kept; the answer says whether campaigns deliver there. The first one becomes
    the default."""
    identity = await allowed(request, "addresses_add")
    body = await read_body(request, AddressBody)
    made = await add_address(gateway_of(request), identity, body, traceparent_of(request.scope))
    return with_etag(created_answer(made, at=f"/v1/me/addresses/{made['id']}"))


@router.get(
    "/me/addresses/{address_id}",
    operation_id="addresses_read",
    summary="One of your addresses",
    **versioned_read(AddressView, 401, 403, 404),
)
async def addresses_read(request: Request, address_id: UUID) -> Response:
    """With its version, which a change names."""
    identity = await allowed(request, "addresses_read")
    return read_answer(request, json_answer(await read_address(gateway_of(request), identity, address_id)))


@router.put(
    "/me/addresses/{address_id}",
    operation_id="addresses_change",
    summary="Change an address",
    responses=answers(AddressView, 400, 401, 403, 404, 412, 413, 422, 428),
    openapi_extra=body_of(AddressBody) | {"parameters": [IF_MATCH]},
)
async def addresses_change(request: Request, address_id: UUID) -> Response:
    """`If-Match` names the version that was read. Commitments that were made before keep the address that they were made
    with. The default stays one until another address becomes it."""
    identity = await allowed(request, "addresses_change")
    body = await read_body(request, AddressBody)
    changed = await change_address(
        gateway_of(request),
        identity,
        address_id,
        body,
        check=partial(_check, wanted_version(request)),
        traceparent=traceparent_of(request.scope),
    )
    return with_etag(json_answer(changed))


@router.delete(
    "/me/addresses/{address_id}",
    operation_id="addresses_remove",
    summary="Remove an address",
    status_code=204,
    responses=problems(401, 403, 404),
)
async def addresses_remove(request: Request, address_id: UUID) -> Response:
    """Commitments keep the address that they were made with. When it was the default, the oldest other one becomes it."""
    identity = await allowed(request, "addresses_remove")
    await remove_address(gateway_of(request), identity, address_id, traceparent_of(request.scope))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.get(
    "/commitments/{commitment_id}/delivery-address",
    operation_id="commitments_delivery_address",
    summary="The address that a commitment of yours was made with",
    responses=answers(FrozenAddressView, 401, 403, 404),
)
async def commitments_delivery_address(request: Request, commitment_id: UUID) -> Response:
    """As it was then, whatever became of the address since; null where the terms deliver to a hand-over point."""
    identity = await allowed(request, "commitments_delivery_address")
    gateway = gateway_of(request)
    await own_commitment(gateway.reads, commitment_id, identity.subject_id)
    return json_answer(await read_copy(gateway, identity, commitment_id))


@router.get(
    "/campaigns/{campaign_id}/delivery-addresses",
    operation_id="campaign_delivery_addresses",
    summary="Where a campaign's units go, for the supplier that fulfils it",
    responses=answers(DeliveryAddressList, 400, 401, 403, 404, 422),
)
async def campaign_delivery_addresses(
    request: Request,
    campaign_id: UUID,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
) -> Response:
    """Of commitments whose funds are held, while the campaign is in fulfillment or inspection; empty before and after."""
    identity = await allowed(request, "campaign_delivery_addresses")
    gateway = gateway_of(request)
    await gateway.visibility.check(campaign_id, identity)
    if not await is_campaign_supplier(gateway.reads, campaign_id, identity.supplier_id):
        raise Rejected("not_found")
    rows = await copies_to_deliver(
        gateway.reads, campaign_id, supplier_id=identity.supplier_id, page=page(cursor, limit)
    )
    own_key = gateway.settings.people_key_gateway.get_secret_value()
    return page_answer(rows, limit=limit, view=partial(_to_deliver, own_key), moment="created_at")


def _check(version: str, present: View) -> None:
    check_version(version, etag_of(bytes(json_answer(present).body)))


def _to_deliver(own_key: str, row: Mapping[str, Any]) -> View:
    return {
        "commitment_id": row["id"],
        "reference": row["reference"],
        "quantity": row["quantity"],
        "address": postal(opened_key(own_key, row["wrapped"]), row["sealed"]),
    }
