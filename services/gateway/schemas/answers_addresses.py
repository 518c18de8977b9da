"""The bodies of answers about addresses, their frozen copies, and the kind of an account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.gateway.domain.account_kinds import AccountKind
from services.gateway.schemas.answers import Answer


class PostalAddress(Answer):
    """Where somebody is reached by a carrier."""

    recipient: str
    lines: list[str]
    city: str
    region: str
    postal_code: str
    country: str


class AddressView(PostalAddress):
    """One of one's addresses. `in_delivery_region`: campaigns deliver there."""

    id: UUID
    label: str
    default: bool
    in_delivery_region: bool
    created_at: datetime
    changed_at: datetime


class AddressList(Answer):
    """One's addresses, the default first."""

    data: list[AddressView]
    next_cursor: None = None


class FrozenAddressView(Answer):
    """The address of one commitment as it was when the commitment was made; null when it needs none."""

    commitment_id: UUID
    frozen_at: datetime | None
    address: PostalAddress | None


class DeliveryAddressView(Answer):
    """Where a commitment's units go."""

    commitment_id: UUID
    reference: str | None
    quantity: int
    address: PostalAddress


class DeliveryAddressList(Answer):
    """A part of the addresses that a campaign's units go to."""

    data: list[DeliveryAddressView]
    next_cursor: str | None


class AccountKindView(Answer):
    """The kind of one's account. `may_change`: no commitment is open, so it can be another one."""

    kind: AccountKind
    display_name: str | None
    may_change: bool
