"""The steps of people, campaigns and suppliers: what escrow hears from everybody but Stripe.

A base of the machine that plays any sequence of them; the steps of money stand in a module of their own. Each rule tells
what the real service would tell, in any sequence that it could; it never looks into escrow to choose.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from functools import wraps
from itertools import count
from typing import Any, ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from contracts import campaigns, clearing, suppliers
from contracts.envelope import SYSTEM, Actor, Message
from contracts.escrow import UsePaymentMethod
from tests.integration.escrow_support import UNIT_PRICE_MINOR
from tests.integration.machine_books import Books
from tests.integration.machine_world import World

JOINS_MAX = 6
STEP_SECONDS_MAX = 60
PICK = st.integers(0, 11)
COURSES = st.sampled_from(["pays", "pays", "pays", "asks", "declines", "waits"])
STATES = (
    "ACTIVE", "TARGET_ACHIEVED", "PENDING_ACCEPTANCE", "FULFILLMENT", "DELIVERED", "INSPECTION", "VERDICT",
)  # fmt: skip


def only_when(condition: Callable[[Any], bool]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A step that does nothing otherwise. Which steps are drawn never depends on what escrow did, so that every example
    can be played again."""

    def bound(step: Callable[..., None]) -> Callable[..., None]:
        @wraps(step)
        def taken(self: Any, **given: Any) -> None:
            if condition(self):
                step(self, **given)

        return taken

    return bound


