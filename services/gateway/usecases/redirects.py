"""Addresses where a participant confirms a payment at the bank: kept in memory for a while, never stored, never logged.

They come on `gateway.replies`, which every gateway instance reads whole under its own group. After a restart the topic
is read again, so that a browser that comes back finds its address while the reservation lasts.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from contracts.escrow import PaymentActionAddress
from services.kit import telemetry
from services.kit.clock import monotonic_seconds

ADDRESSES_MAX = 10_000
ADDRESS_SECONDS = 30 * 60
"""Twice the life of a reservation: an older address leads nowhere."""
SAFE_PROTOCOLS = ("https://", "http://")
"""A page hands the address to the browser as it is; what is no page must never get there, whoever sent it."""

log = telemetry.logger("gateway.redirects")


@dataclass(frozen=True, slots=True)
class _Address:
    url: str = field(repr=False)
    arrived: float


class Redirects:
    """The addresses known to this process, the oldest forgotten first."""

    def __init__(self) -> None:
        self._addresses: OrderedDict[UUID, _Address] = OrderedDict()
        self.on_arrival: Callable[[Iterable[UUID]], None] = lambda _: None

    def remember(self, reply: PaymentActionAddress) -> None:
        """Keep the newest address of a commitment and wake who waits for it. An address that is no page is forgotten."""
        if not reply.redirect_url.startswith(SAFE_PROTOCOLS):
            log.error("gateway.redirect.unsafe", commitment_id=str(reply.commitment_id))
            return
        self._addresses[reply.commitment_id] = _Address(reply.redirect_url, monotonic_seconds())
        self._addresses.move_to_end(reply.commitment_id)
        while len(self._addresses) > ADDRESSES_MAX:
            self._addresses.popitem(last=False)
        self.on_arrival([reply.commitment_id])

    def url_of(self, commitment_id: UUID) -> str | None:
        """The address for a commitment, or None."""
        found = self._addresses.get(commitment_id)
        if found is None or monotonic_seconds() - found.arrived > ADDRESS_SECONDS:
            return None
        return found.url
