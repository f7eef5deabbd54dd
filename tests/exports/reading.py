"""Export files for tests: written from a selection, read as a spreadsheet would."""

import csv
import io
from pathlib import Path
from typing import Any

import openpyxl
from django.db import transaction

from tests.communications import factories
from trackcenter.exports.files import csv_file, xlsx_file
from trackcenter.exports.rows import Reading, Selection, own_connection

# An export reads by a connection of its own, so what it shall see must have been committed.
a_bill = transaction.atomic(factories.a_bill)
an_event = transaction.atomic(factories.an_event)


def unwatched(done: int) -> None:
    assert done > 0


def a_csv(selection: Selection) -> bytes:
    with own_connection() as database:
        return b"".join(csv_file(Reading(database, selection), unwatched))


def an_xlsx(selection: Selection, scratch: Path) -> bytes:
    with own_connection() as database:
        return b"".join(xlsx_file(Reading(database, selection), unwatched, scratch))


def as_rows(content: bytes) -> list[Any]:
    """A CSV as dictionaries, a workbook as tuples of its cells, sheet after sheet."""
    if content.startswith(b"PK"):
        book = openpyxl.load_workbook(io.BytesIO(content))
        for sheet in book:
            assert all(cell.data_type != "f" for row in sheet for cell in row)
        return [row for sheet in book for row in sheet.values]
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
