"""The trees: held against vectors that others published, and against every change a liar could make."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.proofs import tree
from contracts.proofs.sums import (
    SUM_MAX,
    SumNode,
    SumOutOfRangeError,
    leaf_salt,
    node_bytes,
    node_of,
    scope_secret,
    state_leaf,
    sum_node,
)

# The leaves, roots and paths that the reference implementation of certificate transparency is tested with.
PUBLISHED_LEAVES = [
    bytes.fromhex(each)
    for each in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"
    )
]  # fmt: skip
PUBLISHED_ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
PUBLISHED_INCLUSION = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}
PUBLISHED_CONSISTENCY = {
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    )
}

datas = st.lists(st.binary(max_size=4), min_size=1, max_size=40)
amounts = st.tuples(*(st.integers(0, 10**9) for _ in range(4)))


def path_of(nodes: list[bytes], ranges: list[tree.Range]) -> list[bytes]:
    return [tree.fold(nodes[low:high], tree.node_hash) for low, high in ranges]


def leaf_nodes(data: list[bytes]) -> list[bytes]:
    return [tree.leaf_hash(each) for each in data]


@pytest.mark.parametrize("size", range(9))
def test_the_tree_hash_is_the_published_one(size: int) -> None:
    assert tree.root(PUBLISHED_LEAVES[:size]).hex() == PUBLISHED_ROOTS[size]


def test_paths_are_the_published_ones() -> None:
    nodes = leaf_nodes(PUBLISHED_LEAVES)
    for (index, size), path in PUBLISHED_INCLUSION.items():
        assert tuple(node.hex() for node in path_of(nodes, tree.inclusion_ranges(index, size))) == path
    for (old, new), path in PUBLISHED_CONSISTENCY.items():
        assert tuple(node.hex() for node in path_of(nodes, tree.consistency_ranges(old, new))) == path


@given(datas, st.data())
def test_every_leaf_is_proven_at_its_own_place_and_at_no_other(data: list[bytes], draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, len(data) - 1))
    nodes, root = leaf_nodes(data), tree.root(data)
    path = path_of(nodes, tree.inclusion_ranges(index, len(data)))
    assert tree.is_included(nodes[index], index, len(data), path, root)
    other = draw.draw(st.integers(0, len(data)))
    if other != index and (other >= len(data) or data[other] != data[index]):
        wrong = nodes[other] if other < len(data) else tree.leaf_hash(b"stranger")
        assert not tree.is_included(wrong, index, len(data), path, root)
    assert not tree.is_included(nodes[index], index, len(data), [*path, nodes[index]], root)
    assert not tree.is_included(nodes[index], len(data), len(data), path, root)
    if path:
        assert not tree.is_included(nodes[index], index, len(data), path[:-1], root)


@given(datas, st.data())
def test_a_changed_missing_or_moved_leaf_gives_another_root(data: list[bytes], draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, len(data) - 1))
    root = tree.root(data)
    assert tree.root([*data[:index], data[index] + b"!", *data[index + 1 :]]) != root
    assert tree.root([*data[:index], *data[index + 1 :]]) != root
    turned = data[::-1]
    assert (tree.root(turned) == root) == (turned == data)


@given(datas, st.data())
def test_a_tree_that_grew_is_consistent_and_a_rewritten_one_is_not(data: list[bytes], draw: st.DataObject) -> None:
    old = draw.draw(st.integers(0, len(data)))
    path = path_of(leaf_nodes(data), tree.consistency_ranges(old, len(data)))

    def consistent(old_root: bytes, nodes: list[bytes]) -> bool:
        return tree.is_consistent(
            old_size=old, old_root=old_root, new_size=len(data), new_root=tree.root(data), path=nodes
        )

    assert consistent(tree.root(data[:old]), path)
    assert not consistent(tree.root([*data[:old], b"!"]), path)
    assert not consistent(tree.root(data[:old]), [*path, tree.EMPTY_ROOT])
    if old:
        changed = [data[0] + b"!", *data[1:old]]
        nodes = path_of(leaf_nodes([*changed, *data[old:]]), tree.consistency_ranges(old, len(data)))
        assert not consistent(tree.root(changed), nodes)


@given(st.lists(amounts, min_size=1, max_size=30), st.data())
def test_a_leaf_of_the_state_tree_leads_to_the_root_with_all_sums(
    everybody: list[tuple[int, int, int, int]], draw: st.DataObject
) -> None:
    salt = hashlib.sha256(b"salt").digest()
    leaves = sorted(state_leaf(UUID(int=number), each, salt) for number, each in enumerate(everybody))
    root = tree.fold(leaves, sum_node)
    assert root.sums == tuple(map(sum, zip(*everybody, strict=True)))
    index = draw.draw(st.integers(0, len(leaves) - 1))
    path = [tree.fold(leaves[low:high], sum_node) for low, high in tree.inclusion_ranges(index, len(leaves))]

    def led(leaf: SumNode, steps: list[SumNode]) -> SumNode:
        return tree.fold_path(leaf, index, len(leaves), steps, sum_node)

    assert led(leaves[index], path) == root
    more = SumNode(leaves[index].hash, (leaves[index].sums[0] + 1, *leaves[index].sums[1:]))
    if path:
        assert led(more, path) != root
        less = SumNode(path[0].hash, (path[0].sums[0] + 1, *path[0].sums[1:]))
        assert led(leaves[index], [less, *path[1:]]).hash != root.hash


def test_a_node_binds_the_sums_of_both_children() -> None:
    left, right = SumNode(b"l" * 32, (1, 2, 3, 4)), SumNode(b"r" * 32, (5, 6, 7, 8))
    node = sum_node(left, right)
    moved = sum_node(SumNode(b"l" * 32, (2, 2, 3, 4)), SumNode(b"r" * 32, (4, 6, 7, 8)))
    assert node.sums == moved.sums
    assert node.hash != moved.hash
    assert node_of(node_bytes(node)) == node


@pytest.mark.parametrize("sums", [(-1, 0, 0, 0), (0, 0, 0, SUM_MAX + 1)])
def test_negative_and_huge_sums_are_refused(sums: tuple[int, int, int, int]) -> None:
    with pytest.raises(SumOutOfRangeError):
        sum_node(SumNode(b"l" * 32, sums), SumNode(b"r" * 32, (0, 0, 0, 0)))
    with pytest.raises(SumOutOfRangeError):
        state_leaf(UUID(int=1), sums, bytes(32))


def test_sums_that_grow_too_large_together_are_refused() -> None:
    half = SumNode(b"l" * 32, (SUM_MAX, 0, 0, 0))
    with pytest.raises(SumOutOfRangeError):
        sum_node(half, half)


def test_a_salt_is_another_one_for_each_scope_person_and_checkpoint() -> None:
    key = bytes(32)
    salts = {
        leaf_salt(scope_secret(key, scope), checkpoint_number=number, commitment_id=UUID(int=person))
        for scope in ("a", "b")
        for number in (1, 2)
        for person in (1, 2)
    }
    assert len(salts) == 8
