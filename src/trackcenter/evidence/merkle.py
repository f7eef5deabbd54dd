"""RFC 6962 Merkle trees (section 2.1): growing one, and proving that something is in it.

A *node* of level l and index i is the root of the 2^l leaves from i · 2^l on.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""

NodeHash = Callable[[int, int], bytes]
"""(level, index) → the hash of that node, all of whose leaves are there."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def peaks(size: int) -> list[tuple[int, int]]:
    """The nodes (level, index) that a tree of that size is made of, from left to right."""
    levels = reversed(range(size.bit_length()))
    return [(level, (size >> level) - 1) for level in levels if size >> level & 1]


class GrowingTree:
    """A tree that leaves are added to. It keeps nothing but the hashes of its peaks."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self._peaks = list(hashes)

    def add(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf's hash; the nodes (level, index, hash) that it completed."""
        level, index = 0, self.size
        self.size += 1
        completed = []
        while index & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            level, index = level + 1, index >> 1
            completed.append((level, index, leaf))
        self._peaks.append(leaf)
        return completed

    def root(self) -> bytes:
        """The root of everything added so far."""
        if not self._peaks:
            return EMPTY
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def inclusion_path(index: int, size: int, node: NodeHash) -> list[bytes]:
    """The hashes that lead from a leaf to the root of the tree of that size (2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    return _path(index, 0, size, node)


def _path(index: int, low: int, high: int, node: NodeHash) -> list[bytes]:
    if high - low == 1:
        return []
    middle = low + _left(high - low)
    if index < middle:
        return [*_path(index, low, middle, node), _subtree(middle, high, node)]
    return [*_path(index, middle, high, node), _subtree(low, middle, node)]


def _subtree(low: int, high: int, node: NodeHash) -> bytes:
    """The hash over the leaves from `low` to before `high`; `low` is aligned as in the tree."""
    width = high - low
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return node(level, low >> level)
    middle = low + _left(width)
    return node_hash(_subtree(low, middle, node), _subtree(middle, high, node))


def _left(width: int) -> int:
    """How many of `width` leaves are in the left half: the largest smaller power of two."""
    return 1 << (width - 1).bit_length() - 1


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a leaf's hash and its path lead to (RFC 9162, 2.1.3.2).

    Raises ValueError for a path that fits no leaf of that index in a tree of that size.
    """
    here, last = index, size - 1
    for hash_ in path:
        if last == 0:
            raise ValueError("the path is too long")
        if here & 1 or here == last:
            leaf = node_hash(hash_, leaf)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            leaf = node_hash(leaf, hash_)
        here, last = here >> 1, last >> 1
    if last != 0:
        raise ValueError("the path is too short")
    return leaf
