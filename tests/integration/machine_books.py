"""A campaign's accounts, kept a second time: plain integers, moved by what escrow tells and by what it was told.

It follows the table of postings and its rules of splitting, not the code that posts. All accounts at Stripe are one here
(`psp`), because balance transactions only move money between them. It does not decide whether a refund or a plan was
right; it says what each event that escrow tells must have done to the accounts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import Any
from uuid import UUID

from contracts import clearing, disputes, escrow
from contracts.envelope import Message

PSP = "psp"
FREEZABLE = ("escrow", "refund_payable", "reserve")


@dataclass
class Plan:
    """A release as it was submitted: (commitment, amount, account it is drawn on, account it goes to), by commitment."""

    lines: list[tuple[UUID, int, str, str]] = field(default_factory=list)
    applied: int = 0


@dataclass
class DisputeBooks:
    """One dispute: what was frozen by class, what is frozen now, what the bank took from it and beyond it."""

    commitment_id: UUID
    split: dict[str, int] = field(default_factory=dict)
    hold: int = 0
    taken: int = 0
    loss: int = 0
    is_open: bool = True
    to_person: bool = False

    def left(self) -> dict[str, int]:
        """What of the split is still frozen; what the bank took came out of committed money first."""
        gone, left = sum(self.split.values()) - self.hold, {}
        for name in FREEZABLE:
            part = min(self.split.get(name, 0), gone)
            gone -= part
            if self.split.get(name, 0) > part:
                left[name] = self.split[name] - part
        return left


class Books:
    """The accounts of one campaign."""

    def __init__(self) -> None:
        self.accounts: Counter[str] = Counter()
        self.disputes: dict[str, DisputeBooks] = {}
        self.plans: dict[UUID, Plan] = {}
        self.kinds: dict[UUID, str] = {}
        self.corrections: dict[UUID, tuple[int, bool]] = {}
        self.funded: set[UUID] = set()
        self.refunded: set[UUID] = set()
        self.paid: set[UUID] = set()
        self.owed: dict[UUID, int] = {}
        self.latch: UUID | None = None
        self.released: clearing.FundsReleased | None = None
        self.is_closed = self.is_completed = False

    def balances(self) -> dict[str, int]:
        """Every account that is not zero."""
        return {name: amount for name, amount in self.accounts.items() if amount}

    def of(self, name: str, commitment_id: UUID) -> int:
        """One commitment's balance in a class of accounts."""
        return self.accounts[f"{name}:{commitment_id}"]

    # -- what escrow was told --------------------------------------------------------------------------------------

    def goes_back(self, commitment_id: UUID, *, left: bool = False) -> None:
        """The person is to have everything back: now, or what a dispute gives back later."""
        if self.of("escrow", commitment_id) + self.of("reserve", commitment_id) > 0:
            self.refunded.add(commitment_id)
            return
        for dispute in self.disputes.values():
            if dispute.commitment_id == commitment_id and dispute.is_open:
                dispute.to_person = True
                if left:
                    self.refunded.add(commitment_id)

    def closes(self) -> None:
        """The campaign ended without completion."""
        self.is_closed = True
        for commitment_id in list(self.funded):
            if self.of("escrow", commitment_id) + self.of("reserve", commitment_id) > 0:
                self.refunded.add(commitment_id)

    # -- what escrow tells ---------------------------------------------------------------------------------------

    def take(self, events: Sequence[Message]) -> None:
        """Book a batch of events in the sequence in which they were told."""
        for place, event in enumerate(events):
            if isinstance(event, escrow.RefundDecided):
                self._decided(event, events[place + 1 :])
            else:
                self.book(event)

    @singledispatchmethod
    def book(self, event: Any) -> None:
        """An event that moves nothing."""

    @book.register
    def _(self, event: escrow.FundsHeld) -> None:
        self.funded.add(event.commitment_id)
        self._move(PSP, f"escrow:{event.commitment_id}", event.amount_minor)

    @book.register
    def _(self, event: escrow.LateFundsReceived) -> None:
        self._move(PSP, f"refund_payable:{event.commitment_id}", event.amount_minor)

    def _decided(self, event: escrow.RefundDecided, later: Iterable[Message]) -> None:
        owner, amount = event.commitment_id, event.amount_minor
        self.owed[event.decision_id] = amount
        payable = f"refund_payable:{owner}"
        if event.goodwill:
            self._move("goodwill", payable, amount)
        elif event.reason != "late_receipt" and not self._comes_from_a_dispute(event, later):
            source = "escrow" if self.of("escrow", owner) > 0 else "reserve"
            self._move(f"{source}:{owner}", payable, amount)
            if self.of("escrow", owner) + self.of("reserve", owner) == 0:
                self.refunded.add(owner)

    def _comes_from_a_dispute(self, event: escrow.RefundDecided, later: Iterable[Message]) -> bool:
        for other in later:
            if isinstance(other, disputes.DisputeEnded) and other.commitment_id == event.commitment_id:
                dispute = self.disputes[other.dispute_id]
                already = dispute.left().get("refund_payable", 0)
                return self._to_person(dispute) and event.amount_minor == other.returned_minor - already
        return False

    @book.register
    def _(self, event: escrow.RefundSent) -> None:
        payable = f"refund_payable:{event.commitment_id}"
        self._make_room(event.commitment_id, event.amount_minor)
        self._move(payable, PSP, event.amount_minor)
        self.paid.add(event.decision_id)
        self.owed.pop(event.decision_id, None)

    def _make_room(self, owner: UUID, amount: int) -> None:
        """Stripe paid what a dispute holds or the bank has taken: the platform bears what was given twice."""
        payable = f"refund_payable:{owner}"
        mine = [dispute for dispute in self.disputes.values() if dispute.commitment_id == owner]
        if self.accounts[payable] < amount:
            for dispute in mine:
                self._give_back(dispute, dispute.left())
        for dispute in mine:
            part = min(max(amount - self.accounts[payable], 0), dispute.taken)
            self._move("dispute_loss", payable, part)
            dispute.taken -= part
            dispute.loss += part

    @book.register
    def _(self, event: escrow.RefundFailed) -> None:
        if event.decision_id in self.paid:
            self.paid.discard(event.decision_id)
            self.owed[event.decision_id] = event.amount_minor
            self._move(PSP, f"refund_payable:{event.commitment_id}", event.amount_minor)

    @book.register
    def _(self, event: escrow.RefundPaidOutside) -> None:
        self.owed.pop(event.decision_id, None)
        self._move(f"refund_payable:{event.commitment_id}", "house_paid", event.amount_minor)

    @book.register
    def _(self, event: escrow.RefundOwedAgain) -> None:
        self.owed[event.decision_id] = event.amount_minor
        self._move("house_paid", f"refund_payable:{event.commitment_id}", event.amount_minor)

    # -- plans -----------------------------------------------------------------------------------------------------

    @book.register
    def _(self, event: clearing.ClearingPlanSubmitted) -> None:
        self.kinds[event.plan_id], self.plans[event.plan_id] = event.plan_kind, Plan()

    @book.register
    def _(self, event: clearing.ClearingPlanLinesTold) -> None:
        if event.plan_id in self.plans:
            for line in event.lines:
                to = f"reserve:{line.commitment_id}" if line.to_reserve else "supplier_payable"
                self.plans[event.plan_id].lines.append((line.commitment_id, line.amount_minor, line.account, to))

    @book.register
    def _(self, event: clearing.ClearingPlanApproved) -> None:
        if self.kinds.get(event.plan_id) == "release":
            self.latch = event.plan_id

    @book.register
    def _(self, event: clearing.ClearingPlanProgressed) -> None:
        plan = self.plans.get(event.plan_id)
        if plan is not None:
            for _, amount, source, to in plan.lines[plan.applied : event.lines_applied]:
                self._move(source, to, amount)
            plan.applied = event.lines_applied

    @book.register
    def _(self, event: clearing.ClearingPlanStopped) -> None:
        plan = self.plans.pop(event.plan_id, None)
        for _, amount, source, to in plan.lines[: plan.applied] if plan else ():
            if to == "supplier_payable":
                self._move(to, source, amount)
        if self.latch == event.plan_id:
            self.latch = None

    @book.register
    def _(self, event: clearing.FundsReleased) -> None:
        self._move("supplier_payable", PSP, event.net_minor)
        self._move("supplier_payable", "platform_fee", event.fee_minor)
        self.released = event if event.plan_kind == "release" else self.released
        self.refunded -= set(event.released_commitment_ids)

    @book.register
    def _(self, event: clearing.TransferReversed) -> None:
        self._move(PSP, "dispute_loss" if event.recovered else "supplier_payable", event.amount_minor)

    @book.register
    def _(self, event: clearing.ClearingPlanCompleted) -> None:
        if event.plan_id in self.corrections:
            amount, was_recovery = self.corrections.pop(event.plan_id)
            sides = ("dispute_loss", "supplier_payable")
            self._move(*(sides if was_recovery else sides[::-1]), amount)

    # -- disputes --------------------------------------------------------------------------------------------------

    @book.register
    def _(self, event: disputes.DisputeOpened) -> None:
        owner = event.commitment_id
        dispute = self.disputes.setdefault(event.dispute_id, DisputeBooks(owner))
        rest, dispute.split, dispute.is_open = event.amount_minor, {}, True
        for name in FREEZABLE:
            part = min(rest, self.of(name, owner))
            if part > 0:
                dispute.split[name] = part
                rest -= part
                self._move(f"{name}:{owner}", f"dispute_hold:{owner}", part)
        dispute.hold = event.amount_minor - rest
        assert dispute.hold == event.frozen_minor

    @book.register
    def _(self, event: disputes.DisputeFundsWithdrawn) -> None:
        dispute = self.disputes[event.dispute_id]
        part = min(event.amount_minor, dispute.hold)
        assert part == event.from_hold_minor
        self._move(f"dispute_hold:{event.commitment_id}", PSP, part)
        self._move("dispute_loss", PSP, event.amount_minor - part)
        dispute.hold -= part
        dispute.taken += part
        dispute.loss += event.amount_minor - part

    @book.register
    def _(self, event: disputes.DisputeFundsReinstated) -> None:
        dispute = self.disputes[event.dispute_id]
        to_loss = min(event.amount_minor, dispute.loss)
        to_hold = event.amount_minor - to_loss
        assert to_hold == event.to_hold_minor
        self._move(PSP, "dispute_loss", to_loss)
        self._move(PSP, f"dispute_hold:{event.commitment_id}", to_hold)
        dispute.loss -= to_loss
        dispute.taken = max(dispute.taken - to_hold, 0)
        dispute.hold += to_hold

    @book.register
    def _(self, event: disputes.DisputeEnded) -> None:
        owner = event.commitment_id
        dispute = self.disputes[event.dispute_id]
        assert event.returned_minor == dispute.hold
        back = dispute.left()
        extra = dispute.hold - sum(back.values())
        gone = dispute.split.get("refund_payable", 0) - back.get("refund_payable", 0)
        if extra:
            back["escrow"] = back.get("escrow", 0) + extra
        if self._to_person(dispute):
            back = {"refund_payable": sum(back.values())}
        elif self.latch is not None or self.is_completed:
            committed = back.pop("escrow", 0) + back.pop("reserve", 0)
            back["reserve"] = committed
        self._give_back(dispute, back)
        dispute.is_open = False
        for decision_id in event.settled_decision_ids:
            amount = self.owed.pop(decision_id)
            if amount <= gone:
                gone -= amount
            else:
                self._move(f"refund_payable:{owner}", "dispute_loss", amount)
                dispute.loss -= amount
                dispute.taken += amount
        if event.charged_back:
            self.refunded.add(owner)

    def _to_person(self, dispute: DisputeBooks) -> bool:
        return dispute.to_person or self.is_closed or dispute.commitment_id in self.refunded

    def _give_back(self, dispute: DisputeBooks, back: dict[str, int]) -> None:
        for name, amount in back.items():
            self._move(f"dispute_hold:{dispute.commitment_id}", f"{name}:{dispute.commitment_id}", amount)
        dispute.hold, dispute.split = 0, {}

    def _move(self, debit: str, credit: str, amount: int) -> None:
        self.accounts[debit] -= amount
        self.accounts[credit] += amount
