"""The history tree: RFC 9162's Merkle tree (section 2.1), its inclusion and its consistency proofs.

Owns the shape that the history of transfers, the list of scopes and the state tree share: a proof is a list of ranges of
leaves, and whoever keeps the leaves says what each range hashes to. What it cannot show: that a leaf which is in the tree
speaks the truth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The hash of a tree without leaves."""

PATH_MAX = 64
"""Most nodes of a proof: a tree has fewer than 2^63 leaves."""

N = TypeVar("N")
Range = tuple[int, int]


class BadProofError(ValueError):
    """A proof has the wrong length or speaks of a place outside of its tree."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split_at(size: int) -> int:
    """Where a tree of `size` leaves (two at least) is divided: the largest power of two below it."""
    return 1 << ((size - 1).bit_length() - 1)


def fold(nodes: Sequence[N], combine: Callable[[N, N], N]) -> N:
    """The node over these nodes, level by level; a node without a neighbour moves up as it is, which is the shape of
    RFC 9162. Raises BadProofError without any node."""
    if not nodes:
        raise BadProofError("a tree without leaves has no node")
    level = list(nodes)
    while len(level) > 1:
        last = level[-1:] if len(level) % 2 else []
        level = [combine(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)] + last
    return level[0]


def root(leaf_data: Sequence[bytes]) -> bytes:
    """The tree hash of these leaves."""
    return fold([leaf_hash(data) for data in leaf_data], node_hash) if leaf_data else EMPTY_ROOT


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges of leaves whose nodes prove the leaf at `index`, the nearest first (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < size:
        raise BadProofError(f"place {index} is not in a tree of {size}")
    low, high, found = 0, size, []
    while high - low > 1:
        middle = low + split_at(high - low)
        if index < middle:
            found.append((middle, high))
            high = middle
        else:
            found.append((low, middle))
            low = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges whose nodes prove that the first `old` leaves of `new` are unchanged (RFC 9162, 2.1.4.1). None are
    needed when both are equal or the old tree is empty."""
    if not 0 <= old <= new:
        raise BadProofError(f"a tree of {new} cannot continue one of {old}")
    if old in (0, new):
        return []
    low, high, whole, found = 0, new, True, []
    while high - low > 1 and old != high:
        middle = low + split_at(high - low)
        if old <= middle:
            found.append((middle, high))
            high = middle
        else:
            found.append((low, middle))
            low, whole = middle, False
    return ([] if whole else [(low, high)]) + found[::-1]


def fold_path(leaf: N, index: int, size: int, path: Sequence[N], combine: Callable[[N, N], N]) -> N:
    """The root that a leaf and its path give (RFC 9162, 2.1.3.2). Raises BadProofError for a path of another length."""
    if not 0 <= index < size:
        raise BadProofError(f"place {index} is not in a tree of {size}")
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise BadProofError("the path is longer than its tree is high")
        if place & 1 or place == last:
            found = combine(sibling, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = combine(found, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise BadProofError("the path is shorter than its tree is high")
    return found


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root_hash: bytes) -> bool:
    """Whether the leaf hash stands at `index` of the tree with this root."""
    try:
        return fold_path(leaf, index, size, path, node_hash) == root_hash
    except BadProofError:
        return False


def is_consistent(*, old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the new tree begins with the whole old one (RFC 9162, 2.1.4.2)."""
    if old_size == 0:
        return old_root == EMPTY_ROOT and not path and new_size >= 0
    if old_size == new_size:
        return old_root == new_root and not path
    if not 0 < old_size < new_size:
        return False
    nodes = list(path)
    if old_size & (old_size - 1) == 0:
        nodes.insert(0, old_root)
    if not nodes:
        return False
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    was = now = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            was, now = node_hash(node, was), node_hash(node, now)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            now = node_hash(now, node)
        place, last = place >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root
