"""Ask escrow for the proof of a commitment: a signed question, an answer on `gateway.replies`, kept by nobody here.

Escrow decides again whose commitment it is. A campaign without a checkpoint is answered from the read model, so that
nobody waits for what cannot be there.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.errors import Rejected
from contracts.proofs.files import CommitmentProof
from contracts.transparency import CommitmentProven, ProveCommitment
from services.gateway.auth.identity import Identity
from services.gateway.store.read_model import ReadModel
from services.gateway.store.read_transparency import has_checkpoint
from services.gateway.usecases.ask_services import Questions, answered, put_questions

ASKERS_AT_ONCE_MAX = 64


class Proofs:
    """Asks and waits. One per process."""

    def __init__(
        self,
        engine: AsyncEngine,
        reads: ReadModel,
        key: Ed25519PrivateKey,
        questions: Questions,
        *,
        kick: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._reads = reads
        self._key = key
        self._questions = questions
        self._kick = kick
        self._askers = 0

    async def ask(
        self, identity: Identity, campaign_id: UUID, commitment_id: UUID, *, since: int | None
    ) -> CommitmentProof:
        """The proof of an own commitment. Raises Rejected: proof_not_ready, checkpoint_unknown, not_found,
        clock_moving, too_many_waiting, service_unavailable."""
        if not await has_checkpoint(self._reads, campaign_id):
            raise Rejected("proof_not_ready")
        if self._askers >= ASKERS_AT_ONCE_MAX:
            raise Rejected("too_many_waiting")
        self._askers += 1
        try:
            wanted = ProveCommitment(campaign_id=campaign_id, commitment_id=commitment_id, since_number=since)
            answer = await self._answer(identity, wanted)
        finally:
            self._askers -= 1
        if answer.proof is None:
            raise Rejected(answer.refusal or "proof_not_ready")
        return answer.proof

    async def _answer(self, identity: Identity, wanted: ProveCommitment) -> CommitmentProven:
        question_id = uuid4()
        with self._questions.waiting([question_id]) as futures:
            async with self._engine.begin() as connection:
                await put_questions(connection, self._key, {question_id: wanted}, identity, correlation_id=question_id)
            self._kick()
            if await answered(futures):
                raise Rejected("service_unavailable", silent=["escrow"])
            answer: CommitmentProven = futures[question_id].result()
        return answer
