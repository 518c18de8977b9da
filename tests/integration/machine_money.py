"""The steps of money: plans and their approvals, calls and answers, Stripe, the banks, time and reconciliation."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from contracts import clearing
from contracts.escrow import ReceivePspEvent
from services.escrow.domain.plan_rules import PLAN_RULES
from tests.integration.escrow_support import ANA, BEN
from tests.integration.machine_steps import PICK, Steps, only_when
from tests.integration.machine_world import event_id

VERBS = ("is won", "is lost", "is closed", "escalates", "is taken up again")
STATES = (
    "ACTIVE", "TARGET_ACHIEVED", "PENDING_ACCEPTANCE", "FULFILLMENT", "DELIVERED", "INSPECTION", "VERDICT",
)  # fmt: skip


class MoneySteps(Steps):
    """What happens to a campaign's money, at Stripe and by hand."""

    # -- plans --------------------------------------------------------------------------------------------------------

    @rule(kind=st.sampled_from(["release", "release", "reserve_release"]), by_ana=st.booleans())
    def submits_release(self, kind: str, by_ana: bool) -> None:
        """A release from the records."""
        command = clearing.SubmitClearingPlan(
            campaign_id=self.campaign_id, plan_id=self.identity(next(self.ids)), plan_kind=kind, reason="all met"
        )
        self.tell(command, actor=ANA if by_ana else BEN)

    @rule(
        kind=st.sampled_from(["manual_refund", "partial_refund", "outside_payout", "goodwill", "recovery", "give_up"]),
        pick=PICK,
        part=st.sampled_from([0, 1, 1_200, 5_000, 10_000]),
        about=PICK,
    )
    @only_when(lambda self: self.books.funded)
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

    @rule(pick=PICK)
    @only_when(lambda self: self.books.released is not None or self.books.accounts["house_paid"])
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

    @rule(pick=PICK, same_person=st.booleans())
    @only_when(lambda self: self._plans())
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

    @rule(pick=PICK)
    @only_when(lambda self: self._plans())
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

    @rule(pick=PICK)
    @only_when(lambda self: self.w.answers)
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
    @only_when(lambda self: self._mine("refunds"))
    def a_refund_moves(self, pick: int, verb: str) -> None:
        """A pending refund is paid, or any refund comes back."""
        states = ("pending",) if verb == "is paid" else ("pending", "succeeded")
        found = [each for each in self._mine("refunds") if each["status"] in states]
        if found and verb == "is paid":
            self.w.bank.refund_is_paid(found[pick % len(found)])
        elif found:
            self.w.bank.refund_fails(found[pick % len(found)])

    @rule(pick=PICK, inquiry=st.booleans(), in_part=st.booleans(), is_read=st.booleans())
    @only_when(lambda self: self.books.funded)
    def a_bank_disputes(self, pick: int, inquiry: bool, in_part: bool, is_read: bool) -> None:
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
            if is_read:
                self.run(self.w.reconcile())

    @rule(pick=PICK, verb=st.sampled_from(VERBS), is_read=st.booleans())
    @only_when(lambda self: self._disputes())
    def a_dispute_goes_on(self, pick: int, verb: str, is_read: bool) -> None:
        """The bank's next step, where it is possible."""
        found = self._disputes()
        self.w.bank.dispute_goes_on(found[pick % len(found)], verb)
        if is_read:
            self.run(self.w.reconcile())

    def _disputes(self) -> list[dict[str, Any]]:
        payments = {each["id"] for each in self._mine("payment_intents")}
        return [each for each in self.w.bank.lists["disputes"] if each["payment_intent"] in payments]

    @rule(pick=PICK, amount=st.sampled_from([1, 1_000, 4_000]))
    @only_when(lambda self: self._mine("transfers"))
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
