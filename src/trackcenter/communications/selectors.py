"""Questions about communications. Lists are raw SQL in the wire's shape; details use the ORM."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import QuerySet

from trackcenter import storage
from trackcenter.access.models import User
from trackcenter.access.visible import VisibleBuildings
from trackcenter.buildings.models import Building, ChannelRollup, Unit
from trackcenter.buildings.stats import COUNTERS, stats, total_of
from trackcenter.communications.models import (
    Attachment,
    AttachmentKind,
    Attempt,
    AuditNote,
    Batch,
    Communication,
    Event,
)
from trackcenter.kit.clock import now
from trackcenter.kit.errors import NotFound
from trackcenter.kit.pagination import decode_cursor, encode_cursor

LINKS_LAST = timedelta(hours=1)
"""How long a signed link to a body or an attachment works."""


def sends_under_way(batches: QuerySet[Batch]) -> set[UUID]:
    """Which of these batches have a send whose communications are not all in the queue yet."""
    open_sends = batches.filter(sends__id__isnull=False, sends__finished_at=None)
    return set(open_sends.values_list("id", flat=True))


def batch_status(batch: Batch, counts: dict[str, Any], *, send_under_way: bool) -> str:
    """IMPORTED, SENDING, PARTLY_SENT or COMPLETED, from the `Stats` of all its channels."""
    if batch.send_requested_at is None:
        return "IMPORTED"
    if counts["enqueued"] or (counts["pending"] and send_under_way):
        return "SENDING"
    return "PARTLY_SENT" if counts["pending"] else "COMPLETED"


def list_years(visible: VisibleBuildings, building_id: UUID) -> dict[str, Any]:
    """The years of one building, newest first, with counts per channel (`YearsOut`)."""
    visible.require(building_id)
    if not Building.objects.visible_to(visible).filter(id=building_id).exists():
        raise NotFound("no such building")
    channels: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    rollups = ChannelRollup.objects.visible_to(visible).filter(building_id=building_id)
    for year, channel, *counts in rollups.order_by("year", "channel").values_list(
        "year", "channel", *COUNTERS
    ):
        channels[year][channel] = stats(counts)
    batches = Batch.objects.visible_to(visible).filter(building_id=building_id)
    under_way = sends_under_way(batches)
    items = [
        {
            "year": batch.year,
            "batchId": batch.id,
            "batchStatus": batch_status(
                batch,
                total_of(channels[batch.year].values()),
                send_under_way=batch.id in under_way,
            ),
            "sendRequestedAt": batch.send_requested_at,
            "completedAt": batch.completed_at,
            "channels": channels[batch.year],
        }
        for batch in batches.order_by("-year")
    ]
    # `completedAt` stays when a message of a completed batch is sent again.
    completed = [item["year"] for item in items if item["completedAt"]]
    return {"items": items, "defaultYear": completed[0] if completed else now().year - 1}


_ORDERS = {
    "unitNumber": ("sort_key", "ASC", ">"),
    "-unitNumber": ("sort_key", "DESC", "<"),
    "recipientName": ("name_key", "ASC", ">"),
    "-recipientName": ("name_key", "DESC", "<"),
}

_MATCHING = """
    FROM unit_bills AS bill WHERE bill.batch_id = %(batch)s
"""
_SEARCH = " AND lower(bill.search) LIKE %(search)s"
# The number stands in the first line. A digit or three stand in nearly every phone number.
_SEARCH_NUMBER = _SEARCH + " AND split_part(lower(bill.search), E'\\n', 1) LIKE %(search)s"
_DIGITS_OF_A_UNIT = 3
# Never correlated with `bill`: PostgreSQL then joins the two sets once instead of once a unit.
_FILTER = """
    AND bill.unit_id IN (
        SELECT unit_id FROM communications WHERE batch_id = %(batch)s {channel} {status})
"""
_CHANNEL = "AND channel = %(channel)s"
_STATUS = "AND delivery_status = %(status)s"
_COMMUNICATIONS = """
    SELECT unit_id, id, channel, delivery_status, ready_to_print, outcome_unknown, contradictory,
           last_event_type, last_event_at, error::text
    FROM communications JOIN unnest(%s::uuid[], %s::uuid[]) AS page (batch, unit)
      ON batch_id = page.batch AND unit_id = page.unit
    ORDER BY array_position(ARRAY['EMAIL', 'SMS', 'LETTER', 'LETTER_WITH_RECEIPT'], channel::text)
