"""The tree is RFC 6962's, whatever its size, and a proof proves one leaf in one place only."""

import hashlib

import pytest

from trackcenter.evidence.merkle import (
    EMPTY,
    GrowingTree,
    inclusion_path,
    leaf_hash,
    node_hash,
    peaks,
    root_by_path,
)

LEAVES = [bytes([number]) * 32 for number in range(70)]


def by_the_book(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = by_the_book(leaves[:split]), by_the_book(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def node_of(leaves: list[bytes], level: int, index: int) -> bytes:
    return by_the_book(leaves[index << level : (index + 1) << level])


def test_the_root_is_that_of_the_rfc_at_every_size() -> None:
    tree = GrowingTree()
    assert tree.root() == EMPTY
    for size, leaf in enumerate(LEAVES, start=1):
        for level, index, hash_ in tree.add(leaf_hash(leaf)):
            assert hash_ == node_of(LEAVES, level, index)
        assert tree.root() == by_the_book(LEAVES[:size])


def test_a_tree_grows_on_from_its_peaks() -> None:
    for size in range(len(LEAVES)):
        hashes = [node_of(LEAVES, *peak) for peak in peaks(size)]
        tree = GrowingTree(size, hashes)
        assert tree.root() == by_the_book(LEAVES[:size])
        tree.add(leaf_hash(LEAVES[size]))
        assert tree.root() == by_the_book(LEAVES[: size + 1])


def test_every_leaf_is_proved_in_every_tree_and_nowhere_else() -> None:
    for size in (1, 2, 3, 5, 8, 13, 33, 70):
        root = by_the_book(LEAVES[:size])
        for index in range(size):
            path = inclusion_path(index, size, lambda *node: node_of(LEAVES, *node))
            assert root_by_path(leaf_hash(LEAVES[index]), index, size, path) == root
            other = (index + 1) % size
            if other != index:
                wrong = None
                try:
                    wrong = root_by_path(leaf_hash(LEAVES[index]), other, size, path)
                except ValueError:
                    continue
                assert wrong != root
            for place in range(len(path)):
                bent = [*path]
                bent[place] = node_hash(bent[place], b"")
                assert root_by_path(leaf_hash(LEAVES[index]), index, size, bent) != root


def test_a_path_of_the_wrong_length_is_refused() -> None:
    path = inclusion_path(2, 5, lambda *node: node_of(LEAVES, *node))
    with pytest.raises(ValueError, match="too short"):
        root_by_path(leaf_hash(LEAVES[2]), 2, 5, path[:-1])
    with pytest.raises(ValueError, match="too long"):
        root_by_path(leaf_hash(LEAVES[2]), 2, 5, [*path, path[0]])
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion_path(5, 5, lambda *node: node_of(LEAVES, *node))
