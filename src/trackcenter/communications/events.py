"""The one writer of events, and of everything the fold computes from them."""

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from trackcenter.communications import chain
from trackcenter.communications.lifecycle import (
    Entry,
    EventType,
    Qualifier,
    State,
    Status,
    fold,
    rule_of,
)
from trackcenter.communications.payloads import Payload
from trackcenter.kit.clock import now
from trackcenter.kit.errors import NotFound
from trackcenter.kit.ids import new_id
from trackcenter.kit.sql import prepared

NEXT_ATTEMPT = -1
"""For `NewEvent.attempt`: this event opens the communication's next attempt."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be written. `attempt=None` means the newest; `occurred_at` defaults to now."""

    communication_id: UUID
    payload: Payload
    source: str
    attempt: int | None = None
    user_id: UUID | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What came of one `NewEvent`: the event's place, and where the communication stands now."""

    id: UUID
    communication_id: UUID
    sequence: int
    attempt: int
    status: Status


_NOTHING_YET = State()


@dataclass(slots=True)
class Ledger:
    """What a communication's events add up to, carried forward event by event.

    The writer starts one from the stored row; the audit starts an empty one and replays.
    """

    id: UUID
    building_id: UUID
    year: int
    event_count: int = 0
    last_hash: bytes = chain.GENESIS
    provider_message_id: str = ""
    error: dict[str, Any] | None = None
    entries: list[Entry] = field(default_factory=list)
    state: State = _NOTHING_YET
    last_event_type: str = ""
    last_event_at: datetime | None = None

    def advance(self, header: chain.Header, digest: bytes, payload: dict[str, Any]) -> None:
        """Take in the next event."""
        newest_before = self.state.attempt
        entry = Entry(
            header.attempt,
            EventType(header.type),
            Qualifier(header.qualifier),
            header.occurred_at,
            header.source,
        )
        self.entries.append(entry)
        self.state = fold(self.entries)
        self.event_count = header.sequence
        self.last_hash = digest
        self.last_event_type = header.type
        self.last_event_at = header.occurred_at
        if self.state.attempt != newest_before:
            self.provider_message_id = ""
        if header.attempt == self.state.attempt and entry.type is EventType.SENT:
            self.provider_message_id = str(payload.get("providerMessageId", ""))
        rule = rule_of(entry.type, entry.qualifier)
        if self.state.status is not Status.FAILED:
            self.error = None
        elif header.attempt == self.state.attempt and rule and rule.strength == self.state.strength:
            self.error = failure_of(payload, header.type)

    def columns(self) -> dict[str, Any]:
        """The columns of `communications` that the fold owns (`_COLUMNS`, and the last hash)."""
        return {
            "delivery_status": self.state.status.value,
            "newest_attempt": self.state.attempt,
            "ready_to_print": self.state.ready_to_print,
            "outcome_unknown": self.state.outcome_unknown,
            "contradictory": self.state.contradictory,
            "queued_at": self.state.queued_at,
            "sent_at": self.state.sent_at,
            "delivered_at": self.state.delivered_at,
            "opened_at": self.state.opened_at,
            "failed_at": self.state.failed_at,
            "provider_message_id": self.provider_message_id,
            "error": self.error,
            "event_count": self.event_count,
            "last_event_type": self.last_event_type,
            "last_event_at": self.last_event_at,
            "last_hash": self.last_hash,
        }


_COLUMNS = {
    "delivery_status": "text",
    "newest_attempt": "int",
    "ready_to_print": "bool",
    "outcome_unknown": "bool",
    "contradictory": "bool",
    "queued_at": "timestamptz",
    "sent_at": "timestamptz",
    "delivered_at": "timestamptz",
    "opened_at": "timestamptz",
    "failed_at": "timestamptz",
    "provider_message_id": "text",
    "error": "jsonb",
    "event_count": "int",
    "last_event_type": "text",
    "last_event_at": "timestamptz",
}
"""What the fold computes, with its SQL type; the last hash comes as base64."""


def append(events: Sequence[NewEvent]) -> list[Written]:
    """Append events to their communications, in the order given, and fold each anew.

    Must run inside `transaction.atomic()`; the communications stay locked until it ends. A handful
    of statements whatever the number of events, so a chunk of a batch costs little more than one.
    Raises `NotFound` when a communication does not exist.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("events are appended inside the transaction that decided them")
    if not events:
        return []
    ledgers = _lock({event.communication_id for event in events})
    recorded_at = now()
    written, rows, payloads = [], [], []
    for event in events:
        ledger = ledgers[event.communication_id]
        header = _header(event, ledger, recorded_at)
        payload = event.payload.as_json()
        salt = secrets.token_bytes(16)
        commitment = chain.commitment(salt, payload)
        digest = chain.event_hash(header, commitment, ledger.last_hash)
        rows.append(_row(header, commitment, ledger.last_hash, digest))
        payloads.append({"event_id": header.id, "salt": salt, "payload": payload})
        ledger.advance(header, digest, payload)
        written.append(
            Written(header.id, ledger.id, header.sequence, header.attempt, ledger.state.status)
        )
    _write(rows, payloads, ledgers.values())
    return written


_LOCK = """
    SELECT id, building_id, year, event_count, last_hash, provider_message_id, error
    FROM communications WHERE id = ANY(%s) ORDER BY id FOR UPDATE
