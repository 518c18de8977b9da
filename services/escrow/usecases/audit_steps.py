"""The audit records of reservations and payments: one for each step, whoever takes it.

A reservation begins open and a payment started; their beginnings are told by the records of what asked for them.
"""

from __future__ import annotations

from services.escrow.store.tables import Payment, Reservation
from services.kit.work import Work


def audit_reservation(work: Work, reservation: Reservation, *, before: str) -> None:
    """A reservation took a step towards its end."""
    work.audit(
        f"escrow.reservation.{reservation.state}",
        scope=str(reservation.campaign_id),
        subject=str(reservation.commitment_id),
        before={"state": before},
        after={"state": reservation.state},
        reason=reservation.end_reason,
    )


def audit_payment(work: Work, payment: Payment, *, before: str) -> None:
    """A payment took a step."""
    work.audit(
        "escrow.payment.moved",
        scope=str(payment.campaign_id),
        subject=str(payment.payment_id),
        before={"state": before},
        after={"state": payment.state, "commitment_id": str(payment.commitment_id)},
    )
