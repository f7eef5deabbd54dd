"""Billing files as rows of cells: CSV, XLSX and JSON, told apart by their content.

Nothing is judged here but the container: what a cell may say is decided in `imports.checking`.
CSV is read as it streams. XLSX and JSON are bounded by `MAX_BYTES`, `MAX_UNPACKED_BYTES` and
`MAX_ROWS`; their rows are made one at a time.

Row numbers are the ones a person sees: in a table the heading is row 1, in JSON the first object
is.
"""

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import chain, repeat
from typing import IO, BinaryIO

import msgspec
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from trackcenter.kit.errors import InputError, Sentence

MAX_BYTES = 128 * 1024 * 1024
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 200

COST_PREFIX = "cost:"

_ZIP_MAGIC = b"PK\x03\x04"
_OLD_EXCEL_MAGIC = b"\xd0\xcf\x11\xe0"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_LAST_CELL = re.compile(rb"(?s:.*)(?=<(?:\w+:)?c[\s>])")
_ERROR_CELL = re.compile(rb"""<(?:\w+:)?c\b([^<>]*\st=["']e["'][^<>]*)""")
# A cell that begins with a formula; the last group, if it has one, is the result's begin.
_FORMULA_CELL = re.compile(
    rb"<(?:\w+:)?c\b([^<>]*)(?<!/)>\s*<(?:\w+:)?f\b"
    rb"([^<>]*(?:/>|>[^<]*</(?:\w+:)?f>)\s*<(?:\w+:)?v\b[^<>]*>\s*[^<\s])?"
)
_TEXT_CELL = re.compile(rb"""\st=["'](?:str|inlineStr)["']""")
_REFERENCE = re.compile(rb"""\sr=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_FAILED = Sentence("the formula ends in an error (#N/A, #REF!, …); correct it", "formulaFailed")
_UNRESOLVED = Sentence(
    "the formula has no stored result; open and save the file in a spreadsheet program",
    "formulaUnresolved",
)
_BROKEN_WORKBOOK = (
    zipfile.BadZipFile,
    zlib.error,
    CalamineError,
    LookupError,  # an entry or a sheet that the workbook names but does not have
    OSError,
    RuntimeError,  # encrypted entries
    ValueError,
)
_RELATION = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
_SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")


class Number(str):
    """A number of a spreadsheet or of JSON, as it is written: `12`, not `12.0`."""

    __slots__ = ()


Cell = str | Number | date
"""What stands in a cell; an empty cell is the empty string. Times of day are no part of a bill."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it was found. `faults` are cells that could not be read at all: (column, why)."""

    number: int
    columns: tuple[str, ...]
    cells: Sequence[Cell]
    faults: Sequence[tuple[str, Sentence]] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A billing file, opened: its rows can be walked through once.

    `heading` is None where each row names its own columns (JSON). `decimal_comma` tells whether
    amounts may be written with one.
    """

    rows: Iterator[RawRow]
    heading: tuple[str, ...] | None = None
    decimal_comma: bool = field(default=False)


def open_table(stream: BinaryIO) -> Table:
    """The table inside a seekable binary stream, which stays open and belongs to the caller.

    Raises `InputError` at `file` when it is none of CSV, XLSX and JSON, or too large; walking
    through the rows may raise it too, at `row, n`, where the file breaks off.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size > MAX_BYTES:
        most = MAX_BYTES // 1024**2
        words = f"the file has more than {most} MiB; split it by building"
        raise _file_error(Sentence(words, "fileTooLarge", most=most))
    start = stream.read(64)
    stream.seek(0)
    if not start.strip(b"\xef\xbb\xbf \t\r\n"):
        raise _file_error(Sentence("the file is empty", "fileEmpty"))
    if start.startswith(_ZIP_MAGIC):
        return _open_xlsx(stream)
    if start.startswith(_OLD_EXCEL_MAGIC):
        words = (
            "this is an old Excel file (.xls) or a protected workbook; save it as .xlsx without a "
            "password"
        )
        raise _file_error(Sentence(words, "oldExcel"))
    if start.startswith(_UTF16_MARKS):
        raise _file_error(Sentence("the file is UTF-16; save it as 'CSV UTF-8'", "fileUtf16"))
    if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{"):
        return _open_json(stream)
    return _open_csv(stream)


def _file_error(sentence: Sentence) -> InputError:
    return InputError.at("file", msg=sentence)


def _too_many_rows() -> InputError:
    words = f"the file has more than {MAX_ROWS:,} rows; split it by building"
    return _file_error(Sentence(words, "tooManyRows", most=MAX_ROWS))


# --- CSV (RFC 4180, UTF-8 with or without a byte order mark, comma or semicolon) ---


def _open_csv(stream: BinaryIO) -> Table:
    reading = _csv_rows(stream)
    heading, separator = next(reading)
    columns = tuple(cell.strip() for cell in heading)
    return Table(
        rows=_rows_under(columns, (row for row, _ in reading)),
        heading=columns,
        decimal_comma=separator == ";",
    )


def _csv_rows(stream: BinaryIO) -> Iterator[tuple[list[str], str]]:
    """The rows of a CSV, each with the file's separator, which the heading decides."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    number = 0
    try:
        first_line = text.readline()
        text.seek(0)
        separator = ";" if first_line.count(";") > first_line.count(",") else ","
        for row in csv.reader(text, delimiter=separator, strict=True):
            number += 1
            yield row, separator
    except UnicodeDecodeError as problem:
        # The decoder reads ahead, so the row is only known to be this one or a later one.
        wrong = f"0x{problem.object[problem.start]:02X}"
        words = f"the file is not UTF-8 (byte {wrong} after row {number}); save it as 'CSV UTF-8'"
        not_utf8 = Sentence(words, "fileNotUtf8", byte=wrong, row=number)
        raise _file_error(not_utf8) from problem
    except csv.Error as problem:
        words = f"this row cannot be read as CSV: {problem}"
        not_csv = Sentence(words, "rowNotCsv", reason=str(problem))
        raise InputError.at("row", number + 1, msg=not_csv) from problem
    finally:
        text.detach()


# --- XLSX (ECMA-376) ---


def _open_xlsx(stream: BinaryIO) -> Table:
    try:
        with zipfile.ZipFile(stream) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                words = "this is no .xlsx workbook; save it as .xlsx, .csv or .json"
                raise _file_error(Sentence(words, "noWorkbook"))
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
                words = "the workbook unpacks to an unreasonable size"
                raise _file_error(Sentence(words, "workbookTooLarge"))
            stream.seek(0)
            workbook = CalamineWorkbook.from_filelike(stream)
            sheet = _sheet_with_bills(workbook)
            failed = _failed_cells(archive, workbook.sheet_names.index(sheet.name))
    except _BROKEN_WORKBOOK as problem:
        words = f"the workbook cannot be opened: {problem}"
        broken = Sentence(words, "workbookBroken", reason=str(problem))
        raise _file_error(broken) from problem
    start = sheet.start or (0, 0)
    if start[0] != 0:
        words = "row 1 is empty; the heading belongs in row 1"
        raise _file_error(Sentence(words, "headingMissing"))
    last_row, last_column = sheet.end or start
    # Calamine ends with the last row that has a value.
    behind = max((row for row, _ in failed), default=0) - (last_row + 1)
    nothing: Sequence[object] = [""] * (last_column + 1)
    found = chain[Sequence[object]](sheet.iter_rows(), repeat(nothing, behind))
    heading = tuple(str(cell).strip() for cell in next(found))
    while heading and not heading[-1]:  # formatted, empty columns at the right
        heading = heading[:-1]
    return Table(rows=_rows_under(heading, found, failed=failed), heading=heading)


def _sheet_with_bills(workbook: CalamineWorkbook) -> CalamineSheet:
    """The one visible sheet that has something in it."""
    filled = [
        sheet
        for about in workbook.sheets_metadata
        if about.typ == SheetTypeEnum.WorkSheet and about.visible == SheetVisibleEnum.Visible
        for sheet in [workbook.get_sheet_by_name(about.name)]
        if sheet.start is not None
    ]
    if not filled:
        raise _file_error(Sentence("the workbook is empty", "workbookEmpty"))
    if len(filled) > 1:
        names = ", ".join(f"'{sheet.name}'" for sheet in filled)
        words = f"several sheets have something in them ({names}); keep one"
        raise _file_error(Sentence(words, "severalSheets", names=names))
    return filled[0]


def _failed_cells(archive: zipfile.ZipFile, sheet_index: int) -> dict[tuple[int, int], Sentence]:
    """Places (row from 1, column from 0) of cells whose formula has no result, and why.

    It failed (#N/A, #REF!, …), or the program that wrote it does not calculate. Calamine hands
    both out as empty, and a bill whose amount is not known must not become one without an amount.
    """
    failed: dict[tuple[int, int], Sentence] = {}
    with archive.open(_worksheet_entry(archive, sheet_index)) as sheet:
        for piece in _pieces(sheet):
            for attributes, result in _FORMULA_CELL.findall(piece):
                # A text may be empty: that is a result.
                if not result and not _TEXT_CELL.search(attributes):
                    failed[_place(attributes, _UNRESOLVED)] = _UNRESOLVED
            for attributes in _ERROR_CELL.findall(piece):
                failed[_place(attributes, _FAILED)] = _FAILED
    return failed


def _pieces(sheet: IO[bytes]) -> Iterator[bytes]:
    """A worksheet in pieces of about a megabyte that end before a cell, so that none is cut."""
    rest = b""
    while block := sheet.read(1 << 20):
        block = rest + block
        before = _LAST_CELL.match(block)
        # Megabytes may follow on the last cell; of those no more is kept than the tag that is cut.
        cut = (before.end() if before else 0) or block.rfind(b"<") or len(block)
        yield block[:cut]
        rest = block[cut:]
    yield rest


def _place(attributes: bytes, fault: Sentence) -> tuple[int, int]:
    found = _REFERENCE.search(attributes)
    if found is None:
        words = f"a cell does not say where it stands, and {fault}"
        raise _file_error(Sentence(words, "cellWithoutPlace"))
    return int(found.group(2)), _column_index(found.group(1))


def _worksheet_entry(archive: zipfile.ZipFile, index: int) -> str:
    """The archive's entry for the workbook's sheet at this index."""
    relations = {
        _attribute(tag, "Id"): _attribute(tag, "Target")
        for tag in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels").decode())
    }
    sheets = _SHEET.findall(archive.read("xl/workbook.xml").decode())
    target = relations.get(_attribute(sheets[index], r"\w+:id"), "")
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf"\s{name}=[\"']([^\"']*)", tag)
    return found.group(1) if found else ""


def _column_index(letters: bytes) -> int:
    """`A` is 0, `Z` 25, `AA` 26."""
    index = 0
    for letter in letters:
        index = index * 26 + letter - ord("A") + 1
    return index - 1


def _spreadsheet_cell(value: object) -> tuple[Cell, Sentence | None]:
    """A cell's value, or why it cannot be one."""
    match value:
        case str():
            return value, None
        case bool():
            return "", Sentence("a true/false cell; format it as text", "cellIsTrueOrFalse")
        case int():
            return Number(value), None
        case float():
            return Number(as_written(value)), None
        case datetime():
            if value.time() != time():
                words = "a date with a time of day; keep the date alone"
                return "", Sentence(words, "cellHasTime")
            return value.date(), None
        case date():
            return value, None
        case time() | timedelta():
            return "", Sentence("a time of day; format it as text", "cellIsTime")
    kind = type(value).__name__
    words = f"a {kind} cell, which a billing file has no use for"
    return "", Sentence(words, "cellOfOtherKind", kind=kind)


def as_written(value: float) -> str:
    """A spreadsheet's number without exponent, at the 15 digits that spreadsheets keep and show.

    >>> as_written(12.0), as_written(0.1 + 0.2), as_written(491711234567.0)
    ('12', '0.3', '491711234567')
    """
    text = f"{value:.15g}"
    if "e" not in text:
        return text
    digits, _, exponent = text.partition("e")
    if abs(int(exponent)) > 30:  # nothing on a bill; written out it would only flood the message
        return text
    places = max(0, len(digits.partition(".")[2]) - int(exponent))
    return f"{value:.{places}f}"


# --- rows of CSV and XLSX ---


def _rows_under(
    columns: tuple[str, ...],
    found: Iterator[Sequence[object]],
    *,
    failed: Mapping[tuple[int, int], Sentence] | None = None,
) -> Iterator[RawRow]:
    """Rows from row 2 on, each as wide as the heading; empty rows are counted and left out.

    `failed` is given for spreadsheets: the places of cells without a result, and why.
    """
    width = len(columns)
    if width > MAX_COLUMNS:
        words = f"the heading has more than {MAX_COLUMNS} columns"
        too_many = Sentence(words, "tooManyColumns", most=MAX_COLUMNS)
        raise InputError.at("row", 1, msg=too_many)
    for number, row in enumerate(found, start=2):
        if number > MAX_ROWS + 1:
            raise _too_many_rows()
        faults: list[tuple[str, Sentence]] = []
        cells: list[Cell] = []
        for at, value in enumerate(row):
            cell, fault = (str(value), None) if failed is None else _spreadsheet_cell(value)
            if failed:
                fault = failed.get((number, at), fault)
            if fault is not None:
                faults.append((columns[at] if at < width else f"column {at + 1}", fault))
            cells.append(cell)
        if not faults and all(isinstance(cell, str) and not cell.strip() for cell in cells):
            continue
        # A short row of a CSV is how a file ends that was cut off: better asked about than read.
        if any(cell != "" for cell in cells[width:]) or (failed is None and len(cells) < width):
            words = f"the row has {len(cells)} cells, the heading has {width}"
            wrong = Sentence(words, "cellsUnlikeHeading", cells=len(cells), columns=width)
            faults.append(("", wrong))
        cells += [""] * (width - len(cells))
        yield RawRow(number, columns, cells[:width], faults)


# --- JSON (RFC 8259): a list of objects ---


class _Pairs(list[tuple[str, object]]):
    """An object as its pairs, so that a key given twice is seen."""


def _open_json(stream: BinaryIO) -> Table:
    content = stream.read().removeprefix(b"\xef\xbb\xbf")
    try:
        objects = msgspec.json.decode(content, type=list[msgspec.Raw])
    except msgspec.ValidationError as problem:
        words = "the JSON is not a list of objects"
        raise _file_error(Sentence(words, "jsonIsNoList")) from problem
    except (msgspec.DecodeError, RecursionError) as problem:
        words = f"the file is not valid JSON: {problem}"
        invalid = Sentence(words, "fileNotJson", reason=str(problem))
        raise _file_error(invalid) from problem
    if len(objects) > MAX_ROWS:
        raise _too_many_rows()
    return Table(rows=_json_rows(objects))


def _json_rows(objects: list[msgspec.Raw]) -> Iterator[RawRow]:
    for number, raw in enumerate(objects, start=1):
        with _json_error_at(number):
            value = json.loads(
                bytes(raw),
                object_pairs_hook=_Pairs,
                parse_float=Number,
                parse_int=Number,
                parse_constant=Number,
            )
        yield _json_row(number, value)


@contextmanager
def _json_error_at(number: int) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as problem:
        not_utf8 = Sentence("this object is not UTF-8", "rowNotUtf8")
        raise InputError.at("row", number, msg=not_utf8) from problem
    except (ValueError, RecursionError) as problem:
        not_json = Sentence(f"not valid JSON: {problem}", "rowNotJson", reason=str(problem))
        raise InputError.at("row", number, msg=not_json) from problem


def _json_row(number: int, value: object) -> RawRow:
    if not isinstance(value, _Pairs):
        no_object = Sentence("this is not an object", "rowIsNoObject")
        return RawRow(number, (), (), [("", no_object)])
    columns: list[str] = []
    cells: list[Cell] = []
    faults: list[tuple[str, Sentence]] = []
    for key, content in value:
        if key.strip().casefold() == "costs":
            _read_costs(content, columns, cells, faults)
            continue
        if key.strip().casefold().startswith(COST_PREFIX):
            words = 'costs are written as "costs": [{"label": …, "amount": …}] in JSON'
            faults.append((key, Sentence(words, "costsInJson")))
            continue
        columns.append(key.strip())
        cells.append(_json_cell(key, content, faults))
    if len(columns) > MAX_COLUMNS:
        words = f"more than {MAX_COLUMNS} values in one object"
        too_many = Sentence(words, "tooManyValues", most=MAX_COLUMNS)
        return RawRow(number, (), (), [("", too_many)])
    return RawRow(number, tuple(columns), cells, faults)


def _json_cell(column: str, content: object, faults: list[tuple[str, Sentence]]) -> Cell:
    match content:
        case None:
            return ""
        case str():  # a Number is one too
            return content
        case bool():
            words = "true and false are no values of a billing file"
            faults.append((column, Sentence(words, "valueIsTrueOrFalse")))
        case _:
            words = "a text or a number is expected here, not a list or an object"
            faults.append((column, Sentence(words, "valueIsNested")))
    return ""


def _read_costs(
    content: object, columns: list[str], cells: list[Cell], faults: list[tuple[str, Sentence]]
) -> None:
    """`[{"label", "amount"}]` as the columns `cost: LABEL` that a table would have."""
    if content is None:
        return
    if isinstance(content, _Pairs) or not isinstance(content, list):
        words = 'costs are a list of {"label", "amount"}'
        faults.append(("costs", Sentence(words, "costsAreNoList")))
        return
    for cost in content:
        if not isinstance(cost, _Pairs) or sorted(key for key, _ in cost) != ["amount", "label"]:
            words = 'each cost has exactly a "label" and an "amount"'
            faults.append(("costs", Sentence(words, "costIncomplete")))
            continue
        entry = dict(cost)
        label, amount = entry["label"], entry["amount"]
        if not isinstance(label, str) or isinstance(label, Number):
            words = "the label of a cost is a text"
            faults.append(("costs", Sentence(words, "costLabelIsNoText")))
            continue
        column = f"{COST_PREFIX} {label.strip()}"
        columns.append(column)
        cells.append(_json_cell(column, amount, faults))
