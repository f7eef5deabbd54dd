"""What receipts leave to a person: possible bounces, and reports about nothing we know."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from trackcenter.access.actor import Actor
from trackcenter.access.visible import VisibleBuildings
from trackcenter.communications import events
from trackcenter.communications.events import NewEvent
from trackcenter.communications.models import Communication, Source
from trackcenter.communications.payloads import Failed, Trouble
from trackcenter.communications.services import add_note
from trackcenter.kit.clock import now
from trackcenter.kit.errors import Conflict, InputError, NotFound, Sentence
from trackcenter.kit.pagination import decode_cursor, encode_cursor
from trackcenter.receipts.models import InboundReceipt, ReceiptState, Suggestion

LISTED_AFTER = timedelta(days=1)
"""A report may be early; one whose message is unknown for so long is shown to a person."""

VERDICTS = ("BOUNCED", "DISMISSED")

_SUGGESTIONS = """
    SELECT s.id, s.reason, r.received_at, c.id, c.channel, c.year, c.delivery_status,
           c.recipient_name, a.number, a.recipient, b.id, b.code, b.name, u.id, u.number
    FROM receipt_suggestions AS s
    JOIN inbound_receipts AS r ON r.id = s.receipt_id
    JOIN communication_attempts AS a ON a.id = s.attempt_id
    JOIN communications AS c ON c.id = a.communication_id
    JOIN buildings AS b ON b.id = c.building_id
    JOIN units AS u ON u.id = c.unit_id
    WHERE s.settled_at IS NULL
      AND (%(visible)s::uuid[] IS NULL OR c.building_id = ANY(%(visible)s))
      AND (%(after)s::uuid IS NULL OR s.id > %(after)s)
    ORDER BY s.id LIMIT %(limit)s
"""


def list_suggestions(
    visible: VisibleBuildings, *, cursor: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """One page of the mails that may be bounces, oldest first (`SuggestionPage`)."""
    after: UUID | None = decode_cursor(cursor, UUID)[0] if cursor else None
    with connection.cursor() as database:
        database.execute(
            _SUGGESTIONS,
            {"visible": visible.as_parameter(), "after": after, "limit": limit + 1},
        )
        rows = database.fetchall()
    page = rows[:limit]
    return {
        "items": [
            {
                "id": row[0],
                "reason": row[1],
                "receivedAt": row[2],
                "communicationId": row[3],
                "channel": row[4],
                "year": row[5],
                "deliveryStatus": row[6],
                "recipientName": row[7],
                "attempt": row[8],
                "recipient": row[9],
                "building": {"id": row[10], "code": row[11], "name": row[12]},
                "unit": {"id": row[13], "number": row[14]},
            }
            for row in page
        ],
        "nextCursor": encode_cursor(page[-1][0]) if len(rows) > limit else None,
    }


@transaction.atomic
def settle_suggestions(
    actor: Actor, communication_id: UUID, *, verdict: str, note: str | None = None
) -> int:
    """A person has looked: it BOUNCED (a FAILED event of theirs), or DISMISSED. Says how many.

    Settles every open suggestion of the communication. `Conflict` when there is none.
    """
    if verdict not in VERDICTS:
        raise InputError.at("body", "verdict", msg=f"one of {', '.join(VERDICTS)}")
    visible = Communication.objects.visible_to(actor.visible)
    if not visible.filter(id=communication_id).exists():
        raise NotFound("no such communication")
    open_ones = list(
        Suggestion.objects.select_for_update(of=("self",))
        .select_related("attempt")
        .filter(attempt__communication_id=communication_id, settled_at=None)
        .order_by("id")
    )
    if not open_ones:
        raise Conflict(Sentence("nothing is suggested (any more)", "nothingSuggested"))
    if verdict == "BOUNCED":
        newest = max(open_ones, key=lambda one: one.attempt.number)
        events.append(
            [
                NewEvent(
                    communication_id=communication_id,
                    payload=Failed(
                        receipt_id=str(newest.receipt_id),
                        diagnostic=newest.reason,
                        error=Trouble(code="BOUNCED", message=newest.reason),
                        detail={"note": note} if note else {},
                    ),
                    source=Source.USER,
                    attempt=newest.attempt.number,
                    user_id=actor.user_id,
                )
            ]
        )
    if note:
        add_note(actor, communication_id, note)
    return Suggestion.objects.filter(id__in=[one.id for one in open_ones]).update(
        settled_at=now(), settled_by_id=actor.user_id, verdict=verdict
    )


def list_unresolved(
    visible: VisibleBuildings, *, cursor: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """One page of the receipts that found no message within a day, oldest first.

    They belong to no building, so they are shown to those who see every one (`ReceiptPage`).
    """
    if visible.ids is not None:
        return {"items": [], "nextCursor": None}
    rows = InboundReceipt.objects.filter(
        state=ReceiptState.PARKED, received_at__lt=now() - LISTED_AFTER
    )
    if cursor:
        rows = rows.filter(id__gt=decode_cursor(cursor, UUID)[0])
    found = list(rows.order_by("id").defer("body", "mime")[: limit + 1])
    page = found[:limit]
    return {
        "items": [
            {
                "id": receipt.id,
                "origin": receipt.origin,
                "receivedAt": receipt.received_at,
                "reason": receipt.reason,
                "correlation": receipt.correlation,
            }
            for receipt in page
        ],
        "nextCursor": encode_cursor(page[-1].id) if len(found) > limit else None,
    }
