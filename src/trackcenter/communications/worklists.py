"""What waits for a person: outcomes nobody knows, and sources that disagree."""

from typing import Any, Literal
from uuid import UUID

import msgspec
from django.db import connection

from trackcenter.access.visible import VisibleBuildings
from trackcenter.kit.pagination import decode_cursor, encode_cursor

Flag = Literal["outcome_unknown", "contradictory"]

_FLAGGED = """
    SELECT c.id, c.channel, c.year, c.delivery_status, c.recipient_name, c.error::text,
           c.outcome_unknown, c.contradictory, c.last_event_at,
           b.id, b.code, b.name, u.id, u.number,
           a.number, a.channel, a.recipient, a.provider, a.send_started_at
    FROM communications AS c
    JOIN buildings AS b ON b.id = c.building_id
    JOIN units AS u ON u.id = c.unit_id
    LEFT JOIN communication_attempts AS a
      ON a.communication_id = c.id AND a.number = c.newest_attempt
    WHERE c.{flag} AND (%(visible)s::uuid[] IS NULL OR c.building_id = ANY(%(visible)s))
      AND (%(after)s::uuid IS NULL OR c.id > %(after)s)
    ORDER BY c.id LIMIT %(limit)s
"""


def list_flagged(
    visible: VisibleBuildings, flag: Flag, *, cursor: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """One page of the flagged communications, oldest first (`WorkPage`)."""
    after: UUID | None = decode_cursor(cursor, UUID)[0] if cursor else None
    with connection.cursor() as database:
        database.execute(
            _FLAGGED.format(flag=flag),
            {"visible": visible.as_parameter(), "after": after, "limit": limit + 1},
        )
        rows = database.fetchall()
    page = rows[:limit]
    return {
        "items": [_item(*row) for row in page],
        "nextCursor": encode_cursor(page[-1][0]) if len(rows) > limit else None,
    }


def _item(*row: Any) -> dict[str, Any]:
    (
        id_, channel, year, status, recipient_name, error, unknown, contradictory, last_event_at,
        building_id, code, name, unit_id, unit_number,
        attempt, attempt_channel, recipient, provider, started_at,
    ) = row  # fmt: skip
    return {
        "communicationId": id_,
        "channel": channel,
        "year": year,
        "deliveryStatus": status,
        "outcomeUnknown": unknown,
        "contradictory": contradictory,
        "recipientName": recipient_name,
        "error": msgspec.Raw(error.encode()) if error else None,
        "lastEventAt": last_event_at,
        "building": {"id": building_id, "code": code, "name": name},
        "unit": {"id": unit_id, "number": unit_number},
        "attempt": attempt
        and {
            "number": attempt,
            "channel": attempt_channel,
            "recipient": recipient,
            "provider": provider,
            "sendStartedAt": started_at,
        },
    }
