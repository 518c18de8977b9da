"""Escrow on its real database beside Stripe in memory, and books kept beside its own: what the machine of steps acts on.

Every message goes through the real handler, every call through the real purposes and the executor's own posting, and
reconciliation is the service's. `check` compares the accounts after a step; `settle` lets everything come to rest, with
no further webhook, and compares ledger, books and Stripe.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contracts.clearing import ClearingPlanSubmitted, PlanByHandSubmitted
from contracts.envelope import EVENT_NAMESPACE, PLATFORM_SCOPE, SYSTEM, Actor, Message
from contracts.escrow import FloatToppedUp, TopUpFloat
from services.escrow import reconciler
from services.escrow.handlers import make_service
from services.escrow.reconciler import Reconciler
from services.escrow.store.invariants import QUERIES, violations
from services.kit.assertion import make_verifier
from services.kit.batch import BatchHandler
from services.kit.intents import Executor
from services.kit.received import Received
from services.kit.service import Answer, Intent
from tests.fixtures.harness import Harness, Published, make_harness
from tests.integration.escrow_support import Stage, escrow_settings_for
from tests.integration.machine_books import PSP, Books
from tests.integration.machine_stripe import MemoryStripe

FLOAT_MINOR = 50_000_000
ROUNDS_MAX = 12
PSP_CLASSES = ("psp_clearing", "psp_pending", "psp_available", "psp_reserved", "psp_cost")
FAR_IN_TIME = frozenset({"I17"})
"""Invariants that read every row again; they are asked when everything is at rest."""


class World:
    """One database, one account at Stripe, and every campaign that was played on them."""

    def __init__(self, bank: MemoryStripe, harness: Harness) -> None:
        self.bank = bank
        self.harness = harness
        self.stage = Stage(harness, None, bank, Reconciler(bank))  # type: ignore[arg-type]  # there is no stand-in here
        self.books: dict[UUID, Books] = defaultdict(Books)
        self.platform = Books()
        self.plans: dict[UUID, ClearingPlanSubmitted | PlanByHandSubmitted] = {}
        self.sent: list[Received] = []
        self.restart()

    @classmethod
    async def make(cls) -> World:
        """A world with its float in it."""
        bank = MemoryStripe(escrow_settings_for("memory"))
        world = cls(bank, await make_harness(make_service(bank)))
        await world.top_up(FLOAT_MINOR)
        await world.reconcile()
        return world

    async def close(self) -> None:
        """Drop the database."""
        await self.harness.close()

    def restart(self) -> None:
        """Another process takes over: nothing is left in memory, answers that were on their way are lost."""
        harness = self.harness
        harness.handler = BatchHandler(
            harness.service,
            harness.engine,
            verifier=make_verifier(None),
            after_commit=lambda: None,
            stopping=asyncio.Event(),
        )
        harness.executor = Executor(
            harness.service, harness.engine, instance="test", after_commit=lambda: None, conclude_after_seconds=0
        )
        self.stage.reconciler = Reconciler(self.bank)
        self.answers: list[tuple[Intent, Answer]] = []

    # -- in --------------------------------------------------------------------------------------------------------

    async def deliver(self, *messages: Message, actor: Actor = SYSTEM) -> list[Message]:
        """Messages that are new, as one batch; their ids are the same when an example is played again."""
        batch = [
            self.harness.wrap(message, actor=actor, message_id=UUID(int=(0xB << 120) + len(self.sent) + place))
            for place, message in enumerate(messages)
        ]
        self.sent += batch
        return self.take(await self.harness.deliver_received(batch))

    async def deliver_again(self, batch: list[Received]) -> None:
        """Messages that were delivered before."""
        self.take(await self.harness.deliver_received(batch))

    async def top_up(self, amount_minor: int) -> None:
        """The platform adds money of its own."""
        identity = UUID(int=(0xF10A7 << 64) + len(self.bank.lists["topups"]))
        command = TopUpFloat(top_up_id=identity, amount_minor=amount_minor, currency="usd")
        await self.deliver(command, actor=Actor("olga", "operations"))
        for intent in await self.harness.intents("top_up"):
            await self.post(intent, await self.call(intent))

    async def call(self, intent: Intent) -> Answer | None:
        """Journal the attempt and call; None when the campaign is held or the database refuses the attempt."""
        purpose = self.harness.service.purposes[intent.purpose]
        try:
            async with self.harness.engine.begin() as connection:
                taken = await connection.execute(_ATTEMPT, {"id": intent.id, "frozen_too": purpose.runs_while_frozen})
                if taken.rowcount != 1:
                    return None
        except DBAPIError:
            return None
        return await purpose.call(intent)

    async def post(self, intent: Intent, answer: Answer | None) -> None:
        """Post an answer, the first time or again."""
        if answer is not None:
            await self.harness.executor._post_once([(intent, answer)])
            self.take(await self.harness.published())

    async def move_clock(self, **span: float) -> None:
        """Both clocks, and what becomes due."""
        self.bank.offset_seconds += int(timedelta(**span).total_seconds())
        self.take(await self.harness.advance(**span))

    async def reconcile(self, *, patient: bool = True) -> None:
        """A full pass; without patience another one looks up what is then still not known to anybody here."""
        self.take(await self.stage.reconcile())
        if patient:
            return
        before = reconciler.UNEXPLAINED_AFTER
        reconciler.UNEXPLAINED_AFTER = timedelta()
        try:
            self.take(await self.stage.reconcile())
        finally:
            reconciler.UNEXPLAINED_AFTER = before

    # -- out -------------------------------------------------------------------------------------------------------

    def take(self, published: list[Published]) -> list[Message]:
        """Book what escrow told."""
        told: dict[UUID, list[Message]] = defaultdict(list)
        for each in published:
            message = each.message
            if isinstance(message, FloatToppedUp):
                self.platform._move(PSP, "platform_float", message.amount_minor)
            if isinstance(message, ClearingPlanSubmitted | PlanByHandSubmitted):
                self.plans[message.plan_id] = message
            campaign_id = getattr(message, "campaign_id", None)
            if campaign_id is not None:
                told[campaign_id].append(message)
        for campaign_id, messages in told.items():
            self.books[campaign_id].take(messages)
        return [each.message for each in published]

    # -- what must hold ----------------------------------------------------------------------------------------------

    async def check(self, *campaign_ids: UUID) -> None:
        """The accounts of these campaigns and of the platform are what the books say, and no message was poison."""
        scopes = [PLATFORM_SCOPE, *map(str, campaign_ids)]
        accounts: dict[str, Counter[str]] = defaultdict(Counter)
        for row in await self.harness.rows(_ACCOUNTS, scopes=scopes):
            named = row.account in PSP_CLASSES or row.account == "suspense"
            accounts[row.scope][PSP if named else row.account] += row.balance_minor
        for scope in scopes:
            due = self.platform if scope == PLATFORM_SCOPE else self.books[UUID(scope)]
            found = {name: amount for name, amount in accounts[scope].items() if amount}
            assert found == due.balances(), _differences(found, due.balances())
        parked = await self.harness.rows("SELECT reason, headers->>'ce_type', error FROM parked")
        assert parked == [], [tuple(row) for row in parked]

    async def check_invariants(self, *, all_of_them: bool = False) -> None:
        """Every invariant of the ledger."""
        async with self.harness.owner.connect() as connection:
            for name in sorted(QUERIES if all_of_them else QUERIES.keys() - FAR_IN_TIME):
                found = await violations(connection, name)
                assert found == [], (name, found)

    async def settle(self) -> None:
        """Let everything come to rest without a webhook: the banks answer, calls are made, polling finds the rest."""
        for intent, answer in self.answers:
            await self.post(intent, answer)
        self.answers.clear()
        for payment in self.bank.lists["payment_intents"]:
            if payment["status"] == "processing":
                self.bank.payment_succeeds(payment)
        self.bank.refund_course, self.bank.is_restricted = "pays", False
        for _ in range(ROUNDS_MAX):
            for refund in self.bank.lists["refunds"]:
                if refund["status"] == "pending":
                    self.bank.refund_is_paid(refund)
            await self.move_clock(days=1, minutes=20)
            async with self.harness.owner.begin() as connection:
                await connection.execute(text("UPDATE intent SET not_before = NULL, lease_until = NULL"))
            self.take(await self.harness.execute())
            await self.reconcile(patient=False)
            if await self._is_quiet():
                break
        await self.check(*self.books)
        await self.check_invariants(all_of_them=True)
        await self._stripe_agrees()
        await self._held_is_what_is_kept()

    async def _is_quiet(self) -> bool:
        (row,) = await self.harness.rows(
            "SELECT (SELECT count(*) FROM intent WHERE state IN ('recorded', 'attempted')) AS intents, "
            "(SELECT count(*) FROM refund_decision WHERE state IN ('decided', 'pending')) AS refunds, "
            "(SELECT count(*) FROM clearing_object) AS objects"
        )
        return (row.intents, row.refunds, row.objects) == (0, 0, 0)

    async def _stripe_agrees(self) -> None:
        """Each thing that happened at Stripe is in the ledger once, and Stripe's sum is ours."""
        lists = self.bank.lists
        at_stripe = {
            "received": sum(row["amount"] for row in lists["charges"]),
            "refunded": sum(row["amount"] for row in lists["refunds"] if row["status"] == "succeeded"),
            "supplied": sum(self.bank.left_of(row) for row in lists["transfers"]),
            "disputed": -sum(each["amount"] for row in lists["disputes"] for each in row["balance_transactions"]),
            "balance": sum(row["net"] for row in lists["balance_transactions"]),
            "unknown": sum(row["net"] for row in lists["balance_transactions"] if row["type"] == "odd"),
            "clearing": 0,
        }
        (row,) = await self.harness.rows(_FLOWS)
        found = {name: int(amount) for name, amount in row._mapping.items()}
        assert found == at_stripe, _differences(found, at_stripe)

    async def _held_is_what_is_kept(self) -> None:
        """At rest a commitment is held exactly when money of it is committed or kept back, disputes and plans aside."""
        rows = await self.harness.rows(_HELD)
        assert rows == [], [tuple(row) for row in rows]


