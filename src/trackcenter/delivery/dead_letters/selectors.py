"""What dead letters are about."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from trackcenter.access.visible import VisibleBuildings
from trackcenter.queue import dead_letters
from trackcenter.queue.letters import DeadLetter
from trackcenter.queue.models import DeadLetterDecision

# Key of the message → the rows that tell its communication, batch or export's building. The tables
# stand above this folder in the house, so they are asked by name.
_SOURCES = {
    "communicationId": """
        SELECT c.id, c.id, c.batch_id, c.building_id FROM communications AS c
        WHERE c.id = ANY(%(ids)s)
    """,
    "receiptId": """
        SELECT r.id, a.communication_id, c.batch_id, c.building_id FROM inbound_receipts AS r
        JOIN communication_attempts AS a ON a.id = r.attempt_id
        JOIN communications AS c ON c.id = a.communication_id WHERE r.id = ANY(%(ids)s)
    """,
    "sendId": """
        SELECT s.id, NULL::uuid, s.batch_id, b.building_id FROM batch_sends AS s
        JOIN communication_batches AS b ON b.id = s.batch_id WHERE s.id = ANY(%(ids)s)
    """,
    "resendId": """
        SELECT r.id, NULL::uuid, r.batch_id, b.building_id FROM bulk_resends AS r
        JOIN communication_batches AS b ON b.id = r.batch_id WHERE r.id = ANY(%(ids)s)
    """,
    "printRunId": """
        SELECT p.id, NULL::uuid, p.batch_id, b.building_id FROM print_runs AS p
        JOIN communication_batches AS b ON b.id = p.batch_id WHERE p.id = ANY(%(ids)s)
    """,
    "exportId": """
        SELECT e.id, NULL::uuid, NULL::uuid, (e.filters->>'buildingId')::uuid
        FROM communication_exports AS e WHERE e.id = ANY(%(ids)s)
    """,
}

_ABOUT = """
    WITH source (id, communication_id, batch_id, building_id) AS ({source})
    SELECT source.id, c.id, c.delivery_status, c.recipient_name, t.year,
           u.id, u.number, b.id, b.code, b.name
    FROM source
    LEFT JOIN communications AS c ON c.id = source.communication_id
    LEFT JOIN communication_batches AS t ON t.id = source.batch_id
    LEFT JOIN units AS u ON u.id = c.unit_id
    LEFT JOIN buildings AS b ON b.id = source.building_id
    WHERE %(visible)s::uuid[] IS NULL OR source.building_id = ANY(%(visible)s)
"""

_NOTHING: dict[str, Any] = dict.fromkeys(
    ("communicationId", "deliveryStatus", "recipientName", "year", "unit", "building")
)


def list_dead_letters(
    visible: VisibleBuildings, *, cursor: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """One page of the dead letters, newest first (`DeadLetterPage`)."""
    letters, following = dead_letters.list_letters(cursor=cursor, limit=limit)
    return {"items": shown(visible, letters), "nextCursor": following}


def get_dead_letter(visible: VisibleBuildings, letter_id: str) -> dict[str, Any]:
    """One dead letter (`DeadLetterOut`); `NotFound`."""
    return shown(visible, [dead_letters.find(letter_id)])[0]


def decision_out(decision: DeadLetterDecision) -> dict[str, Any]:
    """`DeadLetterDecisionOut`."""
    return {
        "id": decision.id,
        "letterId": decision.letter_id,
        "verdict": decision.verdict,
        "at": decision.at,
        "username": decision.user.username if decision.user else None,
        "note": decision.note,
    }


def shown(visible: VisibleBuildings, letters: Sequence[DeadLetter]) -> list[dict[str, Any]]:
    """Dead letters with what they are about (`DeadLetterOut`), in the same order."""
    about: dict[tuple[str, UUID], dict[str, Any]] = {}
    for key in _SOURCES:
        ids = {found for letter in letters if (found := _uuid(letter.message.get(key)))}
        about |= {(key, id_): words for id_, words in _about(visible, key, ids)}
    return [
        {
            "id": letter.id,
            "queue": letter.queue,
            "task": letter.task,
            "channel": letter.channel,
            "message": letter.message,
            "reason": letter.reason,
            "runs": letter.runs,
            "failedAt": letter.at,
            **_of(letter, about),
        }
        for letter in letters
    ]


def _of(letter: DeadLetter, about: dict[tuple[str, UUID], dict[str, Any]]) -> dict[str, Any]:
    for key in _SOURCES:
        id_ = _uuid(letter.message.get(key))
        if id_ and (key, id_) in about:
            return about[key, id_]
    return _NOTHING


def _about(
    visible: VisibleBuildings, key: str, ids: set[UUID]
) -> Iterable[tuple[UUID, dict[str, Any]]]:
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _ABOUT.format(source=_SOURCES[key]),
            {"ids": list(ids), "visible": visible.as_parameter()},
        )
        rows = cursor.fetchall()
    for id_, communication, status, recipient, year, unit, number, building, code, name in rows:
        yield (
            id_,
            {
                "communicationId": communication,
                "deliveryStatus": status,
                "recipientName": recipient,
                "year": year,
                "unit": unit and {"id": unit, "number": number},
                "building": building and {"id": building, "code": code, "name": name},
            },
        )


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
