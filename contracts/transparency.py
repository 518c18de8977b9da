"""What escrow tells so that others can check it: signed checkpoints as events, and the proof of one commitment as an answer.

Checkpoints are public and hold totals only. Salts and leaves belong to one person each: they travel in a reply that is
kept for one day, never in an event.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.common import ScopedEvent
from contracts.envelope import PLATFORM_SCOPE, Command, Event, Reply, register
from contracts.proofs.checkpoint import SignedCheckpoint, SignedPlatformCheckpoint
from contracts.proofs.files import CommitmentProof
from contracts.proofs.sums import SUM_MAX

Refusal = Literal["not_found", "proof_not_ready", "checkpoint_unknown"]
"""Why there is no proof: no such commitment of this person; no checkpoint covers it yet; no such earlier checkpoint."""


@register
class CheckpointSigned(ScopedEvent):
    """A scope's ledger was signed up to a position whose events had all left the database."""

    type: ClassVar[str] = "escrow.checkpoint_signed.v1"
    service: ClassVar[str] = "escrow"
    checkpoint: SignedCheckpoint
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@register
class PlatformCheckpointSigned(Event):
    """The newest checkpoints of all scopes were signed together: the next line of the public file."""

    type: ClassVar[str] = "escrow.platform_checkpoint_signed.v1"
    service: ClassVar[str] = "escrow"
    checkpoint: SignedPlatformCheckpoint
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @property
    def scope(self) -> str:
        """The message key."""
        return PLATFORM_SCOPE


@register
class ProveCommitment(Command):
    """Ask for the proof of an own commitment at the newest checkpoint. `since_number` names an earlier checkpoint whose
    history the newer one must continue; without it, the one just before."""

    type: ClassVar[str] = "escrow.prove_commitment.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    since_number: Annotated[int, Field(ge=1, le=SUM_MAX)] | None = None


@register
class CommitmentProven(Reply):
    """The answer to the question `question_id`: the proof, or why there is none (yet)."""

    type: ClassVar[str] = "escrow.commitment_proven.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    question_id: UUID
    refusal: Refusal | None
    proof: Annotated[CommitmentProof | None, Field(repr=False)]
