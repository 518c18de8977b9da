"""What the gateway tells the services: personal data, sealed for the services named, on a compacted topic."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from contracts.envelope import Event, register


@register
class PersonRecorded(Event):
    """A person's contact data, sealed per receiving service (compact JWE); key = subject id. A tombstone means erased."""

    type: ClassVar[str] = "gateway.person_recorded.v1"
    service: ClassVar[str] = "gateway"
    subject_id: UUID
    sealed: dict[str, str]

    @property
    def scope(self) -> str:
        """The message key: the subject's id."""
        return str(self.subject_id)
