"""Keeping what came, once, before anything is made of it."""

import hashlib
import json
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from trackcenter.kit.ids import new_id
from trackcenter.kit.sql import prepared
from trackcenter.queue.publish import receipt_jobs
from trackcenter.receipts.models import InboundReceipt, ReceiptState

GRAPH = "msgraph-email"
LIFECYCLE = "msgraph-lifecycle"
GRID_SMS = "eventgrid-sms"
GRID_EMAIL = "eventgrid-email"

# What we asked for ourselves.
SMS_POLL = "acs-sms-poll"
EMAIL_POLL = "acs-email-poll"
TRACE = "message-trace"
POLLED = frozenset({SMS_POLL, EMAIL_POLL, TRACE})


@dataclass(frozen=True, slots=True)
class Arrival:
    """One report as it came, in JSON. `identity` is what the provider calls it; equal ones are the
    same."""

    origin: str
    identity: tuple[str, ...]
    body: bytes

    @property
    def dedupe_key(self) -> str:
        return hashlib.sha256(json.dumps(self.identity).encode()).hexdigest()


_STORE = f"""
    WITH new AS (
        INSERT INTO inbound_receipts
            (id, origin, dedupe_key, body, received_at, state, reason, correlation)
        SELECT id, origin, dedupe_key, convert_to(body, 'UTF8'), now(), 'NEW', '', '[]'
        FROM json_to_recordset(%s) AS rows (id uuid, origin text, dedupe_key text, body text)
        ORDER BY origin, dedupe_key
        ON CONFLICT (origin, dedupe_key) DO NOTHING RETURNING id)
    SELECT array(SELECT id FROM new), {receipt_jobs("new")}
"""


def store(arrivals: Iterable[Arrival]) -> int:
    """Store reports and queue the new ones, all or none of them. Says how many were new.

    Outside a transaction it has committed when it returns.
    """
    rows = [(new_id(), arrival) for arrival in arrivals]
    if not rows:
        return 0
    if connection.in_atomic_block:
        return len(_write(rows))
    return _together.write(rows)


Row = tuple[UUID, Arrival]


def _write(rows: Sequence[Row]) -> set[UUID]:
    """One statement, and so one transaction where none is open. The ids of the new ones."""
    values = [
        {
            "id": id_,
            "origin": each.origin,
            "dedupe_key": each.dedupe_key,
            "body": each.body.decode(),
        }
        for id_, each in rows
    ]
    [(new, _)] = prepared(_STORE, [msgspec.json.encode(values).decode()])
    return set(new)


def _write_at_once(rows: Sequence[Row]) -> set[UUID]:
    """Write without first asking whether the connection still works; if not, once more."""
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return _write(rows)
    except (OperationalError, InterfaceError):
        # Had it committed before the connection broke, the same reports are known by now.
        connection.close()
        return _write(rows)


@dataclass(slots=True, eq=False)
class _Waiting:
    """One caller's rows, until they are written or could not be."""

    rows: Sequence[Row]
    new: int | None = None


class _Together:
    """Group commit: what arrives while one thread writes is written by the next one, together.

    Alone, a caller writes at once; under load many reports share a statement and a commit.
    """

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._queueing = threading.Lock()
        self._writing = threading.Lock()

    def write(self, rows: Sequence[Row]) -> int:
        """Say how many were new, after their commit. Raises what the database raised."""
        mine = _Waiting(rows)
        with self._queueing:
            self._waiting.append(mine)
        with self._writing:
            if mine.new is None:
                with self._queueing:
                    waiting, self._waiting = self._waiting, []
                self._write_for(waiting)
        if mine.new is None:  # the others' rows may be why: alone, then
            mine.new = len(_write_at_once(rows))
        return mine.new

    def _write_for(self, waiting: Sequence[_Waiting]) -> None:
        try:
            new = _write_at_once([row for each in waiting for row in each.rows])
        except (DatabaseError, InterfaceError):
            if len(waiting) == 1:
                raise
            return
        for each in waiting:
            each.new = sum(id_ in new for id_, _ in each.rows)


_together = _Together()


def store_malformed(origin: str, body: bytes, reason: str) -> None:
    """Keep a body that came with the right secret but cannot be read."""
    InboundReceipt.objects.bulk_create(
        [
            InboundReceipt(
                origin=origin,
                dedupe_key=hashlib.sha256(body).hexdigest(),
                body=body,
                state=ReceiptState.MALFORMED,
                reason=reason,
            )
        ],
        ignore_conflicts=True,
    )


def as_body(value: Any) -> bytes:
    """A parsed report as the JSON that is stored."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # half a surrogate pair
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.encode(errors="replace")


def message_of(item: Mapping[str, Any]) -> tuple[str, str]:
    """Mailbox and message id that a notification names; empty where it does not.

    `resource` is `Users/…/Messages/…` in any case, perhaps with the folder between the two and with
    names in brackets (`Users('…')`). `resourceData` says the id by itself.
    """
    words = re.split(r"/|\('|'\)", str(item.get("resource") or ""))
    parts = [word for word in words if word]
    names = [part.casefold() for part in parts]
    mailbox = _after(parts, names, "users")
    data = item.get("resourceData")
    told = data.get("id") if isinstance(data, dict) else None
    return mailbox, told if isinstance(told, str) and told else _after(parts, names, "messages")


def _after(parts: Sequence[str], names: Sequence[str], name: str) -> str:
    place = names.index(name) + 1 if name in names else len(parts)
    return parts[place] if place < len(parts) else ""


def graph_identity(item: dict[str, Any]) -> tuple[str, ...]:
    """What makes two Graph notifications the same: the message and the change.

    The message's id where there is one, so that a mail found by a resync and its late notification
    are one receipt; else what Microsoft names, subscription and resource.
    """
    resource, change = str(item.get("resource", "")), str(item.get("changeType", ""))
    _, message_id = message_of(item)
    if message_id:
        return "message", message_id, change
    return str(item.get("subscriptionId", "")), resource, change
