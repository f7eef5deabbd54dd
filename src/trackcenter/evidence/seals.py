"""Sealing: every event that is not in the log yet is put into it, and the whole log is signed.

An event counts as new because it is not in the log, not because its id or time is above the last
one's: a transaction that commits late with early ids is simply taken by the next seal.
"""

import functools
from collections.abc import Iterator

from django.db import connection, transaction

from trackcenter.evidence.kept import KeptSeal, LogChanged, keep, mend, own_seal
from trackcenter.evidence.keys import signing_key
from trackcenter.evidence.merkle import GrowingTree, inclusion_path, leaf_hash, node_hash, peaks
from trackcenter.evidence.models import Node, Seal
from trackcenter.evidence.notes import Checkpoint

BITS = 8
"""Nodes are kept at every eighth level."""

_AT_ONCE = 5_000
_TAKE = """
    INSERT INTO evidence_leaves (index, event_id, hash)
    SELECT %s - 1 + row_number() OVER (ORDER BY event.id), event.id, event.hash
    FROM communication_events AS event
    WHERE NOT EXISTS (SELECT FROM evidence_leaves AS leaf WHERE leaf.event_id = event.id)
"""


@transaction.atomic
def seal() -> Seal | None:
    """Seal what has happened since the last time; None when nothing has.

    One run at a time; memory does not grow with the number of events. Raises `NoKey`, and
    `LogChanged` where this machine knows of seals that the log does not have: a new log is never
    begun in its place unasked.
    """
    kept = own_seal()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('trackcenter seal', 0))")
        key = signing_key()
        newest = Seal.objects.order_by("-size").first()
        size = newest.size if newest else 0
        if kept and (problem := difference(kept, size)):
            raise LogChanged(f"{problem}. Nothing was sealed. {mend(kept.path)}")
        cursor.execute(_TAKE, [size])
        if not cursor.rowcount:
            return None
    tree = StoredTree().grown(size)
    nodes: list[Node] = []
    for hash_ in _leaves_from(size):
        for level, index, node in tree.add(leaf_hash(hash_)):
            if level % BITS == 0:
                nodes.append(Node(level=level, index=index, hash=node))
        if len(nodes) >= _AT_ONCE:
            Node.objects.bulk_create(nodes)
            nodes.clear()
    Node.objects.bulk_create(nodes)
    root = tree.root()
    note = key.sign(Checkpoint(key.name, tree.size, root).as_text())
    transaction.on_commit(functools.partial(keep, note))
    return Seal.objects.create(size=tree.size, root=root, note=note, verifier_key=str(key.verifier))


def difference(kept: KeptSeal, size: int) -> str | None:
    """Why a log of that size cannot be the one of a kept seal, or None. Reads some hundred rows."""
    if size < kept.size:
        return (
            f"{kept.path} is a seal over {kept.size} events, but only {size} are sealed in the "
            "database"
        )
    try:
        root = StoredTree().grown(kept.size).root()
    except LookupError as problem:
        return str(problem)
    if root != kept.root:
        return f"{kept.path} is a seal over other events than the first {kept.size} of the log"
    return None


def _leaves_from(size: int) -> Iterator[bytes]:
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT hash FROM evidence_leaves WHERE index >= %s ORDER BY index", [size])
        while rows := cursor.fetchmany(_AT_ONCE):
            for (hash_,) in rows:
                yield bytes(hash_)


class StoredTree:
    """The log as it lies in the database; what was read once is kept for the next question."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[int, int], bytes] = {}

    def path(self, index: int, size: int) -> list[bytes]:
        """The inclusion path of a leaf in the tree as it was at that size."""
        return inclusion_path(index, size, self.node)

    def grown(self, size: int) -> GrowingTree:
        """The tree as it was at that size. Raises LookupError when hashes are missing."""
        return GrowingTree(size, [self.node(*peak) for peak in peaks(size)])

    def node(self, level: int, index: int) -> bytes:
        """The hash of a node, from what is kept below it; at most 256 hashes are read."""
        if (level, index) not in self._nodes:
            kept = level // BITS * BITS
            hashes = self._kept(kept, index << level - kept, 1 << level - kept)
            while len(hashes) > 1:
                hashes = [node_hash(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)]
            self._nodes[level, index] = hashes[0]
        return self._nodes[level, index]

    def _kept(self, level: int, first: int, count: int) -> list[bytes]:
        place = ("evidence_nodes", f"level = {level:d} AND") if level else ("evidence_leaves", "")
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT hash FROM {place[0]} WHERE {place[1]} index >= %s AND index < %s "
                "ORDER BY index",
                [first, first + count],
            )
            hashes = [bytes(row[0]) for row in cursor.fetchall()]
        if len(hashes) != count:
            raise LookupError(f"the log lacks hashes at level {level} from {first} on")
        return hashes if level else [leaf_hash(hash_) for hash_ in hashes]