"""


def list_units(
    visible: VisibleBuildings,
    building_id: UUID,
    year: int,
    *,
    channel: str | None = None,
    status: str | None = None,
    search: str = "",
    sort: str = "unitNumber",
    cursor: str | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """One page of a batch's units with their communications (`UnitPage`).

    `search` looks in unit number, recipient (accents typed or not), e-mail and phone; up to three
    digits are looked for in the unit number alone. `total` counts all that match.
    """
    visible.require(building_id)
    after: list[Any] = decode_cursor(cursor, str, UUID) if cursor else []
    batches = Batch.objects.visible_to(visible).filter(building_id=building_id, year=year)
    batch_id = batches.values_list("id", flat=True).first()
    if batch_id is None:
        return {"items": [], "nextCursor": None, "total": 0}
    column, direction, beyond = _ORDERS[sort]
    condition, pattern = matching_search(search)
    matching = _MATCHING + condition
    if channel or status:
        matching += _FILTER.format(
            channel=_CHANNEL if channel else "", status=_STATUS if status else ""
        )
    keyset = f" AND (bill.{column}, bill.unit_id) {beyond} (%(after)s, %(after_id)s)"
    parameters = {
        "batch": batch_id,
        "channel": channel,
        "status": status,
        "search": pattern,
        "after": after[0] if after else None,
        "after_id": after[1] if after else None,
        "limit": limit + 1,
    }
    with connection.cursor() as database:
        database.execute(
            f"""
            WITH page AS (
                SELECT bill.batch_id, bill.unit_id, bill.recipient_name, bill.{column} AS key
                {matching} {keyset if after else ""}
                ORDER BY bill.{column} {direction}, bill.unit_id {direction} LIMIT %(limit)s)
            SELECT page.batch_id, page.unit_id, units.number, page.recipient_name, page.key
            FROM page JOIN units ON units.id = page.unit_id
            ORDER BY page.key {direction}, page.unit_id {direction}
            """,
            parameters,
        )
        rows = database.fetchall()
        page = rows[:limit]
        database.execute(f"SELECT count(*) {matching}", parameters)
        (total,) = database.fetchone()
        database.execute(_COMMUNICATIONS, [[row[0] for row in page], [row[1] for row in page]])
        by_unit: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
        for row in database.fetchall():
            by_unit[row[0]].append(_brief(*row[1:]))
    return {
        "items": [_unit_row(row[1], row[2], row[3], by_unit[row[1]]) for row in page],
        "nextCursor": encode_cursor(page[-1][4], page[-1][1]) if len(rows) > limit else None,
        "total": total,
    }


def matching_search(search: str) -> tuple[str, str]:
    """SQL that follows a WHERE on `unit_bills AS bill`, and its parameter `search`: what a search
    of the unit list leaves."""
    text = search.strip().lower()
    number = text.isdigit() and len(text) <= _DIGITS_OF_A_UNIT
    condition = _SEARCH_NUMBER if number else _SEARCH
    return condition if text else "", f"%{_escape_like(text)}%"


def _raw(text: str | None) -> msgspec.Raw | None:
    """JSON as PostgreSQL wrote it, passed on without being parsed."""
    return None if text is None else msgspec.Raw(text.encode())


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("\x00", "")


def _brief(
    id_: UUID,
    channel: str,
    status: str,
    ready_to_print: bool,
    outcome_unknown: bool,
    contradictory: bool,
    last_event_type: str,
    last_event_at: datetime,
    error: Any,
) -> dict[str, Any]:
    return {
        "id": id_,
        "channel": channel,
        "deliveryStatus": status,
        "readyToPrint": ready_to_print,
        "outcomeUnknown": outcome_unknown,
        "contradictory": contradictory,
        "lastEventType": last_event_type,
        "lastEventAt": last_event_at,
        "error": _raw(error) if isinstance(error, str) else error,
    }


def _unit_row(
    unit_id: UUID, number: str, recipient_name: str, communications: list[dict[str, Any]]
) -> dict[str, Any]:
    latest = max(communications, key=lambda one: one["lastEventAt"], default=None)
    statuses = Counter(one["deliveryStatus"] for one in communications)
    return {
        "unitId": unit_id,
        "unitNumber": number,
        "recipientName": recipient_name,
        "communications": communications,
        "counts": statuses,
        "lastEvent": latest
        and {
            "type": latest["lastEventType"],
            "at": latest["lastEventAt"],
            "communicationId": latest["id"],
        },
        "manualLetter": statuses["MANUAL"] > 0,
    }


_ACTIVITY_COLUMNS = """
    e.id, e.sequence, e.attempt, e.type, e.source, e.occurred_at, e.recorded_at, e.hash,
    e.communication_id, e.user_id
