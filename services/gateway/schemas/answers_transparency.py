"""The bodies of answers about signed checkpoints. The checkpoints themselves are shown as they were signed."""

from __future__ import annotations

from contracts.proofs.checkpoint import SignedCheckpoint, SignedPlatformCheckpoint
from services.gateway.schemas.answers import Answer


class PlatformCheckpointList(Answer):
    """Lines of the public file, in sequence."""

    data: list[SignedPlatformCheckpoint]
    next_cursor: str | None


class CheckpointRow(Answer):
    """A campaign's checkpoint with its hash."""

    number: int
    hash: str
    signed: SignedCheckpoint


class CheckpointList(Answer):
    """A campaign's checkpoints, the newest first."""

    data: list[CheckpointRow]
    next_cursor: str | None


class PlatformHead(Answer):
    """The head of the public file; all null while it is empty. `short` is what pages and mails print."""

    number: int | None
    hash: str | None
    short: str | None
    signed: SignedPlatformCheckpoint | None
