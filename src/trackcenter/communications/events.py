"""The one writer of events, and of everything the fold computes from them."""

import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

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
from trackcenter.communications.payloads import Payload, Sent
from trackcenter.kit.clock import now
from trackcenter.kit.errors import NotFound
from trackcenter.kit.ids import new_id

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


@dataclass(slots=True)
class _Ledger:
    """A locked communication while its events are appended."""

    id: UUID
    building_id: UUID
    year: int
    event_count: int
    last_hash: bytes
    provider_message_id: str
    error: dict[str, Any] | None
    entries: list[Entry] = field(default_factory=list)
    state: State = State()
    last_event_type: str = ""
    last_event_at: datetime | None = None


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
    written, headers, hashes, payloads = [], [], [], []
    for event in events:
        ledger = ledgers[event.communication_id]
        header = _header(event, ledger, recorded_at)
        payload = event.payload.as_json()
        salt = secrets.token_bytes(16)
        commitment = chain.commitment(salt, payload)
        digest = chain.event_hash(header, commitment, ledger.last_hash)
        headers.append(header)
        hashes.append((commitment, ledger.last_hash, digest))
        payloads.append((salt, payload))
        _advance(ledger, header, digest, event.payload)
        written.append(
            Written(header.id, ledger.id, header.sequence, header.attempt, ledger.state.status)
        )
    _insert(headers, hashes, payloads)
    _update(ledgers.values())
    return written


def _lock(communication_ids: set[UUID]) -> dict[UUID, _Ledger]:
    """Lock in the order of ids, so that two writers never wait for each other in a ring."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, building_id, year, event_count, last_hash, provider_message_id, error
            FROM communications WHERE id = ANY(%s) ORDER BY id FOR UPDATE
            """,
            [list(communication_ids)],
        )
        ledgers = {
            row[0]: _Ledger(
                id=row[0],
                building_id=row[1],
                year=row[2],
                event_count=row[3],
                last_hash=bytes(row[4]) or chain.GENESIS,
                provider_message_id=row[5],
                error=json.loads(row[6]) if row[6] else None,
            )
            for row in cursor.fetchall()
        }
        missing = communication_ids - ledgers.keys()
        if missing:
            raise NotFound(f"no such communication: {min(missing)}")
        known = [ledger.id for ledger in ledgers.values() if ledger.event_count]
        if known:
            cursor.execute(
                """
                SELECT communication_id, attempt, type, qualifier, occurred_at
                FROM communication_events WHERE communication_id = ANY(%s)
                """,
                [known],
            )
            for communication_id, attempt, type_, qualifier, occurred_at in cursor.fetchall():
                ledgers[communication_id].entries.append(
                    Entry(attempt, EventType(type_), Qualifier(qualifier), occurred_at)
                )
    for ledger in ledgers.values():
        ledger.state = fold(ledger.entries)
    return ledgers


def _header(event: NewEvent, ledger: _Ledger, recorded_at: datetime) -> chain.Header:
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
        occurred_at=event.occurred_at or recorded_at,
        recorded_at=recorded_at,
    )


def _advance(ledger: _Ledger, header: chain.Header, digest: bytes, payload: Payload) -> None:
    before = ledger.state
    entry = Entry(
        header.attempt, EventType(header.type), Qualifier(header.qualifier), header.occurred_at
    )
    ledger.entries.append(entry)
    ledger.state = fold(ledger.entries)
    ledger.event_count = header.sequence
    ledger.last_hash = digest
    ledger.last_event_type = header.type
    ledger.last_event_at = header.occurred_at
    if ledger.state.attempt != before.attempt:
        ledger.provider_message_id = ""
    if header.attempt == ledger.state.attempt and isinstance(payload, Sent):
        ledger.provider_message_id = payload.provider_message_id
    rule = rule_of(entry.type, entry.qualifier)
    if ledger.state.status is not Status.FAILED:
        ledger.error = None
    elif header.attempt == ledger.state.attempt and rule and rule.strength == ledger.state.strength:
        ledger.error = failure_of(payload.as_json(), header.type)


def failure_of(payload: dict[str, Any], event_type: str) -> dict[str, Any] | None:
    """The error a failed communication shows, from the payload of the event that failed it."""
    if event_type == EventType.FAILED:
        return {key: value for key, value in payload["error"].items() if key != "raw"}
    if event_type == EventType.RETURNED:
        return {"code": "RETURNED", "message": payload["note"]}
    return None


def _insert(
    headers: list[chain.Header],
    hashes: list[tuple[bytes, bytes, bytes]],
    payloads: list[tuple[bytes, dict[str, Any]]],
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO communication_events
                (id, communication_id, building_id, year, sequence, attempt, type, qualifier,
                 source, user_id, occurred_at, recorded_at,
                 payload_commitment, previous_hash, hash)
            SELECT * FROM unnest(
                %s::uuid[], %s::uuid[], %s::uuid[], %s::int[], %s::int[], %s::int[], %s::text[],
                %s::text[], %s::text[], %s::uuid[], %s::timestamptz[], %s::timestamptz[],
                %s::bytea[], %s::bytea[], %s::bytea[])
            """,
            [list(column) for column in zip(*headers, strict=True)]
            + [list(column) for column in zip(*hashes, strict=True)],
        )
        cursor.execute(
            """
            INSERT INTO communication_event_payloads (event_id, salt, payload)
            SELECT id, salt, payload::jsonb
            FROM unnest(%s::uuid[], %s::bytea[], %s::text[]) AS rows (id, salt, payload)
            """,
            [
                [header.id for header in headers],
                [salt for salt, _ in payloads],
                [json.dumps(payload, ensure_ascii=False) for _, payload in payloads],
            ],
        )


def _update(ledgers: Iterable[_Ledger]) -> None:
    columns: dict[str, list[Any]] = defaultdict(list)
    for ledger in ledgers:
        state = ledger.state
        columns["id::uuid"].append(ledger.id)
        columns["delivery_status::text"].append(state.status.value)
        columns["newest_attempt::int"].append(state.attempt)
        columns["ready_to_print::bool"].append(state.ready_to_print)
        columns["outcome_unknown::bool"].append(state.outcome_unknown)
        columns["queued_at::timestamptz"].append(state.queued_at)
        columns["sent_at::timestamptz"].append(state.sent_at)
        columns["delivered_at::timestamptz"].append(state.delivered_at)
        columns["opened_at::timestamptz"].append(state.opened_at)
        columns["failed_at::timestamptz"].append(state.failed_at)
        columns["provider_message_id::text"].append(ledger.provider_message_id)
        columns["error::jsonb"].append(json.dumps(ledger.error) if ledger.error else None)
        columns["event_count::int"].append(ledger.event_count)
        columns["last_event_type::text"].append(ledger.last_event_type)
        columns["last_event_at::timestamptz"].append(ledger.last_event_at)
        columns["last_hash::bytea"].append(ledger.last_hash)
    names = [name.split("::")[0] for name in columns]
    arrays = ", ".join(f"%s::{name.split('::')[1]}[]" for name in columns)
    assignments = ", ".join(f"{name} = news.{name}" for name in names if name != "id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE communications SET {assignments} "  # noqa: S608 - our own column names
            f"FROM unnest({arrays}) AS news ({', '.join(names)}) "
            "WHERE communications.id = news.id",
            list(columns.values()),
        )