"""
_NEWEST = """
    FROM communication_events AS e
    WHERE e.building_id = %(building)s AND e.year = %(year)s {type} {before}
    ORDER BY e.recorded_at DESC, e.id DESC LIMIT %(limit)s
"""
_BEFORE = "AND (e.recorded_at, e.id) < (%(before)s, %(before_id)s)"


def list_activity(
    visible: VisibleBuildings,
    building_id: UUID,
    year: int,
    *,
    types: Sequence[str] = (),
    cursor: str | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """One page of a building's and year's events, newest first (`ActivityPage`)."""
    visible.require(building_id)
    before: list[Any] = decode_cursor(cursor, datetime, UUID) if cursor else []
    newest = _NEWEST.format(
        type="AND e.type = kinds.kind" if types else "", before=_BEFORE if before else ""
    )
    if types:
        # One index range a type, merged: a rare type costs no more than a frequent one.
        newest = f"""
            FROM unnest(%(types)s::text[]) AS kinds (kind)
            CROSS JOIN LATERAL (SELECT {_ACTIVITY_COLUMNS} {newest}) AS e
            ORDER BY e.recorded_at DESC, e.id DESC LIMIT %(limit)s
        """
    with connection.cursor() as database:
        database.execute(
            f"""
            WITH newest AS (SELECT {_ACTIVITY_COLUMNS} {newest})
            SELECT e.*, p.payload::text, c.channel, c.delivery_status, c.unit_id, units.number,
                   c.recipient_name, users.username
            FROM newest AS e
            JOIN communication_event_payloads AS p ON p.event_id = e.id
            JOIN communications AS c ON c.id = e.communication_id
            JOIN units ON units.id = c.unit_id
            LEFT JOIN users ON users.id = e.user_id
            ORDER BY e.recorded_at DESC, e.id DESC
            """,
            {
                "building": building_id,
                "year": year,
                "types": sorted(set(types)),
                "before": before[0] if before else None,
                "before_id": before[1] if before else None,
                "limit": limit + 1,
            },
        )
        rows = database.fetchall()
    page = rows[:limit]
    return {
        "items": [_activity(*row) for row in page],
        "nextCursor": encode_cursor(page[-1][6], page[-1][0]) if len(rows) > limit else None,
    }


def get_unit(visible: VisibleBuildings, unit_id: UUID) -> dict[str, Any]:
    """A unit with all its communications, newest year first (`UnitOut`)."""
    unit = Unit.objects.visible_to(visible).select_related("building").filter(id=unit_id).first()
    if unit is None:
        raise NotFound("no such unit")
    rows = Communication.objects.visible_to(visible).filter(unit=unit).order_by("-year", "channel")
    return {
        "id": unit.id,
        "number": unit.number,
        "building": _building(unit.building),
        "legalHold": legal_hold(unit),
        "deliveryRecords": delivery_records(unit),
        "communications": [
            {
                **_brief(
                    one.id,
                    one.channel,
                    one.delivery_status,
                    one.ready_to_print,
                    one.outcome_unknown,
                    one.contradictory,
                    one.last_event_type,
                    one.last_event_at or one.created_at,
                    one.error,
                ),
                "year": one.year,
                "recipientName": one.recipient_name,
            }
            for one in rows
        ],
    }


def get_communication(visible: VisibleBuildings, communication_id: UUID) -> dict[str, Any]:
    """Everything about one communication (`CommunicationOut`)."""
    one = (
        Communication.objects.visible_to(visible)
        .select_related("building", "unit", "snapshot")
        .filter(id=communication_id)
        .first()
    )
    if one is None:
        raise NotFound("no such communication")
    attempts = list(one.attempts.select_related("requested_by").order_by("number"))
    rendered = next((a for a in reversed(attempts) if a.body_text_sha256), None)
    row = one.snapshot.row
    contact = ("email", "phone", "street", "street2", "postcode", "city", "country", "language")
    return {
        "id": one.id,
        "building": _building(one.building),
        "unit": {"id": one.unit_id, "number": one.unit.number},
        "year": one.year,
        "batchId": one.batch_id,
        "channel": one.channel,
        "deliveryStatus": one.delivery_status,
        "readyToPrint": one.ready_to_print,
        "outcomeUnknown": one.outcome_unknown,
        "contradictory": one.contradictory,
        "inUnpostedRun": _in_unposted_run(one),
        "recipient": {"name": one.recipient_name, **{key: row.get(key) for key in contact}},
        "subject": rendered.subject if rendered else "",
        "bodyText": _text(rendered) if rendered else None,
        "bodyHtmlUrl": _html_url(rendered) if rendered else None,
        "attachments": [
            _attachment(attachment) for attachment in one.attachments.order_by("created_at", "id")
        ],
        "attempts": [_attempt(attempt) for attempt in attempts],
        "events": [
            _event(event)
            for event in one.events.select_related("user", "payload_row").order_by("sequence")
        ],
        "auditNotes": [
            audit_note(note)
            for note in one.audit_notes.select_related("user").order_by("created_at")
        ],
        "deliveryRecords": delivery_records(one.unit, year=one.year),
        "queuedAt": one.queued_at,
        "sentAt": one.sent_at,
        "deliveredAt": one.delivered_at,
        "openedAt": one.opened_at,
        "failedAt": one.failed_at,
        "providerMessageId": one.provider_message_id,
        "error": one.error,
    }


def attachment_link(visible: VisibleBuildings, attachment_id: UUID) -> str:
    """The signed link of an attachment."""
    attachment = Attachment.objects.filter(
        id=attachment_id, communication__in=Communication.objects.visible_to(visible)
    ).first()
    if attachment is None:
        raise NotFound("no such attachment")
    # The browser goes there as a whole, so the store itself may answer.
    return attachment_url(attachment, sign=storage.sign_direct)


def require_communication(visible: VisibleBuildings, communication_id: UUID) -> None:
    """`NotFound` for what is not there or not to be seen."""
    if not Communication.objects.visible_to(visible).filter(id=communication_id).exists():
        raise NotFound("no such communication")


# Print runs, delivery records and legal holds live above, and are known by their foreign keys.


def _in_unposted_run(communication: Communication) -> bool:
    """Whether a letter of it may be printed already, and goes out unless somebody takes it out."""
    return communication.attempts.filter(print_run_item__run__status="READY").exists()


def delivery_records(unit: Unit, *, year: int | None = None) -> list[dict[str, Any]]:
    """A unit's delivery records, of one year or all, newest first (`DeliveryRecordOut`)."""
    rows = unit.delivery_records.select_related("recorded_by").prefetch_related("attachments")
    if year is not None:
        rows = rows.filter(year=year)
    records = list(rows.order_by("-year", "-created_at"))
    history = _record_changes(unit) if records else {}
    return [_delivery_record(record, history) for record in records]


