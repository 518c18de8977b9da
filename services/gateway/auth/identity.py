"""Who a request comes from: the identity behind a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.gateway.domain.proofs import RequestProof
from services.gateway.domain.roles import PARTICIPANT, STAFF, SUPPLIER


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in account. `subject_id` is random; names and addresses stay in the accounts table."""

    subject_id: UUID
    role: str
    supplier_id: UUID | None
    session_id: UUID
    proof: RequestProof
    label: str | None = field(default=None, repr=False)
    csrf_token: str = field(default="", repr=False)
    expires_at: datetime | None = None
    proven_at: datetime | None = None
    has_factor: bool = False

    @property
    def is_staff(self) -> bool:
        """Whether the account is one of the staff's."""
        return self.role in STAFF

    @property
    def is_participant(self) -> bool:
        """Whether the account is a participant's."""
        return self.role == PARTICIPANT

    @property
    def is_supplier(self) -> bool:
        """Whether the account is bound to a supplier."""
        return self.role == SUPPLIER
