"""Exports: asked for in a transaction, written by a worker, once, whatever dies meanwhile."""

import logging
import time
from collections.abc import Generator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from trackcenter import storage
from trackcenter.access.actor import Actor
from trackcenter.access.log import record
from trackcenter.access.models import Act
from trackcenter.buildings.models import Building
from trackcenter.exports.files import CONTENT_TYPES, OnRows, csv_file, xlsx_file
from trackcenter.exports.models import CommunicationExport, ExportStatus
from trackcenter.exports.rows import Reading, Selection, own_connection
from trackcenter.kit.clock import now
from trackcenter.kit.errors import NotFound
from trackcenter.kit.ids import new_id
from trackcenter.queue.payloads import ExportJob
from trackcenter.queue.publish import publish
from trackcenter.queue.retry import RetryAt

log = logging.getLogger(__name__)

KEPT = timedelta(days=7)
"""How long a finished export can be fetched."""

MAX_STARTS = 5
"""A worker that dies again and again over the same export is not given it for ever."""

_BETWEEN_WORDS = 0.5
"""Seconds between two notes of progress."""


class NoSuchExport(NotFound):
    """A job for an export that is not there: it will not come."""

    permanent = True


class _GivenUp(Exception):
    """Another run has this export now; this one stops where it is."""


@transaction.atomic
def request_export(actor: Actor, filters: dict[str, Any], kind: str) -> CommunicationExport:
    """Store what is asked for, as far as the actor can see now, together with its job.

    `filters` is in the API's words (`ExportFilters`, camelCase, only what is set). Raises
    `NotFound` for a building that is not there or not the actor's.
    """
    wanted = filters.get("buildingId")
    parts = ["track-center"]
    buildings = None if actor.visible.ids is None else sorted(actor.visible.ids)
    if wanted is not None:
        building = Building.objects.visible_to(actor.visible).filter(id=wanted).first()
        if building is None:
            raise NotFound("no such building")
        buildings = [building.id]
        parts.append(building.code)
    parts += [str(filters[name]) for name in ("year", "channel", "status") if filters.get(name)]
    export = CommunicationExport(
        requested_by=actor.user, filters=filters, format=kind, buildings=buildings
    )
    export.file_name = f"{' '.join(parts)} {export.created_at:%Y-%m-%d}.{kind}"
    export.save(force_insert=True)
    record(actor, Act.EXPORT_REQUESTED, export.id, filters)
    publish([ExportJob(export.id)])
    return export


def write_export(export_id: UUID) -> None:
    """Write the file of an export; the job's work, however often the job comes.

    One run at a time: it holds an advisory lock on a connection of its own, which the database
    lets go when the run's process dies. So RUNNING with a free lock is an export whose worker is
    dead, and is begun anew. Ends READY or FAILED with a reason; trouble that passes (the database
    is away) is raised, for the queue to come again, and so is `RetryAt` while another run is at it.
    """
    with own_connection() as database:
        if not _lock(database, export_id):
            # It may be a dead machine's, whose connection nobody has missed yet: look again.
            later = now() + timedelta(seconds=settings.LEASE_SECONDS)
            raise RetryAt(later, "another worker writes this export")
        export = _begin(export_id)
        if export is None:
            return
        try:
            _write(database, export)
        except _GivenUp:
            log.warning("another worker took over an export", extra={"export": str(export_id)})
        except (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except (OSError, ValueError, DatabaseError, psycopg.Error) as error:
            log.exception("an export failed", extra={"export": str(export_id)})
            _end(export, status=ExportStatus.FAILED, reason=_reason(error))


def write_file(selection: Selection, kind: str, output: Path, on_rows: OnRows) -> int:
    """Write a selection straight to a file, whole or not at all; says how many rows.

    For the command line: no row in the table, no worker. Raises OSError.
    """
    draft = output.with_name(f".{output.name}.{new_id()}")
    scratch = draft.with_name(f"{draft.name}.folder")
    try:
        with own_connection() as database, draft.open("xb") as file:
            rows = Reading(database, selection)
            with closing(_chunks(rows, kind, on_rows, scratch)) as chunks:
                file.writelines(chunks)
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    return rows.total


def _lock(database: BaseDatabaseWrapper, export_id: UUID) -> bool:
    with database.cursor() as cursor:
        name = f"export {export_id}"
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        return bool(cursor.fetchone()[0])


@transaction.atomic
def _begin(export_id: UUID) -> CommunicationExport | None:
    """Claim an export whose lock is held; None when there is nothing to do."""
    export = CommunicationExport.objects.select_for_update().filter(id=export_id).first()
    if export is None:
        raise NoSuchExport(f"no such export: {export_id}")
    if export.status in (ExportStatus.READY, ExportStatus.FAILED):
        return None
    if export.starts >= MAX_STARTS:
        export.status = ExportStatus.FAILED
        export.reason = f"The worker stopped {MAX_STARTS} times while it wrote this file."
        export.finished_at = now()
        export.save()
        return None
    export.status = ExportStatus.RUNNING
    export.claim = new_id()
    export.starts += 1
    export.progress = 0
    export.save()
    return export


def _write(database: BaseDatabaseWrapper, export: CommunicationExport) -> None:
    rows = Reading(database, selection_of(export))
    progress = _Progress(export, rows.total)
    scratch = settings.DATA / "scratch" / f"export-{export.id}"
    with closing(_chunks(rows, export.format, progress, scratch)) as chunks:
        sha256 = storage.save_stream(chunks, content_type=CONTENT_TYPES[export.format])
    finished = now()
    _end(
        export,
        status=ExportStatus.READY,
        progress=100,
        row_count=rows.total,
        sha256=sha256,
        storage_path=sha256,
        size=storage.size(sha256),
        finished_at=finished,
        expires_at=finished + KEPT,
    )


def selection_of(export: CommunicationExport) -> Selection:
    """What an export is about."""
    filters = export.filters
    return Selection(
        buildings=None if export.buildings is None else tuple(export.buildings),
        year=filters.get("year"),
        channel=filters.get("channel"),
        status=filters.get("status"),
        search=filters.get("search") or "",
    )


def _chunks(
    rows: Reading, kind: str, on_rows: OnRows, scratch: Path
) -> Generator[bytes, None, None]:
    return csv_file(rows, on_rows) if kind == "csv" else xlsx_file(rows, on_rows, scratch)


class _Progress:
    """Notes the percentage now and then, and finds out when another run has taken over."""

    def __init__(self, export: CommunicationExport, total: int) -> None:
        self._export = export
        self._total = total
        self._next = time.monotonic() + _BETWEEN_WORDS

    def __call__(self, done: int) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _BETWEEN_WORDS
        if not _still_ours(self._export).update(progress=min(99, 100 * done // self._total)):
            raise _GivenUp


def _still_ours(export: CommunicationExport) -> Any:
    return CommunicationExport.objects.filter(
        id=export.id, claim=export.claim, status=ExportStatus.RUNNING
    )


def _end(export: CommunicationExport, **outcome: Any) -> None:
    outcome.setdefault("finished_at", now())
    if not _still_ours(export).update(**outcome):
        raise _GivenUp


def _reason(error: Exception) -> str:
    """Why, for the person who asked; the log has the rest."""
    if isinstance(error, OSError):
        return f"The file could not be stored: {error.strerror or error}."
    if isinstance(error, psycopg.Error | DatabaseError):
        cause = error if isinstance(error, psycopg.Error) else error.__cause__
        state = getattr(cause, "sqlstate", None)
        return f"The database could not read the rows (SQLSTATE {state})."
    return f"The file could not be written: {error}."
