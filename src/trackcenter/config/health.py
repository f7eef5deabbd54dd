"""Is it alive, is it ready, and how much is there to do: `/healthz`, `/readyz`, `/metrics`.

Open to anybody who can reach the server, so they hold counts and names of parts, nothing else.
"""

import os
from collections.abc import Callable, Iterable
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from trackcenter import storage

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
    return None


def storage_problem() -> str | None:
    """What keeps files from being written, or None."""
    try:
        storage.check_writable()
    except (OSError, ImproperlyConfigured, storage.DamagedBlob):
        return "files cannot be written and read back"
    parts = urlsplit(settings.STORAGE_URL)
    if parts.scheme == "file":
        # The probe is written once; a disk that filled up since is seen by its free space.
        space = os.statvfs(unquote(parts.path))
        if space.f_bavail * space.f_frsize < ROOM_NEEDED:
            return "the disk for files is full"
    return None


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


@require_safe
@never_cache
def metrics(_request: HttpRequest) -> HttpResponse:
    """Prometheus text format 0.0.4."""
    lines = [
        *_family(
            "trackcenter_communications",
            "Communications by delivery status.",
            (({"status": status.upper()}, count) for status, count in _communications()),
        ),
        *_family(
            "trackcenter_queue_jobs",
            "Jobs by queue and state; finished ones are not counted.",
            (({"queue": queue, "state": state}, count) for queue, state, count in _jobs()),
        ),
        *_family(
            "trackcenter_queue_oldest_seconds",
            "Age of the oldest waiting job that is due.",
            (({"queue": queue}, age) for queue, age in _oldest()),
        ),
    ]
    text = "\n".join([*lines, ""])
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _family(
    name: str, meaning: str, samples: Iterable[tuple[dict[str, str], float]]
) -> Iterable[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{name}{{{inside}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _communications() -> list[tuple[str, int]]:
    sums = ", ".join(f"coalesce(sum({status}), 0)" for status in STATUSES)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sums} FROM channel_rollups")
        row = cursor.fetchone()
    return list(zip(STATUSES, (int(count) for count in row or ()), strict=False))


def _jobs() -> list[tuple[str, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT queue_name, status::text, count(*) FROM procrastinate_jobs
            WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1, 2 ORDER BY 1, 2
            """
        )
        return [(queue, state, int(count)) for queue, state, count in cursor.fetchall()]


def _oldest() -> list[tuple[str, float]]:
    """Seconds since each queue's oldest due job was entered (its `deferred` event)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT job.queue_name, extract(epoch FROM now() - min(event.at))
            FROM procrastinate_jobs AS job
            JOIN procrastinate_events AS event ON event.job_id = job.id AND event.type = 'deferred'
            WHERE job.status = 'todo' AND (job.scheduled_at IS NULL OR job.scheduled_at <= now())
            GROUP BY 1 ORDER BY 1
            """
        )
        return [(queue, round(float(age), 3)) for queue, age in cursor.fetchall()]
