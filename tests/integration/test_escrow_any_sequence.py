"""Any sequence of commands, answers, webhooks and balance transactions keeps every invariant of the ledger.

A machine of steps plays the other services, the people, the banks and Stripe against escrow's real handlers on its real
database. After every step the accounts are compared with books that are kept beside them; every few steps and at rest
every invariant is asked. A failure prints its steps, made as few as they can be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contracts import campaigns, clearing, suppliers
from contracts.envelope import SYSTEM, Actor, Message
from contracts.escrow import ReceivePspEvent, UsePaymentMethod
from services.escrow.domain.plan_rules import PLAN_RULES
from services.escrow.usecases import clear_plan
from tests.integration.escrow_support import ANA, BEN, OLGA, UNIT_PRICE_MINOR
from tests.integration.machine_books import Books
from tests.integration.machine_world import World, event_id

JOINS_MAX = 6
CAMPAIGNS_PER_WORLD = 10
STEPS_BETWEEN_INVARIANTS = 8
PICK = st.integers(0, 11)
COURSES = st.sampled_from(["pays", "pays", "pays", "asks", "declines", "waits"])
STATES = (
    "ACTIVE", "TARGET_ACHIEVED", "PENDING_ACCEPTANCE", "FULFILLMENT", "DELIVERED", "INSPECTION", "VERDICT",
)  # fmt: skip
STARTS = {"empty": (0, 0, False), "joining": (3, 0, False), "inspection": (3, 6, False), "released": (4, 6, True)}


class AnySequence(RuleBasedStateMachine):
    """One campaign; the rules are what anybody may do to it, in any sequence."""

    world: ClassVar[World | None] = None
    loop: ClassVar[asyncio.AbstractEventLoop]
    number: ClassVar[Iterator[int]]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        cls = type(self)
        self.example = next(cls.number)
        if cls.world is not None and self.example % CAMPAIGNS_PER_WORLD == 0:
            self.run(cls.world.close())
            cls.world = None
        if cls.world is None:
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
        return type(self).loop.run_until_complete(asyncio.wait_for(coroutine, 60))

    def tell(self, *messages: Message, actor: Actor = SYSTEM) -> list[Message]:
        """Deliver something new."""
        return self.run(self.w.deliver(*messages, actor=actor))  # type: ignore[no-any-return]

    def identity(self, ordinal: int) -> UUID:
        """An id that sorts by when it was made, so that a failure plays again the same way."""
        return UUID(int=(0xA << 120) + (self.example << 32) + ordinal)

    # -- the beginning and the end -----------------------------------------------------------------------------------

    @initialize(start=st.sampled_from(sorted(STARTS)))
    def begins(self, start: str) -> None:
        """The campaign collects; some examples begin later in its life."""
        funded, moves, is_released = STARTS[start]
        stage = self.w.stage
        stage.supplier_id = self.supplier_id
        self.w.bank.refund_course, self.w.bank.is_restricted = "pays", False
        self.run(stage.open())
        self.tell(
            suppliers.SupplierRegistered(
                supplier_id=self.supplier_id, display_name="Dock", payout_account_id="acct_1", tier="provisional"
            )
        )
        for _ in range(funded):
            self.joins_campaign(units=1, course="pays", method_first=False)
        self.run(self._execute())
        for _ in range(moves):
            self.campaign_moves_on(verdict="release")
        if is_released:
            self.submits_release(kind="release", by_ana=True)
            self.approves(pick=0, same_person=False)
            self.time_passes("a second")
            self.run(self._execute())
            self.campaign_moves_on(verdict="release")

    def teardown(self) -> None:
        """Whatever happened: when everything has come to rest, all of it adds up."""
        if self.made:
            self.run(self.w.settle())

    @invariant()
    def the_books_agree(self) -> None:
        """After every step."""
        self.made += 1
        type(self).steps += 1
        self.run(self.w.check(self.campaign_id))
        if self.made % STEPS_BETWEEN_INVARIANTS == 0:
            self.run(self.w.check_invariants())

    # -- people ------------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.joins) < JOINS_MAX and self.state < 2 and not self.is_over)
    @rule(units=st.integers(1, 3), course=COURSES, method_first=st.booleans())
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

    @precondition(lambda self: self.joins)
    @rule(pick=PICK, course=COURSES, attempt=st.integers(1, 3))
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

    @precondition(lambda self: self.state < 4 and not self.is_over and len(self.left) < len(self.joins))
    @rule(pick=PICK)
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

    @precondition(lambda self: not self.is_over)
    @rule(verdict=st.sampled_from(["release", "release_less_reserve", "hold"]))
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

    @precondition(lambda self: self.joins and self.state >= 4 and not self.is_over)
    @rule(pick=PICK)
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

    @precondition(lambda self: self.issues.keys() - self.decided)
    @rule(pick=PICK, upheld=st.booleans())
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

    @precondition(lambda self: not self.is_over and not self.close_asked)
    @rule()
    def a_close_is_asked_for(self) -> None:
        """Campaigns asks for the latch; it closes only when it is granted."""
        told = self.tell(campaigns.CloseRequested(campaign_id=self.campaign_id, reason="fulfillment_failed"))
        granted = any(isinstance(each, clearing.CloseGranted) for each in told)
        assert granted == (self.books.latch is None)
        self.close_asked = granted

    @precondition(lambda self: not self.is_over and (self.close_asked or self.state < 3))
    @rule()
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

    # -- plans --------------------------------------------------------------------------------------------------------

    @rule(kind=st.sampled_from(["release", "release", "reserve_release"]), by_ana=st.booleans())
    def submits_release(self, kind: str, by_ana: bool) -> None:
        """A release from the records."""
        command = clearing.SubmitClearingPlan(
            campaign_id=self.campaign_id, plan_id=self.identity(next(self.ids)), plan_kind=kind, reason="all met"
        )
        self.tell(command, actor=ANA if by_ana else BEN)

    @precondition(lambda self: self.books.funded)
    @rule(
        kind=st.sampled_from(["manual_refund", "partial_refund", "outside_payout", "goodwill", "recovery", "give_up"]),
        pick=PICK,
        part=st.sampled_from([0, 1, 1_200, 5_000, 10_000]),
        about=PICK,
    )
    def submits_by_hand(self, kind: str, pick: int, part: int, about: int) -> None:
        """An act by hand over one commitment; 0 asks for all that there is."""
        funded = sorted(self.books.funded)
        commitment_id = funded[pick % len(funded)]
        amount = part or max(
            (self.books.of(name, commitment_id) for name in ("escrow", "reserve", "refund_payable")), default=0
        )
        plans = sorted(plan_id for plan_id, plan in self.w.plans.items() if plan.campaign_id == self.campaign_id)
        lines = (clearing.WantedLine(commitment_id=commitment_id, amount_minor=amount),)
        command = clearing.SubmitPlanByHand(
            campaign_id=self.campaign_id,
            plan_id=self.identity(next(self.ids)),
            plan_kind=kind,
            reason="told by phone",
            reason_code=min(PLAN_RULES[kind].reasons),  # type: ignore[index]
            lines=() if kind == "give_up" else lines,
            currency=None if kind == "give_up" else "usd",
            evidence=("doc:1",),
            target_plan_id=plans[about % len(plans)] if plans else None,
        )
        self.tell(command, actor=ANA)

    @precondition(lambda self: self.books.released is not None or self.books.accounts["house_paid"])
    @rule(pick=PICK)
    def submits_a_correction(self, pick: int) -> None:
        """The exact reverse of something that people entered or classed."""
        rows = self.run(self.w.harness.rows(_CORRECTABLE, scope=str(self.campaign_id)))
        if not rows:
            return
        row, plan_id = rows[pick % len(rows)], self.identity(next(self.ids))
        if row.kind == "transfer_back":
            self.books.corrections[plan_id] = (row.amount_minor, row.was_recovery)
        command = clearing.SubmitPlanByHand(
            campaign_id=self.campaign_id,
            plan_id=plan_id,
            plan_kind="correction",
            reason="entered wrongly",
            reason_code="wrong_posting",
            evidence=("doc:2",),
            target_position=row.position,
        )
        self.tell(command, actor=ANA)

    @precondition(lambda self: self._plans())
    @rule(pick=PICK, same_person=st.booleans())
    def approves(self, pick: int, same_person: bool) -> None:
        """The second approval of the newest plans; by the maker it never passes."""
        plans = self._plans()
        plan = plans[-1 - pick % min(len(plans), 3)]
        other = BEN if plan.maker_id == ANA.id else ANA
        maker = ANA if plan.maker_id == ANA.id else BEN
        told = self.tell(
            clearing.ApproveClearingPlan(campaign_id=self.campaign_id, plan_id=plan.plan_id, plan_hash=plan.plan_hash),
            actor=maker if same_person else other,
        )
        assert not (same_person and any(isinstance(each, clearing.ClearingPlanApproved) for each in told))

    @precondition(lambda self: self._plans())
    @rule(pick=PICK)
    def retries_a_transfer(self, pick: int) -> None:
        """A refused transfer is tried again."""
        plans = self._plans()
        plan_id = plans[pick % len(plans)].plan_id
        self.tell(clearing.RetryPlanTransfer(campaign_id=self.campaign_id, plan_id=plan_id), actor=ANA)

    def _plans(self) -> list[Any]:
        found = [plan for plan in self.w.plans.values() if plan.campaign_id == self.campaign_id]
        return sorted(found, key=lambda plan: plan.plan_id)

    # -- calls and their answers ----------------------------------------------------------------------------------------

    @rule(pick=PICK, then=st.sampled_from(["posted", "posted", "kept", "lost"]))
    def a_call_is_made(self, pick: int, then: str) -> None:
        """One recorded or unanswered intent is called; its answer comes now, later or never."""
        intents = self.run(self.w.harness.intents())
        if not intents:
            return
        intent = intents[pick % len(intents)]
        answer = self.run(self.w.call(intent))
        if answer is None or then == "lost":
            return
        self.w.answers.append((intent, answer))
        if then == "posted":
            self.run(self.w.post(intent, answer))

    @precondition(lambda self: self.w.answers)
    @rule(pick=PICK)
    def an_answer_comes(self, pick: int) -> None:
        """An answer that was kept, or one that was posted before."""
        self.run(self.w.post(*self.w.answers[pick % len(self.w.answers)]))

    @rule()
    def every_call_is_made(self) -> None:
        """The executor's own round."""
        self.run(self._execute())

    async def _execute(self) -> None:
        self.w.take(await self.w.harness.execute())

    @rule()
    def another_process_takes_over(self) -> None:
        """Nothing but the database is left."""
        self.w.restart()

    # -- Stripe and the banks ---------------------------------------------------------------------------------------------

    def _mine(self, collection: str) -> list[dict[str, Any]]:
        rows = self.w.bank.lists[collection]
        return [row for row in rows if row["metadata"].get("campaign_id") == str(self.campaign_id)]

    @rule(pick=PICK, verb=st.sampled_from(["pays", "pays", "declines", "works on it"]))
    def the_bank_answers_a_payment(self, pick: int, verb: str) -> None:
        """The participant confirmed, or the bank thought again."""
        waiting = [
            each for each in self._mine("payment_intents") if each["status"] in ("requires_action", "processing")
        ]
        if not waiting:
            return
        payment = waiting[pick % len(waiting)]
        if verb == "pays":
            self.w.bank.payment_succeeds(payment)
        elif verb == "declines":
            self.w.bank.payment_fails(payment)
        else:
            payment["status"] = "processing"

    @rule(course=st.sampled_from(["pays", "waits", "refuses"]), is_restricted=st.booleans())
    def stripe_changes_its_mood(self, course: str, is_restricted: bool) -> None:
        """How refunds and transfers go from now on."""
        self.w.bank.refund_course, self.w.bank.is_restricted = course, is_restricted

    @rule(pick=PICK, verb=st.sampled_from(["is paid", "fails"]))
    def a_refund_moves(self, pick: int, verb: str) -> None:
        """A pending refund is paid, or any refund comes back."""
        states = ("pending",) if verb == "is paid" else ("pending", "succeeded")
        found = [each for each in self._mine("refunds") if each["status"] in states]
        if found and verb == "is paid":
            self.w.bank.refund_is_paid(found[pick % len(found)])
        elif found:
            self.w.bank.refund_fails(found[pick % len(found)])

    @precondition(lambda self: self.books.funded)
    @rule(pick=PICK, inquiry=st.booleans(), in_part=st.booleans())
    def a_bank_disputes(self, pick: int, inquiry: bool, in_part: bool) -> None:
        """A dispute or an inquiry about a charge that has none open."""
        payments = {each["id"] for each in self._mine("payment_intents")}
        disputed = {each["charge"] for each in self.w.bank.lists["disputes"] if each["status"] != "warning_closed"}
        charges = [
            each
            for each in self.w.bank.lists["charges"]
            if each["payment_intent"] in payments and each["id"] not in disputed
        ]
        if charges:
            charge = charges[pick % len(charges)]
            amount = charge["amount"] // 2 if in_part else charge["amount"]
            self.w.bank.dispute_opens(charge, amount_minor=amount, inquiry=inquiry)

    @rule(pick=PICK, verb=st.sampled_from(["is won", "is lost", "is closed", "escalates", "is taken up again"]))
    def a_dispute_goes_on(self, pick: int, verb: str) -> None:
        """The bank's next step, where it is possible."""
        payments = {each["id"] for each in self._mine("payment_intents")}
        found = [each for each in self.w.bank.lists["disputes"] if each["payment_intent"] in payments]
        if found:
            self.w.bank.dispute_goes_on(found[pick % len(found)], verb)

    @rule(pick=PICK, amount=st.sampled_from([1, 1_000, 4_000]))
    def somebody_reverses_a_transfer(self, pick: int, amount: int) -> None:
        """Not asked for by us: somebody did it at Stripe."""
        transfers = [each for each in self._mine("transfers") if self.w.bank.left_of(each) >= amount]
        if transfers:
            transfer = transfers[pick % len(transfers)]
            self.run(self.w.bank.send("post", f"/v1/transfers/{transfer['id']}/reversals", {"amount": amount}))

    @rule(kind=st.sampled_from(["stripe_fee", "reserve_transaction", "odd"]), amount=st.sampled_from([-700, -25, 300]))
    def the_account_moves(self, kind: str, amount: int) -> None:
        """Stripe takes a fee or keeps a reserve, or something moves that nobody can explain."""
        if kind == "reserve_transaction" and amount > 0:
            held = -sum(each["net"] for each in self.w.bank.lists["balance_transactions"] if each["type"] == kind)
            amount = held
        if amount:
            self.w.bank.account_moves(kind, amount)

    @rule(amount=st.sampled_from([50, 100_000]))
    def the_float_is_topped_up(self, amount: int) -> None:
        """The platform adds money of its own."""
        self.run(self.w.top_up(amount))

    @rule(picks=st.lists(st.integers(0, 39), min_size=1, max_size=4))
    def webhooks_come(self, picks: list[int]) -> None:
        """Events of any age, in any sequence, some for the second time, in one batch."""
        recent = self.w.bank.lists["events"][-40:]
        messages = {}
        for pick in picks:
            event = recent[-1 - pick % len(recent)]
            metadata = event["data"]["object"]["metadata"]
            messages[event["id"]] = ReceivePspEvent(
                scope_id=metadata.get("campaign_id", "platform"),
                psp_event_id=event["id"],
                psp_event_type=event["type"],
                body=event,
            )
        harness = self.w.harness
        batch = [harness.wrap(message, message_id=event_id(name)) for name, message in messages.items()]
        self.w.sent += batch
        self.run(self.w.deliver_again(batch))

    @rule(pick=st.integers(0, 200), length=st.integers(1, 5))
    def messages_come_again(self, pick: int, length: int) -> None:
        """Some earlier messages are delivered once more."""
        mine = self.w.sent[self.first_sent :]
        if mine:
            start = pick % len(mine)
            self.run(self.w.deliver_again(mine[start : start + length]))

    # -- time and reconciliation --------------------------------------------------------------------------------------------

    @rule(span=st.sampled_from(["a second", "a second", "a minute", "20 minutes", "7 hours", "a day", "3 days"]))
    def time_passes(self, span: str) -> None:
        """Deadlines act when they are due."""
        spans: dict[str, dict[str, int]] = {
            "a second": {"seconds": 1},
            "a minute": {"minutes": 1, "seconds": 1},
            "20 minutes": {"minutes": 20},
            "7 hours": {"hours": 7},
            "a day": {"days": 1, "minutes": 2},
            "3 days": {"days": 3},
        }
        self.run(self.w.move_clock(**spans[span]))

    @rule(patient=st.booleans())
    def reconciliation_runs(self, patient: bool) -> None:
        """A full pass over Stripe's lists."""
        self.run(self.w.reconcile(patient=patient))


