"""A quick look at the seals, for the doctor: are they made in time, and is the newest one ours?

It reads some hundreds of rows however long the history is; the whole is checked by `audit verify`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from trackcenter.evidence.kept import KeptSeal, own_seal
from trackcenter.evidence.keys import believed_keys, signing_key
from trackcenter.evidence.models import Seal
from trackcenter.evidence.notes import NotSigned, open_note, read_checkpoint
from trackcenter.evidence.sealed import LATE, OVERDUE
from trackcenter.evidence.seals import StoredTree, difference
from trackcenter.kit.clock import now


@dataclass(frozen=True, slots=True)
class Look:
    """When the newest seal was made, what is wrong with it, whether one is overdue, and what
    `missed_seal` says."""

    newest_at: datetime | None
    fault: str | None
    overdue: bool
    missed: tuple[KeptSeal, str] | None = None


def look() -> Look:
    """Look at the newest seal and at what came since. Raises `NoKey` and `LogChanged`."""
    missed = missed_seal()
    newest = Seal.objects.order_by("-size").first()
    if newest is None:
        return Look(None, None, _unsealed(UUID(int=0), _id_of(now() - OVERDUE)), missed)
    signing_key()
    since = _id_of(newest.sealed_at - LATE)
    overdue = _unsealed(since, _id_of(now() - OVERDUE))
    return Look(newest.sealed_at, _fault(newest), overdue, missed)


def missed_seal() -> tuple[KeptSeal, str] | None:
    """The newest seal that this machine knows of, when the log does not have it, and what is wrong.

    Raises `LogChanged` when it cannot be read.
    """
    kept = own_seal()
    if kept is None:
        return None
    newest = Seal.objects.order_by("-size").first()
    problem = difference(kept, newest.size if newest else 0)
    return (kept, problem) if problem else None


def _fault(seal: Seal) -> str | None:
    try:
        root = StoredTree().grown(seal.size).root()
        said = read_checkpoint(open_note(seal.note, believed_keys()))
    except (NotSigned, LookupError, ValueError) as problem:
        return str(problem)
    if (said.size, said.root) != (seal.size, root):
        return "its note speaks of another log"
    return None


def _unsealed(first: UUID, last: UUID) -> bool:
    """Whether an event of the ids from `first` up to `last` is in no seal."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (
                SELECT FROM communication_events AS event
                WHERE event.id >= %s AND event.id < %s AND NOT EXISTS (
                    SELECT FROM evidence_leaves AS leaf WHERE leaf.event_id = event.id
                )
            )
            """,
            [first, last],
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def _id_of(moment: datetime) -> UUID:
    """The smallest UUIDv7 of that moment: ids of events sort by when they were made."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
