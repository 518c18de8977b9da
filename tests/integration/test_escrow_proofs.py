"""Checkpoints and proofs from a real ledger: every one verifies offline, and what is not covered yet is said."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest_asyncio

from contracts.envelope import PLATFORM_SCOPE, SYSTEM, Envelope
from contracts.proofs.checking import check_commitment, check_platform_file, check_together
from contracts.proofs.checkpoint import SignedPlatformCheckpoint
from contracts.proofs.files import CommitmentProof
from contracts.transparency import CheckpointSigned, CommitmentProven, PlatformCheckpointSigned, ProveCommitment
from services.escrow.checkpointer import Checkpointer
from services.escrow.domain import postings
from services.escrow.settings import EscrowSettings
from services.escrow.usecases.prove_commitment import Prover
from services.kit.transaction import work_on
from services.kit.work import Work
from tests.integration.checkpoint_keys import CHECKPOINT_KEYS
from tests.integration.escrow_support import Join, Stage, escrow_settings_for, of, staged
from tests.integration.ledger_support import SERVICE, LedgerStage, ledger_stage


def settings() -> EscrowSettings:
    return escrow_settings_for("unused", **CHECKPOINT_KEYS)


def failures(proof: CommitmentProof) -> list[str]:
    return [step.words for step in check_commitment(proof) if not step.holds]


# -- the whole service ------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def stage(harness: Any, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(harness, tmp_path, **CHECKPOINT_KEYS) as made:
        yield made


async def sent(stage: Stage) -> None:
    """As the relay marks what the broker has acknowledged."""
    async with stage.harness.owner.begin() as connection:
        await connection.exec_driver_sql("UPDATE outbox SET published_at = clock_timestamp()")


async def proven(stage: Stage, join: Join, *, since: int | None = None, actor: Any = None) -> CommitmentProven:
    question = ProveCommitment(campaign_id=stage.campaign_id, commitment_id=join.commitment_id, since_number=since)
    (answer,) = of(await stage.harness.deliver(question, actor=actor or join.person), CommitmentProven)
    return answer


async def test_an_owner_gets_a_proof_that_verifies_and_nobody_else_does(stage: Stage) -> None:
    checkpointer = Checkpointer(settings)
    joins = await stage.funded(3)
    assert (await proven(stage, joins[0])).refusal == "proof_not_ready"
    await sent(stage)
    assert await checkpointer.step(stage) == 1
    published = await stage.harness.published()
    (signed,), (platform,) = of(published, CheckpointSigned), of(published, PlatformCheckpointSigned)
    assert signed.checkpoint.body.sums["escrow"] == 15_000
    assert platform.checkpoint.body.owed == {"usd": 15_000}
    for join in joins:
        proof = (await proven(stage, join)).proof
        assert proof is not None
        assert failures(proof) == []
        assert (proof.state.amounts.escrow, len(proof.movements), proof.earlier) == (5_000, 1, None)
        assert proof.platform is not None
    assert (await proven(stage, joins[0], actor=joins[1].person)).refusal == "not_found"
    assert (await proven(stage, stage.join())).refusal == "not_found"


async def test_a_refund_shows_in_the_next_proof_and_history_before_it_is_unchanged(stage: Stage) -> None:
    checkpointer = Checkpointer(settings)
    join, other = await stage.funded(2)
    await sent(stage)
    await checkpointer.step(stage)
    first = (await proven(stage, join)).proof
    await stage.harness.deliver(stage.withdrawn(join, "LOCKED"))
    await stage.harness.execute()
    await sent(stage)
    assert await checkpointer.step(stage) == 1
    proof = (await proven(stage, join, since=1)).proof
    assert first is not None
    assert proof is not None
    assert failures(proof) == []
    assert [each.transfer.kind for each in proof.movements] == ["lock", "refund_decided", "refund_sent"]
    assert proof.state.amounts.sums == (0, 0, 0, 0)
    assert proof.earlier is not None
    assert proof.earlier.checkpoint == first.checkpoint
    assert first.state.salt != proof.state.salt
    assert [step for step in check_together({}, {"first": first, "second": proof}) if not step.holds] == []
    assert (await proven(stage, other, since=7)).refusal == "checkpoint_unknown"
    assert (await proven(stage, other)).proof is not None


async def test_only_what_has_left_the_database_is_signed(stage: Stage, monkeypatch: Any) -> None:
    monkeypatch.setattr("services.escrow.checkpointer.SENT_LOOKS_MAX", 1)
    monkeypatch.setattr("services.escrow.checkpointer.SENT_LOOK_SECONDS", 0)
    await stage.funded(1)
    assert await Checkpointer(settings).step(stage) == 0
    await sent(stage)
    assert await Checkpointer(settings).step(stage) == 1
    await sent(stage)
    assert await Checkpointer(settings).step(stage) == 0


async def test_the_public_file_is_one_chain_with_what_stripe_said(stage: Stage) -> None:
    checkpointer = Checkpointer(settings)
    await stage.reconciler.first_top_up(stage)
    await stage.harness.execute()
    for _ in range(3):
        await stage.funded(1)
        await stage.reconcile()
        await sent(stage)
        await checkpointer.step(stage)
    rows = await stage.harness.rows("SELECT body, signature, public_key FROM platform_checkpoint ORDER BY number")
    lines = tuple(
        SignedPlatformCheckpoint.model_validate(
            {"body": json.loads(row.body), "signature": row.signature, "public_key": row.public_key}
        )
        for row in rows
    )
    assert [step.words for step in check_platform_file(lines) if not step.holds] == []
    assert len(lines) == 3
    told = lines[-1].body
    assert told.owed == {"usd": 15_000}
    assert told.psp_balance["usd"].balance_minor == told.held["usd"]


async def test_no_event_carries_a_salt_or_a_leaf(stage: Stage) -> None:
    (join,) = await stage.funded(1)
    await sent(stage)
    await Checkpointer(settings).step(stage)
    proof = (await proven(stage, join)).proof
    assert proof is not None
    rows = await stage.harness.rows("SELECT payload FROM outbox WHERE topic LIKE '%.events'")
    assert not [row for row in rows if proof.state.salt in row.payload]
    assert not [row for row in rows if '"salt"' in row.payload]


# -- a campaign of many -----------------------------------------------------------------------------------------------


class Direct:
    """A host on a ledger without the rest of the service."""

    def __init__(self, stage: LedgerStage) -> None:
        self.engine = stage.app

    @asynccontextmanager
    async def transaction(self, scopes: Iterable[str] = (PLATFORM_SCOPE,)) -> AsyncIterator[Work]:
        async with work_on(self.engine, SERVICE, scopes) as work:
            cause = Envelope(
                id=uuid4(), type="escrow.loop", source="escrow", time=work.now, key=next(iter(scopes)), actor=SYSTEM
            )
            yield work.for_cause(cause)


def lock(scope: str, commitment_id: UUID, amount_minor: int) -> Any:
    return postings.lock(
        scope, commitment_id, amount_minor, intent_id=uuid4(), object_id=f"ch_{commitment_id}",
        facts=postings.Facts(relied_on=(uuid4(),)),
    )  # fmt: skip


async def test_every_commitment_of_a_large_campaign_is_proven_at_each_checkpoint() -> None:
    """Sizes around the borders of tiles, with checkpoints between them."""
    async with ledger_stage() as stage:
        scope = await stage.campaign("ACTIVE")
        checkpointer, prover, host = Checkpointer(settings), Prover(settings), Direct(stage)
        people: list[UUID] = []
        for count in (1, 254, 1, 1, 255, 200):
            fresh = [uuid4() for _ in range(count)]
            await stage.post(*(lock(scope, each, 1_000 + len(people) + at) for at, each in enumerate(fresh)))
            people += fresh
            await stage.run("UPDATE outbox SET published_at = clock_timestamp()", owner=True)
            assert await checkpointer.step(host) == 1
            number = (await stage.run("SELECT max(number) AS n FROM checkpoint WHERE scope = :s", s=scope))[0].n
            async with stage.app.connect() as connection:
                for each in (people[0], people[-1], people[len(people) // 2], people[len(people) // 3]):
                    for since in {1, max(1, number - 2), None}:
                        question = ProveCommitment(campaign_id=UUID(scope), commitment_id=each, since_number=since)
                        proof = await prover.proof_of(connection, question)
                        assert isinstance(proof, CommitmentProof), proof
                        assert failures(proof) == []
                        assert proof.checkpoint.body.leaf_count == len(people)


async def test_accounts_that_do_not_balance_are_not_signed_and_somebody_is_called() -> None:
    async with ledger_stage() as stage:
        scope = await stage.campaign("ACTIVE")
        await stage.post(lock(scope, uuid4(), 1_000))
        await stage.run("ALTER TABLE ledger_account DISABLE TRIGGER USER", owner=True)
        change = "UPDATE ledger_account SET balance_minor = 900 WHERE scope = :s AND class = 'escrow'"
        await stage.run(change, owner=True, s=scope)
        assert await Checkpointer(settings).step(Direct(stage)) == 0
        (case,) = await stage.run("SELECT kind, scope, blocking FROM cases")
        assert (case.kind, case.scope, case.blocking) == ("ledger_unbalanced", scope, True)
        assert await stage.run("SELECT number FROM checkpoint") == []


async def test_what_was_signed_can_not_be_changed_or_taken_back() -> None:
    async with ledger_stage() as stage:
        scope = await stage.campaign("ACTIVE")
        await stage.post(lock(scope, uuid4(), 1_000))
        await Checkpointer(settings).step(Direct(stage))
        for owner in (False, True):
            for table in ("checkpoint", "platform_checkpoint", "platform_cover"):
                assert await stage.refusal(f"DELETE FROM {table}", owner=owner)  # noqa: S608 - names from the line above
            assert await stage.refusal("UPDATE checkpoint SET signature = ''", owner=owner)