class Steps(RuleBasedStateMachine):
    """One campaign, and what people, campaigns and suppliers do with it."""

    world: ClassVar[World | None] = None
    loop: ClassVar[asyncio.AbstractEventLoop]
    number: ClassVar[Iterator[int]]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        cls = type(self)
        self.example = next(cls.number)
        if cls.world is not None:
            self.run(cls.world.close())
        # Each example has a world of its own, so that none depends on what another has left.
        cls.world = self.run(World.make())
        self.w = cls.world
        self.w.answers.clear()
        self.campaign_id = self.w.stage.campaign_id = self.identity(0)
        self.supplier_id = self.identity(1)
        self.ids = count(2)
        self.books: Books = self.w.books[self.campaign_id]
        self.joins: list[campaigns.CommitmentReserved] = []
        self.left: set[UUID] = set()
        self.issues: dict[UUID, UUID] = {}
        self.decided: set[UUID] = set()
        self.state = 0
        self.close_asked = self.is_over = False
        self.first_sent = len(self.w.sent)
        self.made = 0

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Wait for a step."""
        return type(self).loop.run_until_complete(asyncio.wait_for(coroutine, STEP_SECONDS_MAX))

    def tell(self, *messages: Message, actor: Actor = SYSTEM) -> list[Message]:
        """Deliver something new."""
        return self.run(self.w.deliver(*messages, actor=actor))  # type: ignore[no-any-return]

    def identity(self, ordinal: int) -> UUID:
        """An id that sorts by when it was made, so that a failure plays again the same way."""
        return UUID(int=(0xA << 120) + (self.example << 32) + ordinal)

    # -- people ------------------------------------------------------------------------------------------------------

    @rule(units=st.integers(1, 3), course=COURSES, method_first=st.booleans())
    @only_when(lambda self: len(self.joins) < JOINS_MAX and self.state < 2 and not self.is_over)
    def joins_campaign(self, units: int, course: str, method_first: bool) -> None:
        """Someone joins; reservation and confirmation token come in either sequence."""
        commitment_id, participant_id = self.identity(next(self.ids)), self.identity(next(self.ids))
        reserved = campaigns.CommitmentReserved(
            campaign_id=self.campaign_id,
            commitment_id=commitment_id,
            participant_id=participant_id,
            quantity=units,
            amount_minor=units * UNIT_PRICE_MINOR,
            currency="usd",
            terms_hash="0" * 64,
            reference=f"R-{len(self.joins)}",
            reserved_until=datetime.fromtimestamp(self.w.bank.now, UTC) + timedelta(minutes=15),
            reserved_units=1,
            held_units=0,
        )
        if method_first:
            self._pays_with(reserved, course, attempt=1)
        self.tell(reserved)
        if not method_first:
            self._pays_with(reserved, course, attempt=1)
        self.joins.append(reserved)

    @rule(pick=PICK, course=COURSES, attempt=st.integers(1, 3))
    @only_when(lambda self: self.joins)
    def pays_again(self, pick: int, course: str, attempt: int) -> None:
        """Another card, or the same command once more."""
        self._pays_with(self.joins[pick % len(self.joins)], course, attempt=attempt)

    def _pays_with(self, join: campaigns.CommitmentReserved, course: str, *, attempt: int) -> None:
        command = UsePaymentMethod(
            campaign_id=self.campaign_id,
            commitment_id=join.commitment_id,
            participant_id=join.participant_id,
            confirmation_token=f"{course}:{attempt}",
            return_url="http://localhost:9/back",
            attempt=attempt,
        )
        self.tell(command, actor=Actor(str(join.participant_id), "participant"))

    @rule(pick=PICK)
    @only_when(lambda self: self.state < 4 and not self.is_over and len(self.left) < len(self.joins))
    def leaves(self, pick: int) -> None:
        """A participant leaves, with funds held or still awaited."""
        staying = [join for join in self.joins if join.commitment_id not in self.left]
        join = staying[pick % len(staying)]
        self.left.add(join.commitment_id)
        if join.commitment_id in self.books.funded - self.books.refunded:
            self.books.goes_back(join.commitment_id, left=True)
        self.tell(
            campaigns.CommitmentWithdrawn(
                campaign_id=self.campaign_id,
                commitment_id=join.commitment_id,
                participant_id=join.participant_id,
                was="LOCKED" if join.commitment_id in self.books.funded else "PENDING_FUNDS",
                quantity=join.quantity,
                amount_minor=join.amount_minor,
                held_units=0,
                reserved_units=0,
                held_commitments=0,
            )
        )

    # -- campaigns and suppliers --------------------------------------------------------------------------------------

    @rule(verdict=st.sampled_from(["release", "release_less_reserve", "hold"]))
    @only_when(lambda self: not self.is_over)
    def campaign_moves_on(self, verdict: str) -> None:
        """The campaign's next state, as far as other services would tell it."""
        if self.state == len(STATES) - 1:
            if self.books.released is not None and not self.books.is_completed:
                self.books.is_completed = True
                plan_id = self.books.released.plan_id
                self.tell(
                    campaigns.CampaignCompleted(
                        campaign_id=self.campaign_id, plan_id=plan_id, supplier_id=self.supplier_id
                    )
                )
            return
        if self.close_asked:
            return
        self.state += 1
        self.tell(*self._news_of(STATES[self.state], verdict))

    def _news_of(self, state: str, verdict: str) -> list[Message]:
        mine: dict[str, Any] = {"campaign_id": self.campaign_id}
        theirs = mine | {"supplier_id": self.supplier_id}
        final = {"final_units": 4, "commitments": 4, "unit_price_minor": UNIT_PRICE_MINOR, "currency": "usd"}
        now = datetime.fromtimestamp(self.w.bank.now, UTC)
        reported = tuple(each for each in self.issues.values() if each not in self.decided)
        match state:
            case "TARGET_ACHIEVED":
                return [campaigns.TargetReached(**mine, held_units=4, target_units=4)]
            case "PENDING_ACCEPTANCE":
                return [campaigns.AcceptanceRequested(**mine, **final, terms_hash="0" * 64)]
            case "FULFILLMENT":
                invitation = {"invitation_id": self.identity(next(self.ids))}
                return [
                    suppliers.CampaignAccepted(**theirs, **invitation, terms_hash="0" * 64, accepted_at=now),
                    campaigns.FulfillmentStarted(**theirs, **invitation),
                ]
            case "DELIVERED":
                return [suppliers.DeliveryCompleted(**theirs, delivered=4)]
            case "INSPECTION":
                return [campaigns.InspectionStarted(**mine)]
        return [
            suppliers.FulfillmentAccepted(
                **theirs,
                delivered=4,
                issue_rate_basis_points=0,
                verdict=verdict,
                open_issue_commitment_ids=reported,
            )
        ]

    @rule(pick=PICK)
    @only_when(lambda self: self.joins and self.state >= 4 and not self.is_over)
    def reports_an_issue(self, pick: int) -> None:
        """A participant reports a fault, perhaps a second one."""
        join, issue_id = self.joins[pick % len(self.joins)], self.identity(next(self.ids))
        self.issues[issue_id] = join.commitment_id
        self.tell(
            suppliers.IssueReported(
                campaign_id=self.campaign_id,
                commitment_id=join.commitment_id,
                participant_id=join.participant_id,
                issue_id=issue_id,
                description_digest="0" * 64,
            )
        )

    @rule(pick=PICK, upheld=st.booleans())
    @only_when(lambda self: self.issues.keys() - self.decided)
    def an_issue_is_decided(self, pick: int, upheld: bool) -> None:
        """Upheld gives back what is still kept."""
        waiting = sorted(self.issues.keys() - self.decided)
        issue_id = waiting[pick % len(waiting)]
        self.decided.add(issue_id)
        join = next(each for each in self.joins if each.commitment_id == self.issues[issue_id])
        if upheld and join.commitment_id in self.books.funded:
            self.books.goes_back(join.commitment_id)
        self.tell(
            suppliers.IssueDecided(
                campaign_id=self.campaign_id,
                commitment_id=join.commitment_id,
                participant_id=join.participant_id,
                issue_id=issue_id,
                verdict="upheld" if upheld else "rejected",
            )
        )

    @rule()
    @only_when(lambda self: not self.is_over and not self.close_asked)
    def a_close_is_asked_for(self) -> None:
        """Campaigns asks for the latch; it closes only when it is granted."""
        told = self.tell(campaigns.CloseRequested(campaign_id=self.campaign_id, reason="fulfillment_failed"))
        granted = any(isinstance(each, clearing.CloseGranted) for each in told)
        assert granted == (self.books.latch is None)
        self.close_asked = granted

    @rule()
    @only_when(lambda self: not self.is_over and (self.close_asked or self.state < 3))
    def the_campaign_closes(self) -> None:
        """Everybody with a balance is refunded."""
        self.is_over = True
        self.books.closes()
        reason = "fulfillment_failed" if self.close_asked else "target_not_reached"
        self.tell(
            campaigns.CampaignClosed(
                campaign_id=self.campaign_id, reason=reason, from_state="ACTIVE", held_units=0, held_commitments=0
            )
        )