def event_id(psp_event_id: str) -> UUID:
    """The message id that the gateway gives to a webhook."""
    return UUID(int=int.from_bytes(EVENT_NAMESPACE.bytes[:8] + psp_event_id.encode()[-8:].rjust(8, b"0")))


def _differences(found: dict[str, int], due: dict[str, int]) -> str:
    return "; ".join(
        f"{name}: {found.get(name, 0)} and due {due.get(name, 0)}"
        for name in sorted(found.keys() | due.keys())
        if found.get(name, 0) != due.get(name, 0)
    )


_ACCOUNTS = (
    "SELECT scope, account, balance_minor FROM ledger_account "
    "WHERE scope = ANY (CAST(:scopes AS text[])) AND balance_minor <> 0"
)

_ATTEMPT = text(
    """
    UPDATE intent SET state = 'attempted', attempts = attempts + 1,
        first_attempted_at = COALESCE(first_attempted_at, stack_now()),
        first_attempted_wall = COALESCE(first_attempted_wall, clock_timestamp()),
        prior_attempted_wall = last_attempted_wall, last_attempted_wall = clock_timestamp()
    WHERE id = :id AND state IN ('recorded', 'attempted')
        AND (:frozen_too OR NOT EXISTS (SELECT FROM frozen_scope WHERE frozen_scope.scope = intent.scope))
    """
)

