"""Keeping what came, once, before anything is made of it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from trackcenter.kit.ids import new_id
from trackcenter.queue.payloads import ReceiptJob
from trackcenter.queue.publish import publish
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
    """One report as it came. `identity` is what the provider calls it; equal ones are the same."""

    origin: str
    identity: tuple[str, ...]
    body: bytes

    @property
    def dedupe_key(self) -> str:
        return hashlib.sha256(json.dumps(self.identity).encode()).hexdigest()


@transaction.atomic
def store(arrivals: Iterable[Arrival]) -> int:
    """Store reports and queue the new ones, in one transaction. Says how many were new."""
    rows = [(new_id(), arrival) for arrival in arrivals]
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inbound_receipts
                (id, origin, dedupe_key, body, received_at, state, reason, correlation)
            SELECT id, origin, dedupe_key, body, now(), 'NEW', '', '[]'
            FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bytea[])
                 AS rows (id, origin, dedupe_key, body)
            ORDER BY origin, dedupe_key
            ON CONFLICT (origin, dedupe_key) DO NOTHING RETURNING id
            """,
            [
                [id_ for id_, _ in rows],
                [arrival.origin for _, arrival in rows],
                [arrival.dedupe_key for _, arrival in rows],
                [arrival.body for _, arrival in rows],
            ],
        )
        new = [row[0] for row in cursor.fetchall()]
    return publish(ReceiptJob(id_) for id_ in new)


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
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def message_of(resource: str) -> tuple[str, str]:
    """Mailbox and message id of a notification's `resource` (`Users/…/Messages/…`, any case)."""
    parts = [part for part in resource.strip("/").split("/") if part]
    by_name = dict(zip([part.casefold() for part in parts[::2]], parts[1::2], strict=False))
    return by_name.get("users", ""), by_name.get("messages", "")


def graph_identity(item: dict[str, Any]) -> tuple[str, ...]:
    """What makes two Graph notifications the same: the message and the change.

    The message's id where there is one, so that a mail found by a resync and its late notification
    are one receipt; else what Microsoft names, subscription and resource.
    """
    resource, change = str(item.get("resource", "")), str(item.get("changeType", ""))
    _, message_id = message_of(resource)
    if message_id:
        return "message", message_id, change
    return str(item.get("subscriptionId", "")), resource, change
