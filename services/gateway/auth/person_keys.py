"""One key per person: what the gateway keeps of a person's contact data opens with it and with nothing else.

The key is drawn when the account is made and stored wrapped by the gateway's own key. Destroying the row destroys the
data wherever a copy of it lies, as long as the keys' table is kept out of long-lived backups. It cannot help against a
copy of both.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.errors import Rejected
from services.gateway.store.erasures import insert_person_keys
from services.kit.database import sql
from services.kit.people import KEY_BYTES, seal, unseal

_PERSON = "person"
_GATEWAY = "gateway"
_HOLD = sql(
    "SELECT a.erased_at, k.wrapped FROM account AS a LEFT JOIN person_key AS k ON k.subject_id = a.subject_id "
    "WHERE a.subject_id = :subject_id FOR NO KEY UPDATE OF a"
)


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A person's key, and the same wrapped for the table."""

    key: str = field(repr=False)
    wrapped: str = field(repr=False)


def new_person_key(own_key: str) -> PersonKey:
    """Draw a key. `own_key` is the gateway's own, in base64."""
    key = base64.b64encode(os.urandom(KEY_BYTES)).decode()
    return PersonKey(key, seal({_GATEWAY: own_key}, {"key": key})[_GATEWAY])


def seal_for(person: PersonKey, data: Mapping[str, Any]) -> str:
    """Seal contact data under a person's key."""
    return seal({_PERSON: person.key}, data)[_PERSON]


async def contact_of(connection: AsyncConnection, own_key: str, subject_id: UUID) -> dict[str, Any]:
    """A person's contact data, opened; empty for an account without any, or erased."""
    row = (
        await connection.execute(
            sql(
                "SELECT a.email_sealed, k.wrapped FROM account a JOIN person_key k ON k.subject_id = a.subject_id "
                "WHERE a.subject_id = :subject_id"
            ),
            {"subject_id": subject_id},
        )
    ).one_or_none()
    if row is None or row.email_sealed is None:
        return {}
    return unseal(unseal(own_key, row.wrapped)["key"], row.email_sealed)


async def held_key(connection: AsyncConnection, own_key: str, subject_id: UUID) -> PersonKey:
    """A person's key, drawn now for an account that has none yet; the account's row is held until the transaction ends.
    Raises Rejected(not_signed_in) for a person who was erased meanwhile."""
    row = (await connection.execute(_HOLD, {"subject_id": subject_id})).one()
    if row.erased_at is not None:
        raise Rejected("not_signed_in")
    if row.wrapped is not None:
        return opened_key(own_key, row.wrapped)
    drawn = new_person_key(own_key)
    await insert_person_keys(connection, {subject_id: drawn.wrapped})
    return drawn


async def kept_key(connection: AsyncConnection, own_key: str, subject_id: UUID) -> PersonKey | None:
    """A person's key, or None for an account that has none."""
    found = await connection.execute(
        sql("SELECT wrapped FROM person_key WHERE subject_id = :subject_id"), {"subject_id": subject_id}
    )
    wrapped = found.scalar_one_or_none()
    return opened_key(own_key, wrapped) if wrapped is not None else None


def opened_key(own_key: str, wrapped: str) -> PersonKey:
    """A key from its row."""
    return PersonKey(str(unseal(own_key, wrapped)["key"]), wrapped)


def unseal_for(person: PersonKey, sealed: str) -> dict[str, Any]:
    """Open what was sealed under a person's key."""
    return unseal(person.key, sealed)
