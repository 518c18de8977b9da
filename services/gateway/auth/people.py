"""Making accounts: the address is sealed under the person's own key and, on its way, for the services that need it.

An address leaves the gateway only sealed, on `gateway.people`, in the transaction that makes the account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.envelope import EVENT_NAMESPACE, SYSTEM
from contracts.gateway import PersonRecorded
from services.gateway.auth.person_keys import new_person_key, seal_for
from services.gateway.settings import GatewaySettings
from services.gateway.store.accounts import NewAccount, email_lookup, insert_accounts
from services.gateway.store.erasures import insert_person_keys
from services.gateway.store.operations import read_clock
from services.kit.outbox import Outgoing, enqueue_commands
from services.kit.people import seal

PEOPLE_TOPIC = "gateway.people"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who gets an account."""

    role: str
    label: str | None = None
    supplier_id: UUID | None = None
    external_id: str | None = None
    email: str | None = field(default=None, repr=False)


async def record_people(connection: AsyncConnection, people: Sequence[Person], settings: GatewaySettings) -> None:
    """Make the accounts that are missing; whoever is known already stays as he is."""
    own_key = settings.people_key_gateway.get_secret_value()
    subjects = {uuid4(): person for person in people}
    keys = {subject_id: new_person_key(own_key) for subject_id, person in subjects.items() if person.email}
    made = await insert_accounts(
        connection,
        [
            NewAccount(
                subject_id=subject_id,
                role=person.role,
                supplier_id=person.supplier_id,
                label=person.label,
                external_id=person.external_id,
                email_lookup=email_lookup(own_key, person.email) if person.email else None,
                email_sealed=seal_for(keys[subject_id], {"email": person.email}) if person.email else None,
            )
            for subject_id, person in subjects.items()
        ],
    )
    await insert_person_keys(connection, {each: keys[each].wrapped for each in made if each in keys})
    clock = await read_clock(connection)
    outgoing = [
        Outgoing(
            id=uuid5(EVENT_NAMESPACE, f"person:{subject_id}"),
            message=PersonRecorded(subject_id=subject_id, sealed=_sealed(person, settings)),
            actor=SYSTEM,
            received_at=clock.now,
            correlation_id=subject_id,
            topic=PEOPLE_TOPIC,
        )
        for subject_id, person in subjects.items()
        if subject_id in made and person.email
    ]
    await enqueue_commands(connection, outgoing, None)


def _sealed(person: Person, settings: GatewaySettings) -> dict[str, str]:
    key = settings.people_key_notifications.get_secret_value()
    return seal({"notifications": key}, {"email": person.email, "name": person.label})
