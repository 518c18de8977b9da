"""Trees kept in tiles of 256 leaves: few rows to keep, few to read for a proof.

Owns which tiles a proof needs and how a node over any range of a tree is made from tiles and leaves. It works for every
kind of node; it cannot tell a wrong node from a right one, the root it leads to does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from contracts.proofs.tree import Range, fold

TILE_LEAVES = 256

N = TypeVar("N")


def tile_range(tile: int, size: int) -> Range:
    """The leaves of a tile in a tree of `size` leaves."""
    return tile * TILE_LEAVES, min((tile + 1) * TILE_LEAVES, size)


def tiles_opened(ranges: Iterable[Range], size: int) -> set[int]:
    """The tiles whose leaves are needed for the nodes over these ranges."""
    return {low // TILE_LEAVES for low, high in ranges if not _is_of_tiles(low, high, size)}


def _is_of_tiles(low: int, high: int, size: int) -> bool:
    return low % TILE_LEAVES == 0 and (high % TILE_LEAVES == 0 or high == size)


@dataclass(frozen=True, slots=True)
class TiledTree(Generic[N]):
    """A tree of `size` leaves: the nodes over its tiles, the last one perhaps over fewer leaves, and the leaves of those
    tiles that were opened."""

    size: int
    tiles: Sequence[N]
    opened: Mapping[int, Sequence[N]]
    combine: Callable[[N, N], N]

    def root(self) -> N:
        """The node over everything."""
        return fold(self.tiles, self.combine)

    def nodes(self, ranges: Iterable[Range]) -> list[N]:
        """The nodes over these ranges, which are ranges of a proof."""
        return [self._node(low, high) for low, high in ranges]

    def _node(self, low: int, high: int) -> N:
        if _is_of_tiles(low, high, self.size):
            return fold(self.tiles[low // TILE_LEAVES : -(-high // TILE_LEAVES)], self.combine)
        first = low - low % TILE_LEAVES
        return fold(self.opened[low // TILE_LEAVES][low - first : high - first], self.combine)
