"""Billing files for tests: a few rows in, the bytes of a CSV, XLSX or JSON file out."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl

from trackcenter.imports.checking import CheckedFile, check_file
from trackcenter.imports.reading import open_table
from trackcenter.kit.errors import InputError, Sentence

Row = Mapping[str, Any]


def a_row(**changes: Any) -> dict[str, Any]:
    """A good row: an e-mail bill. Named values replace its own, None takes a column away."""
    row = {
        "building": "B1",
        "year": "2025",
        "unit": "1",
        "recipient": "Anna Keller",
        "email": "anna@example.com",
        "channels": "EMAIL",
        "country": "DE",
        **changes,
    }
    return {column: value for column, value in row.items() if value is not None}


def _columns(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(column for row in rows for column in row))


def as_csv(*rows: Row, delimiter: str = ",") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _columns(rows), restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_xlsx(*rows: Row) -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    columns = _columns(rows)
    sheet.append(columns)
    for row in rows:
        sheet.append([row.get(column) for column in columns])
    return saved(workbook)


def saved(workbook: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def as_json(*rows: Any) -> bytes:
    return json.dumps(rows).encode()


def checked(content: bytes) -> CheckedFile:
    return check_file(open_table(io.BytesIO(content)))


def problems(content: bytes) -> list[tuple[tuple[str | int, ...], str]]:
    """The problems of a file that must have some, as (where, what)."""
    try:
        checked(content)
    except InputError as error:
        for problem in error.problems:
            assert isinstance(problem.msg, Sentence), f"no code for the screen: {problem.msg}"
        return [(problem.loc, problem.msg) for problem in error.problems]
    raise AssertionError("the file was taken")


def only_problem(content: bytes) -> tuple[tuple[str | int, ...], str]:
    (problem,) = problems(content)
    return problem
