"""The access log: who read which communication, took out what, and changed who may.

Append-only like the events, and kept so by the same triggers. One INSERT a reading, before its
answer leaves: what cannot be recorded is not shown.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from trackcenter.access.actor import Actor
from trackcenter.access.models import Act, User
from trackcenter.kit.clock import now
from trackcenter.kit.context import request_id
from trackcenter.kit.ids import new_id

ONE_READING: Final = timedelta(minutes=10)
"""Somebody who opens the same thing again within this time has read it once. A screen that looks
for news every few seconds would bury everything else."""

READINGS: Final[dict[str, tuple[Act, str | None]]] = {
    "getUnit": (Act.UNIT_READ, "unit_id"),
    "getCommunication": (Act.COMMUNICATION_READ, "communication_id"),
    "getAttachment": (Act.ATTACHMENT_READ, "attachment_id"),
    "getEvidence": (Act.EVIDENCE_READ, "communication_id"),
    "getExport": (Act.EXPORT_READ, "export_id"),
    "listExports": (Act.EXPORT_READ, None),
    "getPrintRun": (Act.PRINT_RUN_READ, "print_run_id"),
    "listPrintRuns": (Act.PRINT_RUN_READ, "batch_id"),
}
"""API operations that show somebody's letter, file or proof, or give the link to one → the act, and
the path parameter that says whose (None: of all that the reader may see). Other lists are not
recorded: they show that there is a letter, not what it says."""

_INSERT = """
    INSERT INTO access_log (id, at, user_id, token_id, act, subject_id, request_id, detail)
    VALUES (%(id)s, %(at)s, %(user)s, %(token)s, %(act)s, %(subject)s, %(request)s, %(detail)s)
"""
_INSERT_READING = """
    INSERT INTO access_log (id, at, user_id, token_id, act, subject_id, request_id, detail)
    SELECT %(id)s, %(at)s, %(user)s, %(token)s, %(act)s, %(subject)s, %(request)s, %(detail)s
    WHERE NOT EXISTS (
        SELECT FROM access_log
        WHERE subject_id {subject} AND user_id = %(user)s AND act = %(act)s
              AND token_id IS NOT DISTINCT FROM %(token)s::uuid AND at > %(since)s
    )
"""


def record(
    who: Actor | User | None,
    act: Act,
    subject_id: UUID | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write one line. `who` is None at the server's own command line. `detail` must be JSON."""
    _write(_INSERT, who, act, subject_id, detail)


def record_reading(who: Actor, act: Act, subject_id: UUID | None) -> None:
    """Write that somebody read something, unless the same was written within `ONE_READING`."""
    subject = "IS NULL" if subject_id is None else "= %(subject)s"
    _write(_INSERT_READING.format(subject=subject), who, act, subject_id, None)


def _write(
    statement: str,
    who: Actor | User | None,
    act: Act,
    subject_id: UUID | None,
    detail: Mapping[str, Any] | None,
) -> None:
    moment = now()
    actor = who if isinstance(who, Actor) else None
    user = actor.user if actor else who
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "id": new_id(),
                "at": moment,
                "since": moment - ONE_READING,
                "user": user.pk if isinstance(user, User) else None,
                "token": actor.token_id if actor else None,
                "act": act.value,
                "subject": subject_id,
                "request": request_id.get(),
                "detail": json.dumps(dict(detail or {})),
            },
        )
