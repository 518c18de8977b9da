"""Keep a person's addresses: add, change, remove, and open them for that person.

Every change is one transaction that holds the account's row, with its audit record, which names the address by its random
id and says nothing of it. A commitment's frozen copy is none of these addresses and stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.auth.person_keys import PersonKey, held_key, kept_key, seal_for, unseal_for
from services.gateway.domain.delivery_region import in_delivery_region
from services.gateway.parts import Gateway
from services.gateway.schemas.bodies_addresses import AddressBody
from services.gateway.store import addresses as store
from services.gateway.store.own_records import record_account_act
from services.kit.clock import wall_now

POSTAL_FIELDS = ("recipient", "lines", "city", "region", "postal_code", "country")

View = dict[str, Any]


async def own_addresses(connection: AsyncConnection, own_key: str, subject_id: UUID) -> list[View]:
    """A person's addresses, opened."""
    person = await kept_key(connection, own_key, subject_id)
    if person is None:
        return []
    return [_view(person, row) for row in await store.addresses_of(connection, subject_id)]


async def read_address(gateway: Gateway, identity: Identity, address_id: UUID) -> View:
    """One of a person's addresses, opened. Raises Rejected(not_found)."""
    async with gateway.engine.connect() as connection:
        row = await store.address_of(connection, identity.subject_id, address_id)
        person = await kept_key(connection, _own_key(gateway), identity.subject_id)
    if row is None or person is None:
        raise Rejected("not_found")
    return _view(person, row)


async def add_address(gateway: Gateway, identity: Identity, body: AddressBody, traceparent: str | None) -> View:
    """Keep a new address. Raises Rejected(addresses_full)."""
    subject_id, address_id = identity.subject_id, uuid4()
    async with gateway.engine.begin() as connection:
        person = await held_key(connection, _own_key(gateway), subject_id)
        default = body.default or not await store.addresses_of(connection, subject_id)
        if default:
            await store.take_default_back(connection, subject_id, besides=address_id)
        new = _kept(person, body, address_id, default=default)
        row = await store.insert_address(connection, subject_id, new, now=wall_now())
        if row is None:
            raise Rejected("addresses_full", addresses_max=store.ADDRESSES_MAX)
        told = {"in_region": new.in_region, "default": default}
        await record_account_act(
            connection, identity, "address.added", subject=address_id, after=told, traceparent=traceparent
        )
    return _view(person, row)


async def change_address(
    gateway: Gateway,
    identity: Identity,
    address_id: UUID,
    body: AddressBody,
    *,
    check: Callable[[View], None],
    traceparent: str | None,
) -> View:
    """Replace what an address says; `check` judges the version that stands there now and raises when it is not the one
    that the change is based on. Raises Rejected(not_found)."""
    subject_id = identity.subject_id
    async with gateway.engine.begin() as connection:
        person = await held_key(connection, _own_key(gateway), subject_id)
        before = await store.address_of(connection, subject_id, address_id)
        if before is None:
            raise Rejected("not_found")
        check(_view(person, before))
        changed = _kept(person, body, address_id, default=body.default or before.is_default)
        if changed.is_default and not before.is_default:
            await store.take_default_back(connection, subject_id, besides=address_id)
        row = await store.update_address(connection, subject_id, changed, now=wall_now())
        await record_account_act(
            connection, identity, "address.changed", subject=address_id, traceparent=traceparent,
            before={"in_region": before.in_region, "default": before.is_default},
            after={"in_region": row.in_region, "default": row.is_default},
        )  # fmt: skip
    return _view(person, row)


async def remove_address(gateway: Gateway, identity: Identity, address_id: UUID, traceparent: str | None) -> None:
    """Remove an address. Raises Rejected(not_found)."""
    async with gateway.engine.begin() as connection:
        await held_key(connection, _own_key(gateway), identity.subject_id)
        if not await store.delete_address(connection, identity.subject_id, address_id):
            raise Rejected("not_found")
        await record_account_act(connection, identity, "address.removed", subject=address_id, traceparent=traceparent)


async def own_copies(connection: AsyncConnection, own_key: str, subject_id: UUID) -> list[View]:
    """The frozen addresses of a person's commitments, opened."""
    person = await kept_key(connection, own_key, subject_id)
    if person is None:
        return []
    return [_frozen(person, row) for row in await store.copies_of(connection, subject_id)]


async def read_copy(gateway: Gateway, identity: Identity, commitment_id: UUID) -> View:
    """The frozen address of one of a person's commitments, opened; without one its fields are None."""
    async with gateway.engine.connect() as connection:
        row = await store.copy_of(connection, identity.subject_id, commitment_id)
        person = await kept_key(connection, _own_key(gateway), identity.subject_id)
    if row is None or person is None:
        return {"commitment_id": commitment_id, "frozen_at": None, "address": None}
    return _frozen(person, row)


def postal(person: PersonKey, sealed: str) -> View:
    """What a carrier needs of an address: everything but the label, which is for its person alone."""
    said = unseal_for(person, sealed)
    return {name: said[name] for name in POSTAL_FIELDS}


def _frozen(person: PersonKey, row: Any) -> View:
    return {
        "commitment_id": row.commitment_id,
        "frozen_at": row.frozen_at,
        "address": postal(person, row.sealed),
    }


def _view(person: PersonKey, row: Any) -> View:
    said = unseal_for(person, row.sealed)
    return {
        "id": row.id,
        "label": said["label"],
        **{name: said[name] for name in POSTAL_FIELDS},
        "default": row.is_default,
        "in_delivery_region": row.in_region,
        "created_at": row.created_at,
        "changed_at": row.changed_at,
    }


def _kept(person: PersonKey, body: AddressBody, address_id: UUID, *, default: bool) -> store.KeptAddress:
    said = body.model_dump(mode="json", exclude={"default"})
    inside = in_delivery_region(country=body.country, region=body.region, postal_code=body.postal_code)
    return store.KeptAddress(address_id, seal_for(person, said), inside, default)


def _own_key(gateway: Gateway) -> str:
    return gateway.settings.people_key_gateway.get_secret_value()
