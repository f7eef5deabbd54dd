"""Is it alive, is it ready, and how much is there to do: `/healthz`, `/readyz`, `/metrics`.

Open to anybody who can reach the server, so they hold counts and names of parts, nothing else.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from trackcenter import storage
from trackcenter.queue.publish import service_bus_in_use
from trackcenter.queue.servicebus.broker import reachable

ROOM_NEEDED = 50 * 1024 * 1024
"""Bytes that must be free for the server to call itself ready."""

STATUSES = ("pending", "enqueued", "sent", "delivered", "opened", "failed", "manual", "cancelled")


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def database_problem() -> str | None:
    """What keeps the database from being used, or None."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('communications')::text")
            row = cursor.fetchone()
    except (DatabaseError, ImproperlyConfigured):
        return "the database does not answer"
    return None if row and row[0] else "the database has no tables yet: run migrations"


def queue_problem() -> str | None:
    """What keeps jobs from being queued, or None."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM procrastinate_jobs LIMIT 1")
    except DatabaseError:
        return "the queue's table cannot be read"
    if service_bus_in_use() and not reachable():
        return "the Service Bus does not answer"
    return None


def storage_problem() -> str | None:
    """What keeps files from being written, or None."""
    trouble = storage_trouble()
    return trouble.what if trouble else None


@dataclass(frozen=True, slots=True)
class StorageTrouble:
    """`what` may be shown to anybody; `mend` names folders and accounts, for administrators."""

    what: str
    mend: str


def storage_trouble() -> StorageTrouble | None:
    """What keeps files from being written, and what to do about it, or None."""
    try:
        storage.check_writable()
    except storage.StorageUnavailable as trouble:
        return StorageTrouble(trouble.what, trouble.mend)
    except ImproperlyConfigured as error:
        return StorageTrouble(_UNUSABLE, f"{error}.")
    except (OSError, storage.DamagedBlob):
        return StorageTrouble(_UNUSABLE, _A_FOLDER)
    parts = urlsplit(settings.STORAGE_URL)
    if parts.scheme == "file":
        # The probe is written once; a disk that filled up since is seen by its free space.
        space = os.statvfs(unquote(parts.path))
        if space.f_bavail * space.f_frsize < ROOM_NEEDED:
            return StorageTrouble("the disk for files is full", _A_FOLDER)
    return None


_UNUSABLE = "files cannot be written and read back"
_A_FOLDER = "Give this account a writable folder with room: TRACKCENTER_STORAGE_URL."


CHECKS: dict[str, Callable[[], str | None]] = {
    "database": database_problem,
    "queue": queue_problem,
    "storage": storage_problem,
}


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when requests can be served; 503 naming every part that is not ready."""
    problems = {name: problem for name, check in CHECKS.items() if (problem := check())}
    document = {
        "status": "not ready" if problems else "ready",
        "checks": {name: problems.get(name, "ok") for name in CHECKS},
    }
    return JsonResponse(document, status=503 if problems else 200)


