"""Making a checkpoint from one moment of a scope's ledger: both trees, the sums, and what is kept for proofs.

Pure: it reads no clock, no database and no settings. A large campaign's state tree is a second of work, so the caller
runs it beside the loop. It trusts the rows that it is given; the audit recomputes the history from the transfers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.ledger import GENESIS_HASH
from contracts.proofs import tree
from contracts.proofs.sums import (
    EMPTY_STATE,
    STATE_CLASSES,
    SumNode,
    Sums,
    leaf_salt,
    node_bytes,
    scope_secret,
    state_leaf,
    sum_node,
)
from services.escrow.domain.ledger import HELD_CLASSES, OWED_CLASSES
from services.escrow.domain.tiles import TILE_LEAVES


@dataclass(frozen=True, slots=True)
class Before:
    """The scope's newest checkpoint; number and position 0 when there is none."""

    number: int = 0
    position: int = 0
    hash: str = GENESIS_HASH


@dataclass(frozen=True, slots=True)
class Moment:
    """One scope's ledger at one moment, as far as a checkpoint needs it.

    `whole_tiles` are the nodes of the history's whole tiles at the checkpoint before, `hashes` those of the transfers
    after them. `amounts` are those of every commitment that ever had an account.
    """

    scope: str
    stream_seq: int
    position: int
    chain_head: str
    currency: str
    before: Before
    sums: Mapping[str, int]
    amounts: Sequence[tuple[UUID, Sums]]
    whole_tiles: Sequence[bytes]
    hashes: Sequence[str]


@dataclass(frozen=True, slots=True)
class StateTile:
    """Up to 256 leaves as they are kept."""

    first_hash: bytes
    leaves: bytes
    node: bytes


@dataclass(frozen=True, slots=True)
class Trees:
    """What the moment's trees come to. `new_tiles` are the whole tiles of the history that were not kept before."""

    history_root: str
    new_tiles: Sequence[bytes]
    state_root: SumNode
    state_tiles: Sequence[StateTile]


def make_trees(moment: Moment, *, salt_key: bytes) -> Trees:
    """Both trees of a moment. Raises SumOutOfRangeError for an amount that no tree can hold."""
    groups = [
        [tree.leaf_hash(bytes.fromhex(each)) for each in moment.hashes[start : start + TILE_LEAVES]]
        for start in range(0, len(moment.hashes), TILE_LEAVES)
    ]
    nodes = [tree.fold(group, tree.node_hash) for group in groups]
    whole = [node for node, group in zip(nodes, groups, strict=True) if len(group) == TILE_LEAVES]
    tiles = state_tiles(moment, salt_key=salt_key)
    return Trees(
        history_root=tree.fold([*moment.whole_tiles, *nodes], tree.node_hash).hex(),
        new_tiles=whole,
        state_root=tree.fold([node for node, _ in tiles], sum_node) if tiles else EMPTY_STATE,
        state_tiles=[kept for _, kept in tiles],
    )


def state_tiles(moment: Moment, *, salt_key: bytes) -> list[tuple[SumNode, StateTile]]:
    """The state tree of a moment, in tiles of sorted leaves."""
    secret, number = scope_secret(salt_key, moment.scope), moment.before.number + 1
    leaves = sorted(
        state_leaf(commitment_id, sums, leaf_salt(secret, checkpoint_number=number, commitment_id=commitment_id))
        for commitment_id, sums in moment.amounts
    )
    found: list[tuple[SumNode, StateTile]] = []
    for start in range(0, len(leaves), TILE_LEAVES):
        group = leaves[start : start + TILE_LEAVES]
        node = tree.fold(group, sum_node)
        kept = b"".join(node_bytes(leaf) for leaf in group)
        found.append((node, StateTile(group[0].hash, kept, node_bytes(node))))
    return found


def owed_minor(sums: Mapping[str, int]) -> int:
    """What a scope owes, by its sums per account class; money that nobody explains yet counts only when it is owed."""
    return sum(max(sums.get(name, 0), 0) if name == "suspense" else sums.get(name, 0) for name in OWED_CLASSES)


def held_minor(sums: Mapping[str, int]) -> int:
    """What is held for a scope at Stripe, by its sums per account class."""
    return -sum(sums.get(name, 0) for name in HELD_CLASSES)


def state_totals(sums: Mapping[str, int]) -> Sums:
    """Sums per account class in the sequence of the state tree."""
    a, b, c, d = (sums.get(name, 0) for name in STATE_CLASSES)
    return (a, b, c, d)
