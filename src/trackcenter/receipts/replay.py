"""Reading stored receipts again, after the code that reads them was mended.

What a receipt said before stays: events are never changed. What it says now and did not say then
is appended; a receipt that still says the same changes nothing.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from trackcenter.communications import events
from trackcenter.communications.events import NewEvent
from trackcenter.communications.models import Attempt
from trackcenter.kit.clock import now
from trackcenter.queue.payloads import ReceiptJob
from trackcenter.queue.publish import publish
from trackcenter.receipts.apply import News, apply_receipt, find_attempt, read_news, source_of
from trackcenter.receipts.event_grid import MalformedBody, read_events
from trackcenter.receipts.models import InboundReceipt, ReceiptState
from trackcenter.receipts.store import GRAPH, LIFECYCLE, Arrival, as_body, store

_CHUNK = 500


@dataclass(slots=True)
class Replayed:
    """How many receipts were read, and what came of them; `differs` names those that a person
    should look at, since an event they once wrote is not what they say now."""

    read: int = 0
    unchanged: int = 0
    appended: int = 0
    resolved: int = 0
    unreadable: int = 0
    asked_for: int = 0
    differs: list[UUID] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.read} read, {self.unchanged} unchanged, {self.appended} events added, "
            f"{self.resolved} understood now, {self.unreadable} still unreadable, "
            f"{self.asked_for} whose mail is asked for again, "
            f"{len(self.differs)} differ from what they said before"
        )


class _DryRun(Exception):
    """Takes back what a dry run did."""


def replay(
    since: datetime | None = None,
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Replayed:
    """Read every stored receipt (received at or after `since`, aware) again.

    Each receipt is one transaction. With `dry_run` nothing is kept, only counted. Receipts that
    still wait for their first reading are left to the worker.
    """
    result = Replayed()
    last = UUID(int=0)
    while True:
        rows = InboundReceipt.objects.filter(id__gt=last).exclude(origin=LIFECYCLE)
        rows = rows.exclude(state=ReceiptState.NEW).order_by("id")
        if since is not None:
            rows = rows.filter(received_at__gte=since)
        ids = list(rows.values_list("id", flat=True)[:_CHUNK])
        if not ids:
            return result
        for receipt_id in ids:
            _replay_one(receipt_id, result, dry_run=dry_run)
            result.read += 1
        last = ids[-1]
        if progress:
            progress(result.read)


def _replay_one(receipt_id: UUID, result: Replayed, *, dry_run: bool) -> None:
    try:
        with transaction.atomic():
            receipt = InboundReceipt.objects.select_for_update().get(id=receipt_id)
            if receipt.state == ReceiptState.MALFORMED:
                _again_malformed(receipt, result)
            elif receipt.state == ReceiptState.APPLIED:
                _again_applied(receipt, result)
            elif receipt.state != ReceiptState.NEW:
                _again_aside(receipt, result)
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass


def _again_malformed(receipt: InboundReceipt, result: Replayed) -> None:
    """A body that was refused as a whole: what can be read of it now arrives as new receipts."""
    try:
        found = read_events(bytes(receipt.body))
    except MalformedBody:
        result.unreadable += 1
        return
    # It stays malformed itself: its reports are receipts of their own, each of them once.
    new = store(
        Arrival(receipt.origin, (event.source, event.event_id), as_body(dict(event.raw)))
        for event in found
    )
    if not new:
        result.unchanged += 1
        return
    receipt.reason = f"read again: {new} reports were in it"
    receipt.save(update_fields=["reason"])
    result.resolved += 1


def _again_aside(receipt: InboundReceipt, result: Replayed) -> None:
    """One that was ignored or parked: applied when it is a report about a message of ours now, and
    left to the worker where its mail has yet to be fetched."""
    if receipt.origin == GRAPH and receipt.mime is None:
        # Its mail was not to be had then. What was wrong with the mailbox may have been mended.
        receipt.state = ReceiptState.NEW
        receipt.trouble_since = receipt.missing_since = None
        receipt.save(update_fields=["state", "trouble_since", "missing_since"])
        publish([ReceiptJob(receipt.id)])
        result.asked_for += 1
        return
    if not any(find_attempt(one) for one in read_news(receipt)):
        result.unchanged += 1
        return
    InboundReceipt.objects.filter(id=receipt.id).update(state=ReceiptState.NEW)
    apply_receipt(receipt.id)
    result.resolved += 1


def _again_applied(receipt: InboundReceipt, result: Replayed) -> None:
    found = [
        (one, attempt) for one in read_news(receipt) if (attempt := find_attempt(one)) is not None
    ]
    attempts = [attempt.communication_id for _, attempt in found]
    if receipt.attempt is not None:
        attempts.append(receipt.attempt.communication_id)
    written = Counter(_written(receipt.id, attempts))
    said = Counter(_key(one, attempt) for one, attempt in found)
    missing = said - written
    if written - said:
        result.differs.append(receipt.id)
    if not missing:
        if not written - said:
            result.unchanged += 1
        return
    moment = now()
    new = []
    for one, attempt in found:
        key = _key(one, attempt)
        if missing[key]:
            missing[key] -= 1
            new.append(
                NewEvent(
                    communication_id=attempt.communication_id,
                    payload=one.payload,
                    source=source_of(receipt.origin),
                    attempt=attempt.number,
                    occurred_at=min(one.occurred_at or receipt.received_at, moment),
                )
            )
    events.append(new)
    result.appended += len(new)


_Key = tuple[UUID, int, str, str]


def _key(news: News, attempt: Attempt) -> _Key:
    """What makes two tellings the same: better words for the same fact are no new fact."""
    payload = news.payload.as_json()
    what = news.payload.event_type.value
    return attempt.communication_id, attempt.number, what, _detail(what, payload)


def _written(receipt_id: UUID, communication_ids: Iterable[UUID]) -> list[_Key]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.communication_id, e.attempt, e.type, p.payload::text
            FROM communication_events AS e
            JOIN communication_event_payloads AS p ON p.event_id = e.id
            WHERE e.communication_id = ANY(%s) AND p.payload->>'receiptId' = %s
              AND e.source <> 'USER'
            """,
            [list(set(communication_ids)), str(receipt_id)],
        )
        return [
            (id_, attempt, what, _detail(what, json.loads(text)))
            for id_, attempt, what, text in cursor.fetchall()
        ]


def _detail(what: str, payload: dict[str, Any]) -> str:
    """Of a notice its kind; of the rest the recipient, since one report may speak of several."""
    word = payload.get("kind") if what == "NOTICE" else payload.get("recipient")
    return str(word or "")