MEASURED_EVERY = 15.0
"""Seconds. Counting a million attempts takes a while, and anybody may ask; so each process counts
at most once in this time, and answers with that."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name behind `trackcenter_`, what it says, and SQL that gives its labels and,
    last, its value. `counts` never go down (but for a restored backup); gauges may."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    sql: str
    counts: bool = False


FAMILIES = (
    Family(
        "communications",
        "Communications by delivery status.",
        ("status",),
        " UNION ALL ".join(
            f"SELECT '{status.upper()}', coalesce(sum({status}), 0) FROM channel_rollups"
            for status in STATUSES
        ),
    ),
    Family(
        "outcomes_unknown",
        "Failed communications of which nobody knows whether they left.",
        (),
        "SELECT coalesce(sum(outcome_unknown), 0) FROM channel_rollups",
    ),
    Family(
        "queue_jobs",
        "Jobs by queue and state; finished ones are not counted.",
        ("queue", "state"),
        """
        SELECT queue_name, status::text, count(*) FROM procrastinate_jobs
        WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1, 2 ORDER BY 1, 2
        """,
    ),
    Family(
        "queue_oldest_seconds",
        "Age of the oldest waiting job that is due.",
        ("queue",),
        """
        SELECT job.queue_name, extract(epoch FROM now() - min(event.at))
        FROM procrastinate_jobs AS job
        JOIN procrastinate_events AS event ON event.job_id = job.id AND event.type = 'deferred'
        WHERE job.status = 'todo' AND (job.scheduled_at IS NULL OR job.scheduled_at <= now())
        GROUP BY 1 ORDER BY 1
        """,
    ),
    Family(
        "sends_total",
        "Attempts by channel and what became of the hand-over to the provider.",
        ("channel", "outcome"),
        """
        SELECT channel, outcome, count(*) FROM communication_attempts
        WHERE outcome <> 'OPEN' GROUP BY 1, 2 ORDER BY 1, 2
        """,
        counts=True,
    ),
    Family(
        "receipts_total",
        "Provider reports by where they came from and what became of them.",
        ("origin", "state"),
        """
        SELECT origin, state, count(*) FROM inbound_receipts
        WHERE state NOT IN ('NEW', 'PARKED') GROUP BY 1, 2 ORDER BY 1, 2
        """,
        counts=True,
    ),
    Family(
        "receipts_waiting",
        "Provider reports that wait to be read (NEW), or for the message they are about (PARKED).",
        ("origin", "state"),
        """
        SELECT origin, state, count(*) FROM inbound_receipts
        WHERE state IN ('NEW', 'PARKED') GROUP BY 1, 2 ORDER BY 1, 2
        """,
    ),
    Family(
        "receipts_parked_oldest_seconds",
        "Age of the oldest parked report.",
        (),
        """
        SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0)
        FROM inbound_receipts WHERE state = 'PARKED'
        """,
    ),
    Family(
        "exports",
        "Exports by state.",
        ("status",),
        "SELECT status, count(*) FROM communication_exports GROUP BY 1 ORDER BY 1",
    ),
    Family(
        "export_seconds_sum",
        "Time from asking for an export to its end, of all that have ended.",
        (),
        """
        SELECT coalesce(sum(extract(epoch FROM finished_at - created_at)), 0)
        FROM communication_exports WHERE finished_at IS NOT NULL
        """,
        counts=True,
    ),
    Family(
        "export_seconds_count",
        "Exports that have ended.",
        (),
        "SELECT count(*) FROM communication_exports WHERE finished_at IS NOT NULL",
        counts=True,
    ),
)

_measured: tuple[float, str] = (-MEASURED_EVERY, "")
_measuring = Lock()


@require_safe
@never_cache
def metrics(_request: HttpRequest) -> HttpResponse:
    """Prometheus text format 0.0.4; 503 when the database does not answer."""
    global _measured
    with _measuring:
        at, text = _measured
        if time.monotonic() - at >= MEASURED_EVERY:
            try:
                text = _measure()
            except DatabaseError:
                return HttpResponse("# the database does not answer\n", status=503)
            _measured = (time.monotonic(), text)
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _measure() -> str:
    lines: list[str] = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '10s'")
        for family in FAMILIES:
            name = f"trackcenter_{family.name}"
            lines.append(f"# HELP {name} {family.meaning}")
            lines.append(f"# TYPE {name} {'counter' if family.counts else 'gauge'}")
            cursor.execute(family.sql)
            for *words, value in cursor.fetchall():
                pairs = zip(family.labels, words, strict=True)
                inside = ",".join(f'{key}="{_escaped(str(word))}"' for key, word in pairs)
                labels = f"{{{inside}}}" if inside else ""
                lines.append(f"{name}{labels} {round(value, 3)}")
    return "\n".join([*lines, ""])


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
