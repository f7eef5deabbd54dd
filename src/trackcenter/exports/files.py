"""Rows → the bytes of a file, chunk by chunk; memory does not grow with the number of rows."""

import shutil
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from trackcenter.exports.rows import COLUMNS, TIMES, Reading

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

OnRows = Callable[[int], None]
"""Told after every chunk how many rows are done; what it raises ends the file."""

_AT_ONCE = 2_000
_BYTES_AT_ONCE = 1024 * 1024

ROWS_IN_A_SHEET = 1_048_576
LONGEST_CELL = 32_767
"""What Excel can hold (its specifications and limits)."""


def csv_file(reading: Reading, on_rows: OnRows) -> Generator[bytes, None, None]:
    """UTF-8 with a byte order mark (for Excel), else RFC 4180: CRLF, quotes where needed.

    PostgreSQL quotes; COPY gives one row a message and ends it with a line feed, which RFC 4180
    wants as CRLF. A line feed inside a cell is somebody's text and stays.
    """
    yield "\ufeff".encode() + ",".join(COLUMNS).encode() + b"\r\n"
    done = 0
    with reading.csv() as copy:
        rows = iter(copy)
        while some := [row[:-1] for row in islice(rows, _AT_ONCE)]:
            yield b"\r\n".join([*some, b""])
            done += len(some)
            on_rows(done)


def xlsx_file(reading: Reading, on_rows: OnRows, scratch: Path) -> Generator[bytes, None, None]:
    """A workbook with moments as dates (UTC) and everything else as text, never as a formula.

    Rows beyond what a sheet can hold go on in the next one. The workbook grows in `scratch`, a
    folder that is emptied first (an earlier run may have died) and gone afterwards.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700, parents=True)
    try:
        path = scratch / "export.xlsx"
        _write_workbook(reading, on_rows, path)
        with path.open("rb") as file:
            while chunk := file.read(_BYTES_AT_ONCE):
                yield chunk
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write_workbook(reading: Reading, on_rows: OnRows, path: Path) -> None:
    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "default_date_format": "yyyy-mm-dd hh:mm:ss",
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book, reading.values() as rows:
        # The same rows make the same bytes, and so the same hash.
        book.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC)})
        sheet, line = _new_sheet(book), 0
        for done, row in enumerate(rows, start=1):
            line += 1
            if line == ROWS_IN_A_SHEET:
                sheet, line = _new_sheet(book), 1
            _write_row(sheet, line, row)
            if done % _AT_ONCE == 0:
                on_rows(done)


def _new_sheet(book: xlsxwriter.Workbook) -> Worksheet:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    heading = book.add_format({"bold": True})
    for column, name in enumerate(COLUMNS):
        sheet.set_column(column, column, 20)
        sheet.write_string(0, column, name, heading)
    return sheet


def _write_row(sheet: Worksheet, line: int, row: tuple[Any, ...]) -> None:
    for column, value in enumerate(row):
        if not value:
            continue
        if COLUMNS[column] in TIMES:
            # Excel knows no time zones; whole seconds are what its cells can show.
            sheet.write_datetime(
                line, column, value.astimezone(UTC).replace(tzinfo=None, microsecond=0)
            )
        else:
            sheet.write_string(line, column, _fitting(value))


def _fitting(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