_CORRECTABLE = """
    SELECT t.position, t.kind, SUM(e.amount_minor) FILTER (WHERE e.amount_minor > 0)::bigint AS amount_minor,
        bool_or(e.account = 'dispute_loss') AS was_recovery
    FROM ledger_transfer t
    JOIN ledger_entry e ON e.scope = t.scope AND e.position = t.position
    WHERE t.scope = :scope AND t.kind IN ('refund_paid_outside', 'transfer_back')
    GROUP BY t.position, t.kind
    ORDER BY t.position
"""


def play(*, examples: int, steps: int, by_chance: bool) -> int:
    """Run the machine; returns how many steps were made in all."""
    AnySequence.loop = asyncio.new_event_loop()
    AnySequence.number, AnySequence.steps = count(), 0
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=not by_chance,
        print_blob=by_chance,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(AnySequence, settings=chosen)
    finally:
        if AnySequence.world is not None:
            AnySequence.loop.run_until_complete(AnySequence.world.close())
        AnySequence.world = None
        AnySequence.loop.close()
    return AnySequence.steps


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are worked off two lines at a time, so that much can happen in between."""
    monkeypatch.setattr(clear_plan, "LINES_PER_TRANSACTION_MAX", 2)


def test_any_sequence_of_steps_keeps_the_ledger() -> None:
    assert play(examples=8, steps=40, by_chance=False) >= 200


@pytest.mark.full
@pytest.mark.timeout(1_500)
def test_thousands_of_steps_keep_the_ledger() -> None:
    assert play(examples=150, steps=50, by_chance=True) >= 4_000
