"""The state tree: a Merkle-sum tree over the commitments of a scope at one position of its ledger.

A leaf is a commitment with its amounts per account class and a salt that only its owner is told; each inner node binds
both children's hashes and sums, so nobody can be left out of a total by a node that says less than its children. No sum
is negative, because a negative one would hide somebody else's amount. The commitment's id is inside the leaf: otherwise
one leaf could be shown to two people with equal amounts. What it cannot show: that everybody has a leaf.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import NamedTuple
from uuid import UUID

STATE_CLASSES = ("dispute_hold", "escrow", "refund_payable", "reserve")
"""The account classes that a commitment has, in the sequence of every sum."""

SUM_MAX = 2**53 - 1
"""Largest sum: the largest whole number that every reader of JSON keeps exactly."""

SALT_BYTES = 32
NODE_BYTES = 64
"""A node as it is kept: its hash and four sums of eight bytes."""

_LEAF_TAG = b"alpmera.state.leaf.1\n"
_NODE_TAG = b"alpmera.state.node.1\n"
_SUMS = struct.Struct(">4Q")

Sums = tuple[int, int, int, int]


class SumOutOfRangeError(ValueError):
    """A sum is negative or larger than `SUM_MAX`."""


class SumNode(NamedTuple):
    """A node of the state tree: its hash and its sums in the sequence of `STATE_CLASSES`."""

    hash: bytes
    sums: Sums


EMPTY_STATE = SumNode(hashlib.sha256(b"alpmera.state.empty.1\n").digest(), (0, 0, 0, 0))
"""The root of a scope without commitments."""


def packed(sums: Sums) -> bytes:
    """The sums as they are hashed: eight bytes each, the highest first. Raises SumOutOfRangeError."""
    try:
        if max(sums) <= SUM_MAX:
            return _SUMS.pack(*sums)
    except struct.error:
        raise SumOutOfRangeError("a sum is negative") from None
    raise SumOutOfRangeError(f"a sum is above {SUM_MAX}")


def scope_secret(salt_key: bytes, scope: str) -> bytes:
    """The secret of a scope, from which its salts are made."""
    return hmac.digest(salt_key, b"alpmera.state.scope.1\n" + scope.encode(), "sha256")


def leaf_salt(secret: bytes, *, checkpoint_number: int, commitment_id: UUID) -> bytes:
    """A commitment's salt at one checkpoint: another one at each, so that two trees cannot be laid beside each other."""
    return hmac.digest(secret, b"%d\n" % checkpoint_number + commitment_id.bytes, "sha256")


def state_leaf(commitment_id: UUID, amounts: Sums, salt: bytes) -> SumNode:
    """The leaf of a commitment. Raises SumOutOfRangeError."""
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt has 32 bytes")
    return SumNode(hashlib.sha256(_LEAF_TAG + salt + commitment_id.bytes + packed(amounts)).digest(), amounts)


def sum_node(left: SumNode, right: SumNode) -> SumNode:
    """The node over two nodes: hashes and sums of both are bound. Raises SumOutOfRangeError."""
    a, b = left.sums, right.sums
    both = (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3])
    content = _NODE_TAG + left.hash + packed(a) + right.hash + packed(b)
    if max(both) > SUM_MAX:
        raise SumOutOfRangeError(f"a sum is above {SUM_MAX}")
    return SumNode(hashlib.sha256(content).digest(), both)


def node_bytes(node: SumNode) -> bytes:
    """A node as it is kept."""
    return node.hash + packed(node.sums)


def node_of(stored: bytes) -> SumNode:
    """A node as it was kept. Raises ValueError for another number of bytes."""
    if len(stored) != NODE_BYTES:
        raise ValueError(f"a node has {NODE_BYTES} bytes")
    a, b, c, d = _SUMS.unpack(stored[32:])
    return SumNode(stored[:32], (a, b, c, d))
