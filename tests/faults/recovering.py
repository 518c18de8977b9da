"""What a recovery drill needs: escrow in motion, a copy of its database to fall back to, and the whole of what is judged."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import create_async_engine

from contracts.campaigns import CampaignClosed, CommitmentWithdrawn
from contracts.clearing import SubmitClearingPlan
from contracts.envelope import PLATFORM_SCOPE, parse
from contracts.escrow import LedgerTransfersPosted, ReceivePspEvent
from contracts.proofs.checking import check_platform_file
from contracts.proofs.checkpoint import SignedPlatformCheckpoint
from contracts.suppliers import SupplierRegistered
from contracts.topics import events_topic
from contracts.transparency import CheckpointSigned, PlatformCheckpointSigned
from deploy.audit.check_ledger import check_kit_tables, check_ledger
from deploy.audit.check_records import check_records
from deploy.audit.check_stripe import check_clearing, check_journal
from deploy.audit.findings import Findings
from deploy.audit.journal import StandinJournal
from deploy.audit.snapshot import Snapshot
from services.escrow.recover.run import Recovered, recover
from services.escrow.recover.topics import read_topic
from services.escrow.settings import EscrowSettings
from services.kit.clock import wall_now
from tests.faults.parts import SUPPLIER_ID, UNIT_PRICE_MINOR
from tests.faults.scenarios import EscrowScenario
from tests.faults.stripe_scenarios import ANA, ReleaseCall
from tests.fixtures.infra import PARTS, Database
from tests.integration.checkpoint_keys import CHECKPOINT_KEYS
from tests.integration.standin_support import API_KEY

PREFIX = "ALPMERA_"


class RecoveryDrill(ReleaseCall):
    """Several campaigns, each about one thing that happens before or after the moment that the copy is from."""

    async def environment(self) -> Mapping[str, str]:
        """Checkpoints are signed every second."""
        keys = {PREFIX + name.upper(): value for name, value in CHECKPOINT_KEYS.items()}
        return {
            **await super().environment(),
            **keys,
            "ALPMERA_CHECKPOINT_SECONDS": "1",
            "ALPMERA_STRIPE_TIMEOUT_SECONDS": "5",
        }

    async def prepare_only(self, count: int, *, released: int | None, funded: Sequence[int]) -> None:
        """Open campaigns with waiting tokens; fund some; bring one to where its release awaits the second approval."""
        await EscrowScenario.prepare(self, count)
        account = await self.standin.sdk.accounts.create_async(
            {"country": "US", "capabilities": {"transfers": {"requested": True}}}
        )
        await self.rig.event(
            SupplierRegistered(
                supplier_id=SUPPLIER_ID, display_name="Emerald", payout_account_id=account.id, tier="provisional"
            )
        )
        for number in (*funded, *([released] if released is not None else [])):
            await self.fund(number)
        await self.rig.quiet()
        if released is not None:
            each = self.campaigns[released]
            await self.to_inspection(each)
            await self.settled()
            submit = SubmitClearingPlan(
                campaign_id=each.campaign_id, plan_id=uuid4(), plan_kind="release", reason="all met"
            )
            await self.rig.command(submit, actor=ANA)
            await self.rig.quiet()

    # -- what happens ---------------------------------------------------------------------------------------------

    async def fund(self, number: int) -> None:
        """Units are reserved; the waiting token pays."""
        await self.rig.event(self.campaigns[number].reserved())

    async def withdraw(self, number: int, was: str = "LOCKED") -> None:
        """The participant leaves."""
        each = self.campaigns[number]
        await self.rig.event(
            CommitmentWithdrawn(
                campaign_id=each.campaign_id,
                commitment_id=each.commitment_id,
                participant_id=each.participant_id,
                was=was,
                quantity=1,
                amount_minor=UNIT_PRICE_MINOR,
                held_units=0,
                reserved_units=0,
                held_commitments=0,
            )
        )

    async def close(self, number: int) -> None:
        """The campaign ends without its target."""
        campaign_id = self.campaigns[number].campaign_id
        await self.rig.event(
            CampaignClosed(
                campaign_id=campaign_id,
                reason="target_not_reached",
                from_state="ACTIVE",
                held_units=1,
                held_commitments=1,
            )
        )

    async def dispute(self, number: int) -> None:
        """The bank takes the money of a payment."""
        rows = await self.rig.rows(
            "SELECT charge_id FROM payment WHERE commitment_id = :id", id=self.campaigns[number].commitment_id
        )
        status, body = await self.standin.control(
            "POST", f"charges/{rows[0].charge_id}/dispute", {"inquiry": False, "reason": "product_not_received"}
        )
        assert status == 200, body
        page = await self.standin.sdk.events.list_async({"limit": 100, "type": "charge.dispute.*"})
        for event in reversed(page.data):
            hint = ReceivePspEvent(
                scope_id=PLATFORM_SCOPE, psp_event_id=event.id, psp_event_type=event.type, body=event.to_dict()
            )
            await self.rig.command(hint, topic="escrow.psp")

    async def leave_while_it_is_paid(self, number: int) -> None:
        """The money comes for somebody who has left meanwhile."""
        await self.standin.fault(
            match={"method": "POST", "path": "/v1/payment_intents"}, action="timeout_after", seconds=6
        )
        await self.fund(number)

        async def paid() -> bool:
            return await self.payment_intents(number) == ["succeeded"]

        await self.rig.until(paid, "Stripe has the payment")
        await self.withdraw(number, "PENDING_FUNDS")

    async def is_told(self, number: int, kind: str, times: int = 1) -> None:
        """Wait until an event was told."""

        async def told() -> bool:
            return await self.told(number, kind) == times

        await self.rig.until(told, f"{kind} of campaign {number}")

    # -- back in time ---------------------------------------------------------------------------------------------

    async def copy(self) -> Database:
        """Kill the service, whatever it is doing, copy its database, and let it go on."""
        await self.rig.kill()
        await self.rig.owner.dispose()
        name = self.rig.database.name + "_copy"
        owner, app = await asyncio.to_thread(PARTS.infra.clone_database, self.rig.database.name, name)
        await self.rig.start()
        return Database(name, owner, app)

    async def put_in_place(self, copy: Database) -> Database:
        """The copy is the service's database from now on; returns the one before."""
        await self.rig.owner.dispose()
        before, self.rig.database = self.rig.database, copy
        self.rig.owner = create_async_engine(copy.owner)
        self.rig.environment["ALPMERA_DATABASE_URL"] = copy.app
        return before

    async def recover(self) -> tuple[Recovered, list[str]]:
        """Recover the database in place; what came of it, and what was reported."""
        values: dict[str, Any] = {
            name.removeprefix(PREFIX).lower(): value for name, value in self.rig.environment.items()
        }
        values["database_url"] = SecretStr(self.rig.database.owner)
        lines: list[str] = []
        return await recover(EscrowSettings(**values), lines.append), lines

    # -- what is judged -------------------------------------------------------------------------------------------

    async def assert_books_agree(self) -> None:
        """The audit's checks of escrow's database and of Stripe's own journal find nothing."""
        findings = Findings()
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(self.rig.owner.connect())
            snapshot = Snapshot({"escrow": connection}, 1, wall_now(), wall_now().timestamp())
            await check_ledger(snapshot, findings)
            await check_kit_tables(snapshot, findings, "escrow")
            await check_records(snapshot, findings, "escrow")
            await check_clearing(snapshot, findings)
            journal = await stack.enter_async_context(StandinJournal(self.standin.url, API_KEY))
            await check_journal(snapshot, findings, journal, quiet=True)
        found = {name: entry.examples for name, entry in findings.entries.items() if entry.violations}
        assert found == {}

    async def assert_nothing_is_forked(self) -> None:
        """What the topic holds and what the database holds is the same: every transfer's hash, every checkpoint, and
        the public file is one chain."""
        await self.rig.until(self._all_signed, "everything is signed, covered and sent")
        told: dict[tuple[str, str, int], set[str]] = {}
        async for records in read_topic(PARTS.infra.kafka_bootstrap, events_topic("escrow"), prefix=self.rig.prefix):
            for record in records:
                message = parse(record.envelope.type, record.body or b"")
                if isinstance(message, LedgerTransfersPosted):
                    for transfer in message.transfers:
                        told.setdefault(("transfer", transfer.scope, transfer.position), set()).add(transfer.hash)
                elif isinstance(message, CheckpointSigned):
                    body = message.checkpoint.body
                    told.setdefault(("checkpoint", body.scope, body.number), set()).add(message.hash)
                elif isinstance(message, PlatformCheckpointSigned):
                    told.setdefault(("platform", "", message.checkpoint.body.number), set()).add(message.hash)
        rows = await self.rig.rows(
            "SELECT 'transfer' AS what, scope, position AS number, hash FROM ledger_transfer "
            "UNION ALL SELECT 'checkpoint', scope, number, hash FROM checkpoint "
            "UNION ALL SELECT 'platform', '', number, hash FROM platform_checkpoint"
        )
        assert {(row.what, row.scope, row.number): {row.hash} for row in rows} == told
        lines = await self.rig.rows("SELECT body, signature, public_key FROM platform_checkpoint ORDER BY number")
        signed = [
            SignedPlatformCheckpoint.model_validate_json(
                f'{{"body": {row.body}, "signature": "{row.signature}", "public_key": "{row.public_key}"}}'
            )
            for row in lines
        ]
        assert [step.words for step in check_platform_file(tuple(signed)) if not step.holds] == []

    async def _all_signed(self) -> bool:
        ((left,),) = await self.rig.rows(
            "SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL) "
            "+ (SELECT count(*) FROM ledger_scope s WHERE s.transfer_count > COALESCE("
            "(SELECT max(c.position) FROM checkpoint c WHERE c.scope = s.scope), 0)) "
            "+ (SELECT count(*) FROM (SELECT DISTINCT ON (scope) scope, number FROM checkpoint "
            "ORDER BY scope, number DESC) n WHERE NOT EXISTS ("
            "SELECT FROM platform_cover p WHERE p.scope = n.scope AND p.number = n.number))"
        )
        return bool(left == 0)

    async def refunds(self, number: int) -> list[str]:
        """The states of a commitment's refunds at the stand-in."""
        page = await self.standin.sdk.refunds.list_async({"limit": 100})
        wanted = str(self.campaigns[number].commitment_id)
        return [str(each.status) for each in page.data if wanted in str(each.metadata)]
