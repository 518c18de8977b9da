"""Prove one commitment to its owner: its amounts and movements in the newest checkpoint, and that history only grew.

The answer is a reply that is kept for a day: it carries the salt, which is the owner's alone. Whoever asks for another
person's commitment is told that there is none. It cannot prove what was posted after the newest checkpoint.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.proofs import tree
from contracts.proofs.checkpoint import SignedCheckpoint
from contracts.proofs.files import (
    MOVEMENTS_MAX,
    Amounts,
    CommitmentProof,
    EarlierProof,
    MovementProof,
    PlatformProof,
    StateProof,
    StateStep,
)
from contracts.proofs.sums import leaf_salt, scope_secret, state_leaf, sum_node
from contracts.transparency import CommitmentProven, ProveCommitment, Refusal
from services.escrow.domain.checkpoints import state_totals
from services.escrow.domain.tiles import TILE_LEAVES, TiledTree, tiles_opened
from services.escrow.settings import EscrowSettings
from services.escrow.store import proof_nodes
from services.escrow.store.book import book_of
from services.escrow.store.checkpoints import checkpoint_of, covered_hashes, newest_of, platform_covering
from services.kit.work import Work


class Prover:
    """Answers questions for proofs; knows the key that salts are made from."""

    def __init__(self, settings: Callable[[], EscrowSettings]) -> None:
        self._settings = settings

    async def prove(self, work: Work, question: ProveCommitment) -> None:
        """Answer with the proof, or with the reason why there is none."""
        reservation = await book_of(work).reservations.get(question.commitment_id)
        own = (
            reservation is not None
            and reservation.campaign_id == question.campaign_id
            and str(reservation.participant_id) == work.actor.id
        )
        found = await self.proof_of(work.connection, question) if own else "not_found"
        work.reply(
            CommitmentProven(
                campaign_id=question.campaign_id,
                question_id=work.cause.id,
                refusal=None if isinstance(found, CommitmentProof) else found,
                proof=found if isinstance(found, CommitmentProof) else None,
            )
        )

    async def proof_of(self, connection: AsyncConnection, question: ProveCommitment) -> CommitmentProof | Refusal:
        """The proof, whoever asks; or why there is none."""
        scope, commitment_id = str(question.campaign_id), question.commitment_id
        newest = await newest_of(connection, scope)
        checkpoint = await checkpoint_of(connection, scope, newest.number)
        salt_key = self._settings().checkpoint_salt_key
        if checkpoint is None or salt_key is None:
            return "proof_not_ready"
        state = await _state(connection, checkpoint, commitment_id, base64.b64decode(salt_key.get_secret_value()))
        if state is None:
            return "proof_not_ready"
        since = newest.number - 1 if question.since_number is None else question.since_number
        earlier = await checkpoint_of(connection, scope, since) if since < newest.number else None
        if earlier is None and question.since_number is not None and since != newest.number:
            return "checkpoint_unknown"
        transfers, left_out = await proof_nodes.movements_of(
            connection, scope, commitment_id, until=newest.position, rows_max=MOVEMENTS_MAX
        )
        ranges = [tree.inclusion_ranges(each.position - 1, newest.position) for each in transfers]
        if earlier is not None:
            ranges.append(tree.consistency_ranges(earlier.body.position, newest.position))
        paths = await _history_paths(connection, scope, newest.position, ranges)
        return CommitmentProof(
            campaign_id=question.campaign_id,
            commitment_id=commitment_id,
            checkpoint=checkpoint,
            state=state,
            movements=tuple(
                MovementProof(transfer=transfer, path=path) for transfer, path in zip(transfers, paths, strict=False)
            ),
            movements_left_out=left_out,
            earlier=None if earlier is None else EarlierProof(checkpoint=earlier, path=paths[-1]),
            platform=await _platform(connection, scope, newest.number),
        )


async def _state(
    connection: AsyncConnection, checkpoint: SignedCheckpoint, commitment_id: UUID, salt_key: bytes
) -> StateProof | None:
    """The commitment's leaf and its path; None when the checkpoint is older than the commitment's first movement."""
    body = checkpoint.body
    found = await proof_nodes.amounts_at(connection, body.scope, commitment_id, body.position)
    if not found:
        return None
    amounts = state_totals(found)
    secret = scope_secret(salt_key, body.scope)
    salt = leaf_salt(secret, checkpoint_number=body.number, commitment_id=commitment_id)
    leaf = state_leaf(commitment_id, amounts, salt)
    tile = await proof_nodes.state_tile_of(connection, body.scope, body.number, leaf.hash)
    if tile is None:
        return None
    group = (await proof_nodes.state_leaves(connection, body.scope, [tile]))[tile]
    if leaf not in group:
        # Another key made the salts of this checkpoint: the next one brings the proof.
        return None
    index = tile * TILE_LEAVES + group.index(leaf)
    ranges = tree.inclusion_ranges(index, body.leaf_count)
    nodes = await proof_nodes.state_nodes(connection, body.scope, body.number)
    kept = TiledTree(body.leaf_count, nodes, {tile: group}, sum_node)
    path = tuple(StateStep.of(node) for node in kept.nodes(ranges))
    return StateProof(salt=salt.hex(), amounts=Amounts.of(amounts), index=index, path=path)


async def _history_paths(
    connection: AsyncConnection, scope: str, size: int, ranges: Sequence[Sequence[tree.Range]]
) -> list[tuple[str, ...]]:
    nodes = await proof_nodes.history_tiles(connection, scope, size)
    tiles = {tile for each in ranges for tile in tiles_opened(each, size)}
    opened = await proof_nodes.history_leaves(connection, scope, tiles, size)
    kept = TiledTree(size, nodes, opened, tree.node_hash)
    return [tuple(node.hex() for node in kept.nodes(each)) for each in ranges]


async def _platform(connection: AsyncConnection, scope: str, number: int) -> PlatformProof | None:
    """The newest platform checkpoint that speaks of this checkpoint, and the path in it."""
    platform = await platform_covering(connection, scope, number)
    if platform is None:
        return None
    covered = await covered_hashes(connection, platform.body.number)
    index = [each for each, _ in covered].index(scope)
    leaves = [tree.leaf_hash(bytes.fromhex(found)) for _, found in covered]
    path = tuple(
        tree.fold(leaves[low:high], tree.node_hash).hex() for low, high in tree.inclusion_ranges(index, len(leaves))
    )
    return PlatformProof(checkpoint=platform, index=index, path=path)
