"""Importing a billing file: checked to its end first, then written in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

from trackcenter.imports.checking import CheckedFile, check_file
from trackcenter.imports.reading import open_table
from trackcenter.imports.writing import Writer

Progress = Callable[[str, int, int | None], None]
"""Told how far an import is: `checking` or `writing`, rows done, rows in all (None: not known)."""

_TRIES = 3


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or would do (dry run). A row of the file is one unit's bill of one year.

    `batches` counts the buildings and years the file has rows for; `batch_ids` names them in that
    order, and is empty after a dry run, which leaves none behind.
    """

    batches: int
    created: int
    updated: int
    unchanged: int
    batch_ids: list[UUID]
    dry_run: bool


def import_file(
    source: Path | BinaryIO,
    file_name: str,
    *,
    user_id: UUID | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportResult:
    """Import a billing file (CSV, XLSX or JSON), whole or not at all.

    `source` is a path or a seekable binary stream; `file_name` is what the events will say. A row
    whose unit has no bill of its year makes one. A changed row replaces what was never sent:
    channels it drops are CANCELLED, channels it adds are created. A row whose bill was sent must
    not change. Units that the file leaves out stay as they are, and the same file again changes
    nothing. A dry run does all of it and takes it back.

    Raises `InputError` with every problem, each at `("row", number, column)`.
    """
    if isinstance(source, Path):
        with source.open("rb") as stream:
            return import_file(
                stream, file_name, user_id=user_id, dry_run=dry_run, progress=progress
            )
    told = progress or _untold
    file = check_file(open_table(source), on_row=lambda done: told("checking", done, None))
    for remaining in reversed(range(_TRIES)):
        try:
            return _write(file, Path(file_name).name[:255], user_id, dry_run, told)
        except OperationalError as problem:
            # A batch that is being sent locks the same rows in chunks of its own; PostgreSQL
            # then makes one of the two give way.
            gave_way = isinstance(problem.__cause__, DeadlockDetected)
            if not gave_way or not remaining or connection.in_atomic_block:
                raise
    raise AssertionError("the last try returns or raises")


def _untold(_phase: str, _done: int, _total: int | None) -> None:
    """Nobody watches."""


def _write(
    file: CheckedFile, file_name: str, user_id: UUID | None, dry_run: bool, progress: Progress
) -> ImportResult:
    with transaction.atomic():
        writer = Writer(file, file_name, user_id)
        writer.write(lambda done: progress("writing", done, len(file.rows)))
        if dry_run:
            transaction.set_rollback(True)
    return ImportResult(
        batches=len(writer.batch_ids),
        created=writer.created,
        updated=writer.updated,
        unchanged=writer.unchanged,
        batch_ids=[] if dry_run else writer.batch_ids,
        dry_run=dry_run,
    )