"""
_ENTRIES = """
    SELECT communication_id, attempt, type, qualifier, occurred_at, source
    FROM communication_events WHERE communication_id = ANY(%s)
"""


def _lock(communication_ids: set[UUID]) -> dict[UUID, Ledger]:
    """Lock in the order of ids, so that two writers never wait for each other in a ring."""
    rows = prepared(_LOCK, [list(communication_ids)])
    ledgers = {
        row[0]: Ledger(
            id=row[0],
            building_id=row[1],
            year=row[2],
            event_count=row[3],
            last_hash=bytes(row[4]) or chain.GENESIS,
            provider_message_id=row[5],
            error=json.loads(row[6]) if row[6] else None,
        )
        for row in rows
    }
    missing = communication_ids - ledgers.keys()
    if missing:
        raise NotFound(f"no such communication: {min(missing)}")
    known = [ledger.id for ledger in ledgers.values() if ledger.event_count]
    if known:
        for id_, attempt, type_, qualifier, occurred_at, source in prepared(_ENTRIES, [known]):
            ledgers[id_].entries.append(
                Entry(attempt, EventType(type_), Qualifier(qualifier), occurred_at, source)
            )
    for ledger in ledgers.values():
        ledger.state = fold(ledger.entries)
    return ledgers


def _header(event: NewEvent, ledger: Ledger, recorded_at: datetime) -> chain.Header:
    newest = ledger.state.attempt
    if event.attempt == NEXT_ATTEMPT:
        attempt = newest + 1
    elif event.attempt is None:
        attempt = max(newest, 1)
    else:
        attempt = event.attempt
    return chain.Header(
        id=new_id(),
        communication_id=ledger.id,
        building_id=ledger.building_id,
        year=ledger.year,
        sequence=ledger.event_count + 1,
        attempt=attempt,
        type=event.payload.event_type.value,
        qualifier=event.payload.qualifier.value,
        source=event.source,
        user_id=event.user_id,
        # In UTC: the seconds of an offset, as before standard time, get lost on the way.
        occurred_at=(event.occurred_at or recorded_at).astimezone(UTC),
        recorded_at=recorded_at,
    )


def failure_of(payload: dict[str, Any], event_type: str) -> dict[str, Any] | None:
    """The error a failed communication shows, from the payload of the event that failed it."""
    if event_type == EventType.FAILED:
        return {key: value for key, value in payload["error"].items() if key != "raw"}
    if event_type == EventType.RETURNED:
        return {"code": "RETURNED", "message": payload["note"]}
    return None


def _row(header: chain.Header, commitment: bytes, previous: bytes, digest: bytes) -> dict[str, Any]:
    return {
        **header._asdict(),
        "payload_commitment": commitment,
        "previous_hash": previous,
        "hash": digest,
    }


_WRITE = f"""
    WITH written AS (
        INSERT INTO communication_events
            (id, communication_id, building_id, year, sequence, attempt, type, qualifier,
             source, user_id, occurred_at, recorded_at,
             payload_commitment, previous_hash, hash)
        SELECT id, communication_id, building_id, year, sequence, attempt, type, qualifier,
               source, user_id, occurred_at, recorded_at,
               decode(payload_commitment, 'base64'), decode(previous_hash, 'base64'),
               decode(hash, 'base64')
        FROM json_to_recordset(%s) AS rows
            (id uuid, communication_id uuid, building_id uuid, year int, sequence int, attempt int,
             type text, qualifier text, source text, user_id uuid, occurred_at timestamptz,
             recorded_at timestamptz, payload_commitment text, previous_hash text, hash text)),
    payloads AS (
        INSERT INTO communication_event_payloads (event_id, salt, payload)
        SELECT event_id, decode(salt, 'base64'), payload
        FROM json_to_recordset(%s) AS rows (event_id uuid, salt text, payload jsonb))
    UPDATE communications
    SET {", ".join(f"{name} = news.{name}" for name in _COLUMNS)},
        last_hash = decode(news.last_hash, 'base64')
    FROM json_to_recordset(%s) AS news
        (id uuid, {", ".join(f"{name} {type_}" for name, type_ in _COLUMNS.items())},
         last_hash text)
    WHERE communications.id = news.id
"""


def _write(
    rows: list[dict[str, Any]], payloads: list[dict[str, Any]], ledgers: Iterable[Ledger]
) -> None:
    """Events, payloads and computed columns, in one statement."""
    news = [{"id": ledger.id, **ledger.columns()} for ledger in ledgers]
    # msgspec writes bytes as base64.
    prepared(_WRITE, [msgspec.json.encode(each).decode() for each in (rows, payloads, news)])
