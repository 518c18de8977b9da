"""How long the proof of one commitment takes among a hundred thousand, from a real ledger on a real database.

Owns the figure and its baseline, both of one run: what it takes to make the whole checkpoint that the proofs are of, so
that the ratio says what the kept tiles save. Every measured proof is checked offline as its owner would; a fast wrong
proof is no figure. It measures escrow's own work, not the way through the gateway.
"""

from __future__ import annotations

import asyncio
import base64
import random
import statistics
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from contracts.envelope import PLATFORM_SCOPE, SYSTEM, Envelope
from contracts.proofs.checking import check_commitment
from contracts.proofs.files import CommitmentProof
from contracts.transparency import ProveCommitment
from deploy.bench.ledger_posting import SERVICE, ledger_databases, open_campaigns, payments, post_all
from services.escrow.checkpointer import Checkpointer
from services.escrow.settings import EscrowSettings
from services.escrow.usecases.prove_commitment import Prover
from services.kit.database import create_engine
from services.kit.transaction import work_on
from services.kit.work import Work

COMMITMENTS = 100_000
BATCH = 1_000
PROOFS = 200
WARM_PROOFS = 5


class Bench:
    """A host for the checkpointer without the rest of the service."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @asynccontextmanager
    async def transaction(self, scopes: Iterable[str] = (PLATFORM_SCOPE,)) -> AsyncIterator[Work]:
        """A Work over these scopes."""
        async with work_on(self.engine, SERVICE, scopes) as work:
            cause = Envelope(
                id=uuid4(), type="escrow.loop", source="escrow", time=work.now, key=next(iter(scopes)), actor=SYSTEM
            )
            yield work.for_cause(cause)


def bench_proofs(folder: Path, *, commitments: int = COMMITMENTS) -> dict[str, Any]:
    """Measure in a throw-away database. Returns the 95th percentile of a proof in milliseconds, and what the checkpoint
    took. Raises RuntimeError when a proof does not hold."""
    with ledger_databases(folder) as database:
        return asyncio.run(_measure(database.app, database.owner, commitments))


async def _measure(app_url: str, owner_url: str, commitments: int) -> dict[str, Any]:
    engine, owner = create_engine(app_url), create_async_engine(owner_url)
    settings = _settings(app_url)
    checkpointer, prover, host = Checkpointer(lambda: settings), Prover(lambda: settings), Bench(engine)
    try:
        (scope,) = await open_campaigns(engine, 1)
        people = await _post(engine, scope, commitments)
        await _checkpoint(owner, checkpointer, host)
        await _post(engine, scope, BATCH)
        seconds = await _checkpoint(owner, checkpointer, host)
        wanted = random.sample(people, PROOFS + WARM_PROOFS)
        taken = [await _prove(engine, prover, scope, each) for each in wanted][WARM_PROOFS:]
    finally:
        await engine.dispose()
        await owner.dispose()
    return {
        "proof_p95_milliseconds": round(statistics.quantiles(taken, n=20)[-1] * 1_000, 1),
        "proof_p50_milliseconds": round(statistics.median(taken) * 1_000, 1),
        "baseline_checkpoint_milliseconds": round(seconds * 1_000),
        "commitments": commitments,
    }


def _settings(app_url: str) -> EscrowSettings:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return EscrowSettings(
        database_url=SecretStr(app_url),
        kafka="unused",
        checkpoint_key=SecretStr(base64.b64encode(pem).decode()),
        checkpoint_salt_key=SecretStr(base64.b64encode(random.randbytes(32)).decode()),  # noqa: S311 - thrown away
    )


async def _post(engine: AsyncEngine, scope: str, count: int) -> list[UUID]:
    """Post so many held commitments into one campaign."""
    given = payments([scope], count)
    await post_all(engine, given, BATCH)
    return [payment.commitment_id for payment in given]


async def _checkpoint(owner: AsyncEngine, checkpointer: Checkpointer, host: Bench) -> float:
    """Sign what has moved, as if the broker had everything; returns the seconds."""
    async with owner.begin() as connection:
        await connection.execute(text("UPDATE outbox SET published_at = clock_timestamp()"))
    started = time.perf_counter()
    if await checkpointer.step(host) != 1:
        raise RuntimeError("no checkpoint was signed")
    return time.perf_counter() - started


async def _prove(engine: AsyncEngine, prover: Prover, scope: str, commitment_id: UUID) -> float:
    question = ProveCommitment(campaign_id=UUID(scope), commitment_id=commitment_id)
    async with engine.connect() as connection:
        started = time.perf_counter()
        proof = await prover.proof_of(connection, question)
        seconds = time.perf_counter() - started
    if not isinstance(proof, CommitmentProof) or not all(step.holds for step in check_commitment(proof)):
        raise RuntimeError(f"the proof of {commitment_id} does not hold")
    return seconds