def delivery_record(record: Any) -> dict[str, Any]:
    """A record as `DeliveryRecordOut`."""
    return _delivery_record(record, _record_changes(record.unit))


def _record_changes(unit: Unit) -> dict[str, list[dict[str, Any]]]:
    """Who changed a unit's delivery records, when and how, oldest first, by the record's id."""
    changes = (
        unit.communications.filter(
            events__type__in=("NOTICE", "MANUAL_MARKED"),
            events__payload_row__payload__detail__has_key="recordId",
        )
        .order_by("events__recorded_at", "events__id")
        .values_list(
            "events__id",
            "events__recorded_at",
            "events__user_id",
            "events__user__username",
            "events__payload_row__payload",
        )
    )
    history: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event_id, at, user_id, username, payload in changes:
        detail = payload["detail"]
        history[detail["recordId"]].append(
            {
                "eventId": event_id,
                "at": at,
                "user": {"id": user_id, "username": username} if username else None,
                "changes": detail["changes"],
                "proofs": len(detail["proofs"]),
            }
        )
    return history


def _delivery_record(record: Any, history: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        "id": record.id,
        "year": record.year,
        "method": record.method,
        "dispatchedAt": record.dispatched_at,
        "deliveredAt": record.delivered_at,
        "witness": record.witness,
        "note": record.note,
        "files": [_attachment(attachment) for attachment in record.attachments.all()],
        "recordedBy": _user(record.recorded_by),
        "history": history.get(str(record.id), []),
        "createdAt": record.created_at,
        "updatedAt": record.updated_at,
    }


