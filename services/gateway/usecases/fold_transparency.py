"""Fold signed checkpoints into the read model: the public file, line by line, and each campaign's own."""

from __future__ import annotations

from typing import Any

from contracts.envelope import Envelope
from contracts.transparency import CheckpointSigned, PlatformCheckpointSigned
from services.gateway.store.projection import Rows


def fold_checkpoint(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold a signed checkpoint; False when the event is about something else."""
    match event:
        case CheckpointSigned():
            body = event.checkpoint.body
            rows.put(
                "checkpoint", event.hash,
                scope=body.scope, number=body.number, position=body.position,
                signed=event.checkpoint.model_dump(mode="json"),
            )  # fmt: skip
        case PlatformCheckpointSigned():
            number = str(event.checkpoint.body.number)
            signed = event.checkpoint.model_dump(mode="json")
            rows.put("platform_checkpoint", number, hash=event.hash, signed=signed, at=envelope.time)
        case _:
            return False
    return True