_FLOWS = """
    SELECT
        -COALESCE(SUM(amount_minor) FILTER (WHERE kind IN ('lock', 'late_receipt')), 0) AS received,
        COALESCE(SUM(amount_minor) FILTER (WHERE kind IN ('refund_sent', 'refund_failed')), 0) AS refunded,
        COALESCE(SUM(amount_minor) FILTER (WHERE kind IN ('transfer_sent', 'transfer_back', 'correction')), 0) AS supplied,
        COALESCE(SUM(amount_minor) FILTER (WHERE kind IN ('dispute_withdrawn', 'dispute_reinstated')), 0) AS disputed,
        (SELECT COALESCE(-SUM(balance_minor), 0) FROM ledger_account
            WHERE class IN ('psp_pending', 'psp_available')) AS balance,
        (SELECT COALESCE(SUM(balance_minor), 0) FROM ledger_account WHERE class = 'suspense') AS unknown,
        (SELECT COALESCE(SUM(abs(balance_minor)), 0) FROM clearing_object) AS clearing
    FROM ledger_entry
    JOIN ledger_transfer USING (scope, position)
    WHERE account = 'psp_clearing'
"""

_HELD = """
    SELECT r.commitment_id, r.state, COALESCE(kept.amount, 0) AS kept_minor
    FROM reservation r
    LEFT JOIN (
        SELECT split_part(account, ':', 2)::uuid AS commitment_id, SUM(balance_minor) AS amount
        FROM ledger_account WHERE class IN ('escrow', 'reserve') GROUP BY 1
    ) kept USING (commitment_id)
    WHERE (r.state = 'held') <> (COALESCE(kept.amount, 0) > 0)
        AND NOT EXISTS (SELECT FROM dispute d WHERE d.commitment_id = r.commitment_id AND d.ended_at IS NULL)
        AND NOT EXISTS (
            SELECT FROM clearing_line l JOIN clearing_plan p USING (plan_id)
            WHERE l.commitment_id = r.commitment_id AND p.state IN ('APPROVED', 'CLEARING', 'CLEARED', 'SENDING'))
        AND NOT EXISTS (
            SELECT FROM cases c WHERE c.closed_at IS NULL AND c.subject = r.commitment_id::text)
"""