def legal_hold(unit: Unit) -> dict[str, Any] | None:
    """The legal hold that stands over a unit (`LegalHoldOut`), if one does."""
    hold = unit.legal_holds.filter(lifted_at=None).select_related("placed_by").first()
    if hold is None:
        return None
    return {
        "id": hold.id,
        "reason": hold.reason,
        "placedBy": _user(hold.placed_by),
        "placedAt": hold.placed_at,
    }


def audit_note(note: AuditNote) -> dict[str, Any]:
    """A note as `AuditNoteOut`."""
    return {
        "id": note.id,
        "note": note.note,
        "user": _user(note.user),
        "createdAt": note.created_at,
        "eventId": note.event_id,
    }


def _activity(*row: Any) -> dict[str, Any]:
    (
        id_, sequence, attempt, type_, source, occurred_at, recorded_at, hash_, communication_id,
        user_id, payload, channel, status, unit_id, number, recipient_name, username,
    ) = row  # fmt: skip
    return {
        "id": id_,
        "sequence": sequence,
        "attempt": attempt,
        "type": type_,
        "source": source,
        "occurredAt": occurred_at,
        "recordedAt": recorded_at,
        "user": {"id": user_id, "username": username} if user_id else None,
        "payload": _raw(payload),
        "hash": bytes(hash_).hex(),
        "unit": {"id": unit_id, "number": number, "recipientName": recipient_name},
        "communication": {"id": communication_id, "channel": channel, "deliveryStatus": status},
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "sequence": event.sequence,
        "attempt": event.attempt,
        "type": event.type,
        "source": event.source,
        "occurredAt": event.occurred_at,
        "recordedAt": event.recorded_at,
        "user": _user(event.user) if event.user else None,
        "payload": event.payload_row.payload,
        "hash": bytes(event.hash).hex(),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "number": attempt.number,
        "channel": attempt.channel,
        "recipient": attempt.recipient,
        "provider": attempt.provider,
        "providerMessageId": attempt.provider_message_id,
        "outcome": attempt.outcome,
        "tries": attempt.tries,
        "nextTryAt": attempt.next_try_at,
        "createdAt": attempt.created_at,
        "sendStartedAt": attempt.send_started_at,
        "handedOverAt": attempt.handed_over_at,
        "smsSegments": attempt.sms_segments,
        "error": attempt.error,
        "requestedBy": _user(attempt.requested_by) if attempt.requested_by else None,
    }


def _attachment(attachment: Attachment) -> dict[str, Any]:
    return {
        "id": attachment.id,
        "kind": attachment.kind,
        "fileName": attachment.file_name,
        "contentType": attachment.content_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "url": attachment_url(attachment),
        "thumbnailUrl": _thumbnail(attachment),
        "createdAt": attachment.created_at,
    }


def attachment_url(attachment: Attachment, *, sign: Callable[..., str] = storage.sign) -> str:
    """The signed link of an attachment somebody may see."""
    return sign(
        attachment.sha256,
        file_name=attachment.file_name,
        content_type=attachment.content_type,
        expires_in=LINKS_LAST,
        # Ours may be looked at in place; what somebody uploaded is only ever a file.
        download=attachment.kind == AttachmentKind.PROOF,
    )


def _thumbnail(attachment: Attachment) -> str | None:
    if not attachment.thumbnail_sha256:
        return None
    return storage.sign(
        attachment.thumbnail_sha256,
        file_name=f"{attachment.file_name}.jpg",
        content_type="image/jpeg",
        expires_in=LINKS_LAST,
    )


def _text(attempt: Attempt) -> str:
    return storage.open(attempt.body_text_sha256).decode()


def _html_url(attempt: Attempt) -> str | None:
    if not attempt.body_html_sha256:
        return None
    return storage.sign(
        attempt.body_html_sha256,
        file_name="message.html",
        content_type="text/html; charset=utf-8",
        expires_in=LINKS_LAST,
    )


def _building(building: Building) -> dict[str, Any]:
    return {
        "id": building.id,
        "code": building.code,
        "name": building.name,
        "timeZone": building.time_zone,
    }


def _user(user: User) -> dict[str, Any]:
    return {"id": user.pk, "username": user.username}
