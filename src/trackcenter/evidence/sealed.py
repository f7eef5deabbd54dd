"""The seals against the events: what was sealed is there unchanged, and nothing slipped in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trackcenter.evidence.findings import Differs, stream
from trackcenter.evidence.kept import KeptSeal
from trackcenter.evidence.merkle import GrowingTree, leaf_hash
from trackcenter.evidence.models import Seal
from trackcenter.evidence.notes import NotSigned, VerifierKey, open_note, read_checkpoint
from trackcenter.evidence.seals import BITS
from trackcenter.kit.clock import iso, now

LATE = timedelta(hours=1)
"""How long after its own time an event may have been committed. One that is older than this when
a seal is made, and is not in it, was put in afterwards."""

OVERDUE = timedelta(hours=2)
"""Seals are made every hour; an event of this age that is in none has been forgotten."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """How many seals there are, how many events are in them, and when the newest was made."""

    seals: int = 0
    events: int = 0
    newest_at: datetime | None = None


_LEAVES = """
    SELECT leaf.index, leaf.event_id, leaf.hash, event.hash, event.recorded_at
    FROM evidence_leaves AS leaf LEFT JOIN communication_events AS event ON event.id = leaf.event_id
    ORDER BY leaf.index
"""
_UNSEALED = """
    SELECT event.id, event.recorded_at FROM communication_events AS event
    WHERE NOT EXISTS (SELECT FROM evidence_leaves AS leaf WHERE leaf.event_id = event.id)
    ORDER BY event.recorded_at LIMIT 1
"""


def verify_seals(
    keys: Sequence[VerifierKey], outside: Sequence[KeptSeal] = (), *, expected: bool = False
) -> Sealed:
    """Grow the log anew and compare it with every seal on the way. Raises `Differs`.

    It must contain each of the seals kept `outside` the database. `expected` says that there must
    be seals: without any, an event that is overdue differs.
    """
    awaited = sorted(outside, key=lambda one: one.size)
    seals = iter(Seal.objects.order_by("size").iterator())
    seal = next(seals, None)
    before: Seal | None = None
    tree = GrowingTree()
    kept: dict[int, Iterator[tuple[Any, ...]]] = {}
    count = 0
    for index, event_id, sealed_hash, hash_, recorded_at in stream(_LEAVES):
        if index != tree.size:
            raise Differs("evidence_leaves", tree.size, "it is missing")
        if hash_ is None:
            raise Differs(
                "communication_events", event_id, f"it was sealed (leaf {index}) and is gone"
            )
        if bytes(hash_) != bytes(sealed_hash):
            raise Differs(
                "communication_events", event_id, f"it is not what was sealed (leaf {index})"
            )
        if seal is None:
            raise Differs("evidence_leaves", index, "no seal is over it")
        _refuse_backdated(event_id, recorded_at, before)
        for level, place, node in tree.add(leaf_hash(bytes(hash_))):
            if level % BITS == 0:
                _compare_node(level, place, node, kept)
        if tree.size == seal.size:
            _compare_seal(seal, tree.root(), keys)
            count += 1
            before, seal = seal, next(seals, None)
        while awaited and awaited[0].size == tree.size:
            _compare_kept(awaited.pop(0), tree.root())
    if seal is not None:
        raise Differs(
            "evidence_leaves", tree.size, f"it is missing, and seal {seal.size} is over it"
        )
    for one in awaited:
        problem = f"the log ends before it, but {one.path} is a seal over {one.size} events"
        raise Differs("evidence_leaves", tree.size, problem)
    for event_id, recorded_at in stream(_UNSEALED):
        if expected and before is None and recorded_at < now() - OVERDUE:
            problem = (
                f"it is of {iso(recorded_at)}, and nothing is sealed at all: no worker ever ran, "
                "or the seals were removed (compare with one that was kept: --seal FILE)"
            )
            raise Differs("communication_events", event_id, problem)
        _refuse_backdated(event_id, recorded_at, before)
    return Sealed(count, tree.size, before.sealed_at if before else None)


def _refuse_backdated(event_id: object, recorded_at: datetime, seal: Seal | None) -> None:
    if seal and recorded_at + LATE < seal.sealed_at:
        problem = (
            f"it bears the time {iso(recorded_at)}, but the seal of {iso(seal.sealed_at)} does not "
            "have it: it was put in afterwards"
        )
        raise Differs("communication_events", event_id, problem)


def _compare_kept(kept: KeptSeal, root: bytes) -> None:
    if kept.root != root:
        problem = f"{kept.path} is a seal over other events than the first {kept.size} of the log"
        raise Differs("evidence_leaves", f"0 to {kept.size - 1}", problem)


def _compare_node(
    level: int, index: int, hash_: bytes, kept: dict[int, Iterator[tuple[Any, ...]]]
) -> None:
    if level not in kept:
        kept[level] = stream(
            f"SELECT index, hash FROM evidence_nodes WHERE level = {level:d} ORDER BY index"
        )
    row = next(kept[level], None)
    if row is None or row[0] != index or bytes(row[1]) != hash_:
        problem = "it is not what the leaves below it make"
        raise Differs("evidence_nodes", f"level {level}, index {index}", problem)


def _compare_seal(seal: Seal, root: bytes, keys: Sequence[VerifierKey]) -> None:
    if bytes(seal.root) != root:
        raise Differs("evidence_seals", seal.size, "events or leaves below it were changed")
    try:
        said = read_checkpoint(open_note(seal.note, keys))
    except NotSigned as problem:
        raise Differs(
            "evidence_seals", seal.size, f"{problem} (it says: {seal.verifier_key})"
        ) from problem
    except ValueError as problem:
        raise Differs("evidence_seals", seal.size, str(problem)) from problem
    if (said.size, said.root) != (seal.size, root):
        raise Differs("evidence_seals", seal.size, "its note speaks of another log")
