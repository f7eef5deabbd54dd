"""Resending many messages of a batch: looked at first, confirmed, then fulfilled in chunks.

A dry run says what would go, and names itself by a key and the moment of the look. Who confirms it
means what they saw: a message that something has happened to since is left out, and so is one that
came to match the filters since (a batch that is still being sent fails by the minute). What is
confirmed is written down message by message, with the attempt each had: so a double click, a second
person, or a worker that dies and begins again resends nobody twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.models import Count, Q

from trackcenter.access.actor import Actor
from trackcenter.access.visible import VisibleBuildings
from trackcenter.batches.models import BulkResend, BulkResendItem, ResendOutcome
from trackcenter.communications.models import Batch, Communication
from trackcenter.communications.selectors import matching_search
from trackcenter.communications.services import OBSTACLE_OF_STATUS, resend_all
from trackcenter.kit.canonical import clean
from trackcenter.kit.clock import now
from trackcenter.kit.errors import Conflict, NotFound, Sentence
from trackcenter.kit.ids import new_id
from trackcenter.queue.payloads import BulkResendJob
from trackcenter.queue.publish import publish
from trackcenter.queue.retry import RetryAt

CHUNK = 500
EXAMPLES = 100
"""Messages of a dry run, and of those left out in the end, that are named one by one."""

RESENT_MEANWHILE = "resentMeanwhile"
SENT_MEANWHILE = "sentMeanwhile"

_PATIENCE = timedelta(seconds=5)
"""How long to leave a worker alone that holds what is still to be decided."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which messages of a batch are meant: all that match, or those of some units that do.

    `through` None: each through its own channel. `repeats`: also those that arrived, or may have.
    """

    channel: str | None = None
    status: str | None = None
    search: str = ""
    unit_ids: Sequence[UUID] | None = field(default=None)
    through: str | None = None
    repeats: bool = False


# As `communications.services` decides one by one, for any number at once.
_CHOSEN = """
    WITH chosen AS (
        SELECT c.id, c.newest_attempt, bill.sort_key, units.number, c.recipient_name,
               c.delivery_status AS status, c.outcome_unknown, c.ready_to_print,
               coalesce(%(through)s::text, c.channel) AS channel,
               s.row, coalesce(a.contact, '{{}}') AS contact
        FROM communications AS c
        JOIN unit_bills AS bill ON bill.batch_id = c.batch_id AND bill.unit_id = c.unit_id
        JOIN units ON units.id = c.unit_id
        JOIN billing_snapshots AS s ON s.id = c.snapshot_id
        LEFT JOIN communication_attempts AS a
          ON a.communication_id = c.id AND a.number = c.newest_attempt
        WHERE c.batch_id = %(batch)s
          AND (%(channel)s::text IS NULL OR c.channel = %(channel)s)
          AND (%(status)s::text IS NULL OR c.delivery_status = %(status)s)
          AND (%(units)s::uuid[] IS NULL OR c.unit_id = ANY(%(units)s))
          AND (%(looked_at)s::timestamptz IS NULL OR EXISTS (
              SELECT FROM communication_events AS newest
              WHERE newest.communication_id = c.id AND newest.sequence = c.event_count
                AND newest.recorded_at <= %(looked_at)s))
          {search}
    ), addressed AS (
        SELECT *, CASE
            WHEN channel = 'EMAIL' THEN nullif(contact->>'email', '')
            WHEN channel = 'SMS' THEN nullif(contact->>'phone', '')
            ELSE concat_ws(', ', nullif(contact#>>'{{address,street}}', ''),
                 nullif(contact#>>'{{address,street2}}', ''),
                 nullif(concat_ws(' ', contact#>>'{{address,postcode}}',
                                  contact#>>'{{address,city}}'), ''),
                 nullif(contact#>>'{{address,country}}', ''))
            END AS corrected, CASE
            WHEN channel = 'EMAIL' THEN row->>'email'
            WHEN channel = 'SMS' THEN row->>'phone'
            WHEN row->>'street' <> '' AND row->>'city' <> '' THEN
                concat_ws(', ', row->>'street', nullif(row->>'street2', ''),
                 nullif(concat_ws(' ', row->>'postcode', row->>'city'), ''), row->>'country')
            END AS billed
        FROM chosen
    ), considered AS (
        SELECT id, newest_attempt, sort_key, number, recipient_name, channel,
               coalesce(nullif(corrected, ''), billed, '') AS to,
               CASE WHEN nullif(corrected, '') <> coalesce(billed, '')
                    THEN coalesce(billed, '') END AS corrected_from,
               CASE WHEN outcome_unknown THEN 'unknown'
                    WHEN ready_to_print THEN 'readyToPrint'
                    WHEN status IN ({sent}) THEN 'sent'
                    END AS repeat,
               CASE {stuck}
                    WHEN coalesce(nullif(corrected, ''), billed, '') = '' THEN 'unreachable'
                    END AS obstacle
        FROM addressed
    ), planned AS (
        -- Through one channel, a unit whose mail and text message both failed needs one letter.
        SELECT id, newest_attempt, sort_key, number, recipient_name, channel, "to", corrected_from,
               repeat, CASE WHEN {goes} AND row_number() OVER (
                   PARTITION BY number, channel, "to", {goes} ORDER BY id) > 1
               THEN 'sameUnit' ELSE obstacle END AS obstacle
        FROM considered
    )
"""
_SENT = ("SENT", "DELIVERED", "OPENED", "MANUAL")
"""The statuses after which a resend is a second copy."""
_STUCK = " ".join(
    f"WHEN status = '{status}' THEN '{obstacle}'" for status, obstacle in OBSTACLE_OF_STATUS.items()
)
_GOES = "obstacle IS NULL AND (repeat IS NULL OR %(repeats)s)"
_COUNTS = f"""
    SELECT count(*), count(*) FILTER (WHERE {_GOES}),
           count(*) FILTER (WHERE obstacle IS NULL AND repeat IS NOT NULL),
           count(*) FILTER (WHERE {_GOES} AND corrected_from IS NOT NULL),
           (SELECT coalesce(jsonb_object_agg(channel, number), '{{{{}}}}')::text FROM
               (SELECT channel, count(*) AS number FROM planned WHERE {_GOES} GROUP BY 1) AS ways),
           (SELECT coalesce(jsonb_object_agg(obstacle, number), '{{{{}}}}')::text FROM
               (SELECT obstacle, count(*) AS number FROM planned
                WHERE obstacle IS NOT NULL GROUP BY 1) AS stuck)
    FROM planned
"""
_EXAMPLES = f"""
    SELECT id, number, recipient_name, channel, "to", corrected_from, repeat, obstacle, {_GOES}
    FROM planned ORDER BY sort_key, id LIMIT %(examples)s
"""
_WRITE_DOWN = f"""
    INSERT INTO bulk_resend_items (resend_id, communication_id, attempt, outcome, reason)
    SELECT %(resend)s, id, newest_attempt, 'WAITING', '' FROM planned WHERE {_GOES}
"""


def plan(visible: VisibleBuildings, batch_id: UUID, choice: Choice) -> dict[str, Any]:
    """What resending these would do now (`ResendPlan`); nothing is changed. Raises `NotFound`."""
    batch = _batch(visible, batch_id)
    looked_at = now()
    with connection.cursor() as cursor:
        _ask(cursor, _COUNTS, batch, choice)
        total, going, repeats, corrected, by_channel, obstacles = cursor.fetchone()
        _ask(cursor, _EXAMPLES, batch, choice, examples=EXAMPLES)
        examples = cursor.fetchall()
    names = ("communicationId", "unitNumber", "recipientName", "channel", "to")
    more = ("correctedFrom", "repeat", "obstacle", "goes")
    return {
        "key": new_id(),
        "lookedAt": looked_at,
        "total": total,
        "going": going,
        "repeats": repeats,
        "corrected": corrected,
        "byChannel": msgspec.Raw(by_channel.encode()),
        "obstacles": msgspec.Raw(obstacles.encode()),
        "examples": [dict(zip((*names, *more), row, strict=True)) for row in examples],
    }


@transaction.atomic
def request_resend(
    actor: Actor,
    batch_id: UUID,
    choice: Choice,
    *,
    key: UUID,
    looked_at: datetime,
    expected: int,
    note: str = "",
) -> BulkResend:
    """Confirm a dry run: what it named is written down together with its job.

    The same key again is the same request, whatever has happened since. It may be fewer than
    `expected`, where something happened since `looked_at`; `Conflict` if it is none any more, or
    would be more.
    """
    batch = _batch(actor.visible, batch_id)
    # One at a time for a batch, so that of two clicks the second finds what the first has made.
    Batch.objects.select_for_update(no_key=True).get(id=batch.id)
    known = BulkResend.objects.filter(batch=batch, key=key).first()
    if known:
        return known
    resend = BulkResend.objects.create(
        key=key,
        batch=batch,
        choice={
            "channel": choice.channel,
            "status": choice.status,
            "search": clean(choice.search),
            "units": None if choice.unit_ids is None else len(choice.unit_ids),
            "repeats": choice.repeats,
        },
        through=choice.through or "",
        note=clean(note.strip()),
        requested_by_id=actor.user_id,
    )
    with connection.cursor() as cursor:
        _ask(cursor, _WRITE_DOWN, batch, choice, resend=resend.id, looked_at=looked_at)
        number = cursor.rowcount
    if number == 0:
        raise Conflict(Sentence("by now there is nothing to resend", "nothingToResend"))
    if number > expected:
        words = f"by now it would be {number} messages; look again before you confirm"
        raise Conflict(Sentence(words, "moreToResend", count=number))
    publish([BulkResendJob(resend.id)])
    return resend


def fulfil(resend_id: UUID, progress: Callable[[int], None] | None = None) -> int:
    """Resend what was written down, chunk by chunk; says how many messages were decided.

    May die at any point and be run again, or run twice at once: a chunk takes what is WAITING and
    not being taken by somebody else, and what it does is in one transaction with its outcome.
    Raises `RetryAt` while another worker holds the rest: it may die yet, and then they wait again.
    """
    resend = BulkResend.objects.filter(id=resend_id).first()
    if resend is None:
        raise NotFound("no such bulk resend")
    decided = 0
    while chunk := _resend_chunk(resend):
        decided += chunk
        if progress:
            progress(chunk)
    waiting = BulkResendItem.objects.filter(resend=resend, outcome=ResendOutcome.WAITING)
    if waiting.exists():
        raise RetryAt(now() + _PATIENCE, "another worker is at the rest of this bulk resend")
    BulkResend.objects.filter(id=resend_id, finished_at=None).update(finished_at=now())
    return decided


def get_resend(visible: VisibleBuildings, resend_id: UUID) -> dict[str, Any]:
    """A bulk resend and how far it is (`BulkResendOut`). Raises `NotFound`."""
    batches = Batch.objects.visible_to(visible)
    resend = BulkResend.objects.filter(id=resend_id, batch__in=batches).first()
    if resend is None:
        raise NotFound("no such bulk resend")
    counts = resend.items.aggregate(
        total=Count("id"),
        resent=Count("id", filter=Q(outcome=ResendOutcome.RESENT)),
        skipped=Count("id", filter=Q(outcome=ResendOutcome.SKIPPED)),
    )
    skipped = resend.items.filter(outcome=ResendOutcome.SKIPPED).select_related(
        "communication__unit"
    )
    return {
        "id": resend.id,
        "batchId": resend.batch_id,
        "createdAt": resend.created_at,
        "finishedAt": resend.finished_at,
        **counts,
        "skippedItems": [
            {
                "communicationId": item.communication_id,
                "unitNumber": item.communication.unit.number,
                "recipientName": item.communication.recipient_name,
                "reason": item.reason,
            }
            for item in skipped.order_by("communication__unit__sort_key", "id")[:EXAMPLES]
        ],
    }


def _batch(visible: VisibleBuildings, batch_id: UUID) -> Batch:
    batch = Batch.objects.visible_to(visible).filter(id=batch_id).first()
    if batch is None:
        raise NotFound("no such batch")
    return batch


def _ask(cursor: Any, question: str, batch: Batch, choice: Choice, **more: Any) -> None:
    search, pattern = matching_search(choice.search)
    cursor.execute(
        (_CHOSEN + question).format(
            search=search,
            stuck=_STUCK,
            sent=", ".join(f"'{status}'" for status in _SENT),
            goes=_GOES,
        ),
        {
            "batch": batch.id,
            "channel": choice.channel,
            "status": choice.status,
            "units": None if choice.unit_ids is None else list(choice.unit_ids),
            "search": pattern,
            "through": choice.through,
            "repeats": choice.repeats,
            "looked_at": None,
            **more,
        },
    )


@transaction.atomic
def _resend_chunk(resend: BulkResend) -> int:
    waiting = BulkResendItem.objects.filter(resend=resend, outcome=ResendOutcome.WAITING)
    items = list(waiting.select_for_update(skip_locked=True).order_by("communication_id")[:CHUNK])
    if not items:
        return 0
    rows = Communication.objects.select_for_update(of=("self",)).select_related("snapshot")
    found = rows.filter(id__in=[item.communication_id for item in items]).order_by("id")
    communications = {one.id: one for one in found}
    left: dict[UUID, str] = {}
    for item in items:
        one = communications[item.communication_id]
        if one.newest_attempt != item.attempt:
            left[one.id] = RESENT_MEANWHILE
        elif not resend.choice["repeats"] and (one.outcome_unknown or one.delivery_status in _SENT):
            left[one.id] = SENT_MEANWHILE
    left |= resend_all(
        [one for one in communications.values() if one.id not in left],
        through=resend.through or None,
        note=resend.note or None,
        user_id=resend.requested_by_id,
    )
    for item in items:
        item.reason = left.get(item.communication_id, "")
        item.outcome = ResendOutcome.SKIPPED if item.reason else ResendOutcome.RESENT
    BulkResendItem.objects.bulk_update(items, ["outcome", "reason"])
    return len(items)
