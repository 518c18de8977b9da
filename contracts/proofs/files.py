"""The proof of one commitment as a file, and the strict reading of files that come from anywhere.

Owns the fields of the download. A file is read with every type checked and every list bounded; what does not fit is a
`UnreadableError` with the place that is wrong, never anything else.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.common import Hash
from contracts.ledger import LedgerTransfer
from contracts.proofs.checkpoint import Count, SignedCheckpoint, SignedPlatformCheckpoint, Total
from contracts.proofs.sums import STATE_CLASSES, SumNode, Sums
from contracts.proofs.tree import PATH_MAX

PROOF_FORMAT = "alpmera.commitment_proof.1"
MOVEMENTS_MAX = 100
"""Movements in one proof; a file names how many older ones it leaves out."""
FILE_BYTES_MAX = 64 * 1024 * 1024
FAULTS_NAMED_MAX = 3

M = TypeVar("M", bound=BaseModel)
Path = Annotated[tuple[Hash, ...], Field(max_length=PATH_MAX)]


class UnreadableError(ValueError):
    """A file is not what it should be; the message says where."""


class Amounts(BaseModel):
    """Amounts per account class of a commitment, minor units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dispute_hold: Total
    escrow: Total
    refund_payable: Total
    reserve: Total

    @property
    def sums(self) -> Sums:
        """In the sequence of the state tree."""
        return (self.dispute_hold, self.escrow, self.refund_payable, self.reserve)

    @classmethod
    def of(cls, sums: Sums) -> Amounts:
        """From sums in the sequence of the state tree."""
        return cls(**dict(zip(STATE_CLASSES, sums, strict=True)))


class StateStep(BaseModel):
    """A node beside the way to the root, with its sums."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash: Hash
    sums: Amounts

    @property
    def node(self) -> SumNode:
        """As the tree has it."""
        return SumNode(bytes.fromhex(self.hash), self.sums.sums)

    @classmethod
    def of(cls, node: SumNode) -> StateStep:
        """From a node of the tree."""
        return cls(hash=node.hash.hex(), sums=Amounts.of(node.sums))


class StateProof(BaseModel):
    """The commitment's leaf and its way to the checkpoint's state root. The salt is known to its owner alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    salt: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", repr=False)]
    amounts: Amounts
    index: Count
    path: Annotated[tuple[StateStep, ...], Field(max_length=PATH_MAX)]


class MovementProof(BaseModel):
    """A ledger transfer of the commitment and its way to the checkpoint's history root."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    transfer: LedgerTransfer
    path: Path


class EarlierProof(BaseModel):
    """An earlier checkpoint of the same scope, and what shows that the newer history begins with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: SignedCheckpoint
    path: Path


class PlatformProof(BaseModel):
    """The platform's checkpoint that covers this one, and its way to the root over all scopes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: SignedPlatformCheckpoint
    index: Count
    path: Path


class CommitmentProof(BaseModel):
    """What the owner of a commitment downloads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["alpmera.commitment_proof.1"] = "alpmera.commitment_proof.1"
    campaign_id: UUID
    commitment_id: UUID
    checkpoint: SignedCheckpoint
    state: StateProof
    movements: Annotated[tuple[MovementProof, ...], Field(max_length=MOVEMENTS_MAX)]
    movements_left_out: Count
    earlier: EarlierProof | None
    platform: PlatformProof | None


PlatformFile = tuple[SignedPlatformCheckpoint, ...]


class _Kind(BaseModel):
    model_config = ConfigDict(extra="ignore")

    format: str | None = None
    body: Any = None


def read_proof_file(content: bytes) -> CommitmentProof | PlatformFile:
    """A commitment's proof (one JSON object with `format`), or the platform's file (one signed checkpoint per line).

    Raises UnreadableError.
    """
    if len(content) > FILE_BYTES_MAX:
        raise UnreadableError(f"the file is larger than {FILE_BYTES_MAX} bytes")
    if not content.strip():
        raise UnreadableError("the file is empty")
    lines = [(number, line) for number, line in enumerate(content.splitlines(), start=1) if line.strip()]
    try:
        kind = _Kind.model_validate_json(lines[0][1])
    except ValidationError:
        kind = None
    if kind is not None and kind.body is not None and kind.format is None:
        return tuple(_line(number, line) for number, line in lines)
    return _parsed(CommitmentProof, content, "")


def _line(number: int, line: bytes) -> SignedPlatformCheckpoint:
    return _parsed(SignedPlatformCheckpoint, line, f"line {number}: ")


def _parsed(model: type[M], content: bytes, where: str) -> M:
    try:
        return model.model_validate_json(content, strict=True)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        named = [_fault(fault) for fault in faults[:FAULTS_NAMED_MAX]]
        more = f"; and {len(faults) - FAULTS_NAMED_MAX} more" if len(faults) > FAULTS_NAMED_MAX else ""
        raise UnreadableError(where + "; ".join(named) + more) from None


def _fault(fault: Any) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    return f"{place}: {fault['msg']}" if place else str(fault["msg"])
