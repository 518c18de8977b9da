"""Checkpoints that were signed and told are kept again as they were, so that nothing else is ever signed in their place.

The trees behind a checkpoint are made anew from the ledger as it stood at its position and must come to the signed roots.
Which checkpoints a platform checkpoint covers follows from its root: those that were newest when it was signed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.proofs import tree
from contracts.proofs.checkpoint import CheckpointBody, body_hash
from contracts.transparency import CheckpointSigned, PlatformCheckpointSigned
from services.escrow.domain.checkpoints import make_trees
from services.escrow.recover.errors import RecoverError
from services.escrow.store import checkpoints, recovering_checkpoints


async def take_checkpoint(connection: AsyncConnection, event: CheckpointSigned, *, salt_key: bytes | None) -> None:
    """Keep a scope's checkpoint. Raises RecoverError when the ledger here does not come to what was signed."""
    signed = event.checkpoint
    body = signed.body
    before = await checkpoints.newest_of(connection, body.scope)
    if body.number <= before.number:
        return
    if salt_key is None:
        raise RecoverError("recover_key_missing", "ALPMERA_CHECKPOINT_SALT_KEY is needed: checkpoints were signed")
    if (body.number, body.previous_hash) != (before.number + 1, before.hash) or body_hash(body) != event.hash:
        raise RecoverError(
            "recover_checkpoint_mismatch", f"checkpoint {body.number} of {body.scope} has another before it"
        )
    moment = await recovering_checkpoints.moment_at(connection, body.scope, body.position, before)
    trees = await asyncio.to_thread(make_trees, moment, salt_key=salt_key)
    made = (moment.chain_head, trees.history_root, trees.state_root.hash.hex(), dict(moment.sums))
    if made != (body.chain_head, body.history_root, body.state_root, dict(body.sums)):
        raise RecoverError(
            "recover_checkpoint_mismatch", f"checkpoint {body.number} of {body.scope} is not what the ledger comes to"
        )
    await checkpoints.add_checkpoint(connection, signed, moment, trees)


async def take_platform(connection: AsyncConnection, event: PlatformCheckpointSigned) -> None:
    """Keep a platform checkpoint with what it covers. Raises RecoverError when that cannot be told."""
    signed = event.checkpoint
    number, previous_hash = await checkpoints.newest_platform(connection)
    if signed.body.number <= number:
        return
    if (signed.body.number, signed.body.previous_hash) != (number + 1, previous_hash):
        raise RecoverError(
            "recover_checkpoint_mismatch", f"platform checkpoint {signed.body.number} has another before it"
        )
    covers = _covered_by(await recovering_checkpoints.checkpoint_bodies(connection), signed.body.wall_time)
    root = tree.root([bytes.fromhex(each.hash) for each in covers]).hex()
    if (root, len(covers)) != (signed.body.checkpoints_root, signed.body.scope_count):
        raise RecoverError(
            "recover_checkpoint_mismatch", f"what platform checkpoint {signed.body.number} covers cannot be told"
        )
    known = await recovering_checkpoints.covered(connection)
    fresh = [
        checkpoints.NewestCheckpoint(
            scope=each.scope,
            number=each.number,
            hash=each.hash,
            currency=each.currency,
            owed_minor=each.owed_minor,
            held_minor=each.held_minor,
            platform_number=None,
        )
        for each in covers
        if (each.scope, each.number) not in known
    ]
    await checkpoints.add_platform(connection, signed, fresh)


def _covered_by(rows: list[Any], wall_time: str) -> list[Any]:
    """The newest checkpoint of each scope that was signed by then, in the sequence of scopes."""
    newest: dict[str, Any] = {}
    signed_at: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        body = CheckpointBody.model_validate_json(row.body)
        signed_at[row.scope].append((body.wall_time, row))
    for scope, signed in signed_at.items():
        for moment, row in signed:
            if moment <= wall_time:
                newest[scope] = row
    return [newest[scope] for scope in sorted(newest)]
