"""The audit: every event hashed again, every status folded again, every count counted again, bills
and what left compared with the events that name them, and the seals over all of it checked."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from trackcenter.communications import chain
from trackcenter.communications.events import Ledger
from trackcenter.communications.triggers import ROLLUP_COLUMNS, rollup_query
from trackcenter.evidence.findings import Differs, Finding, one_view, stream
from trackcenter.evidence.kept import KeptSeal, own_seal
from trackcenter.evidence.keys import believed_keys
from trackcenter.evidence.named import BILL_COLUMNS, Left, Named, compare_bill
from trackcenter.evidence.notes import VerifierKey
from trackcenter.evidence.sealed import Sealed, verify_seals
from trackcenter.kit import canonical


@dataclass(slots=True)
class Audit:
    """What was looked at, and the first thing that differed (None: all is well)."""

    events: int = 0
    communications: int = 0
    snapshots: int = 0
    sealed: Sealed = field(default_factory=Sealed)
    finding: Finding | None = None


def verify(
    progress: Callable[[int], None] | None = None,
    keys: Sequence[VerifierKey] | None = None,
    kept: Sequence[KeptSeal] = (),
) -> Audit:
    """Check everything in one consistent view of the database, in bounded memory.

    Stops at the first row that differs. `progress` is told the number of events every thousand.
    Seals must be signed by one of `keys`, by default this installation's own; who names keys
    expects seals. The log must contain the `kept` ones, and the newest this machine knows of.
    Raises `LogChanged` when that cannot be read.
    """
    audit = Audit()
    own = own_seal()
    believed = believed_keys() if keys is None else keys
    with one_view():
        try:
            _verify_snapshots(audit)
            _verify_events(audit, progress)
            _verify_rollups()
            outside = [*kept, own] if own else kept
            audit.sealed = verify_seals(believed, outside, expected=keys is not None)
        except Differs as difference:
            audit.finding = difference.finding
    return audit


_FOLDED = list(Ledger(UUID(int=0), UUID(int=0), 0).columns())

_COMMUNICATIONS = f"""
    SELECT communications.id, building_id, year, {", ".join(BILL_COLUMNS)}, {", ".join(_FOLDED)}
    FROM communications LEFT JOIN billing_snapshots AS snapshot ON snapshot.id = snapshot_id
    ORDER BY communications.id
"""
_EVENTS = """
    SELECT e.id, e.communication_id, e.building_id, e.year, e.sequence, e.attempt, e.type,
           e.qualifier, e.source, e.user_id, e.occurred_at, e.recorded_at,
           e.payload_commitment, e.previous_hash, e.hash, p.salt, p.payload::text
    FROM communication_events AS e LEFT JOIN communication_event_payloads AS p ON p.event_id = e.id
    ORDER BY e.communication_id, e.sequence
"""


def _verify_events(audit: Audit, progress: Callable[[int], None] | None) -> None:
    """Walk communications, events, and what left side by side: all are in the order of ids."""
    events, left = stream(_EVENTS), Left()
    event = next(events, None)
    for id_, building_id, year, *columns in stream(_COMMUNICATIONS):
        if event is not None and event[1] < id_:
            raise Differs("communication_events", event[0], "its communication does not exist")
        ledger, named = Ledger(id_, building_id, year), Named()
        while event is not None and event[1] == id_:
            _verify_event(ledger, named, event)
            audit.events += 1
            if progress and audit.events % 1000 == 0:
                progress(audit.events)
            event = next(events, None)
        bill, stored = columns[: len(BILL_COLUMNS)], columns[len(BILL_COLUMNS) :]
        _verify_communication(ledger, stored)
        compare_bill(id_, named, bill)
        left.compare(id_, named)
        audit.communications += 1
    if event is not None:
        raise Differs("communication_events", event[0], "its communication does not exist")
    if progress:
        progress(audit.events)


def _verify_event(ledger: Ledger, named: Named, row: tuple[Any, ...]) -> None:
    header = chain.Header(*row[:12])
    commitment, previous_hash, digest = (bytes(value) for value in row[12:15])
    salt, text = row[15:]

    def differs(problem: str, table: str = "communication_events") -> Differs:
        place = f"communication {header.communication_id}, sequence {header.sequence}"
        return Differs(table, header.id, f"{problem} ({place})")

    if header.sequence != ledger.event_count + 1:
        raise differs(f"event {ledger.event_count + 1} is missing before it")
    if text is None:
        raise differs("its payload is missing", "communication_event_payloads")
    # No float was ever written: one that is there now becomes a string and changes the hash.
    payload = json.loads(text, parse_float=str)
    if chain.commitment(bytes(salt), payload) != commitment:
        raise differs(
            "the payload is not the one it was written with", "communication_event_payloads"
        )
    if previous_hash != ledger.last_hash:
        raise differs("it does not follow from the event before it")
    if chain.event_hash(header, commitment, previous_hash) != digest:
        raise differs("its content does not match its hash")
    if (header.building_id, header.year) != (ledger.building_id, ledger.year):
        raise differs("it belongs to another building or year than its communication")
    try:
        ledger.advance(header, digest, payload)
    except ValueError as error:
        raise differs(str(error)) from error
    named.take(header.type, header.attempt, payload)


def _verify_communication(ledger: Ledger, stored: list[Any]) -> None:
    for name, is_, ought in zip(_FOLDED, stored, ledger.columns().values(), strict=True):
        value = bytes(is_) if isinstance(is_, memoryview) else is_
        if name == "error" and value is not None:
            value = json.loads(value, parse_float=str)
        if value != ought:
            if name == "last_hash":
                problem = "its newest events are missing or changed"
            else:
                problem = f"{name} is {value!r}, but its events say {ought!r}"
            raise Differs("communications", ledger.id, problem)


def _verify_rollups() -> None:
    keys = "building_id, year, channel"
    counters = ", ".join(ROLLUP_COLUMNS)
    empty = " AND ".join(f"{column} = 0" for column in ROLLUP_COLUMNS)
    sql = f"""
        (SELECT {keys}, {counters} FROM channel_rollups WHERE NOT ({empty})
         EXCEPT ({rollup_query()}))
        UNION ALL
        (({rollup_query()})
         EXCEPT SELECT {keys}, {counters} FROM channel_rollups)
        LIMIT 1
    """
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    if row:
        key = f"building {row[0]}, year {row[1]}, channel {row[2]}"
        raise Differs("channel_rollups", key, "its counts are not those of the communications")


def _verify_snapshots(audit: Audit) -> None:
    for id_, text, sha256 in stream(
        "SELECT id, row::text, sha256 FROM billing_snapshots ORDER BY id"
    ):
        row = json.loads(text, parse_float=str)
        if hashlib.sha256(canonical.dumps(row)).hexdigest() != sha256:
            raise Differs("billing_snapshots", id_, "its row is not the one that was imported")
        audit.snapshots += 1
