"""Keep, replace or erase a person's contact data, which the gateway sealed for this service."""

from __future__ import annotations

from uuid import UUID

from contracts.gateway import PersonRecorded
from services.kit.people import unseal
from services.kit.work import Work
from services.notifications.settings import mail_settings
from services.notifications.store.alerts import alerts
from services.notifications.store.facts import facts
from services.notifications.store.vault import lock_away

SERVICE_NAME = "notifications"


async def record_person(work: Work, event: PersonRecorded) -> None:
    """Keep the address, encrypted. A record without one, or not sealed for this service, leaves no address here."""
    sealed = event.sealed.get(SERVICE_NAME)
    settings = mail_settings()
    person = unseal(settings.people_key_notifications.get_secret_value(), sealed) if sealed else {}
    email = person.get("email")
    if not email:
        await facts(work).erase_contact(event.subject_id)
        return
    token = lock_away(settings.master_key_bytes(), event.subject_id, {"email": email})
    await facts(work).put_contact(event.subject_id, token)


async def erase_person(work: Work, subject_id: UUID) -> None:
    """The person is erased: no address and no alert rule is left here. What was sent stays, under the random id."""
    await facts(work).erase_contact(subject_id)
    await alerts(work).erase(subject_id)
