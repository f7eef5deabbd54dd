"""Statements that are run for every message: planned once a connection, their values sent apart.

Django's cursor writes the values into the statement's text, so that the server plans it anew each
time, and Python escapes them. Where a statement runs for every mail or every report, that is much
of what it costs.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection

_cursors: "WeakKeyDictionary[psycopg.Connection[Any], psycopg.Cursor[Any]]" = WeakKeyDictionary()


def prepared(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement on this thread's connection and give back its rows; none where it has none.

    As with Django's cursor: within the open transaction, errors as Django's, `jsonb` as text. The
    text must be one of a few, since the server keeps each.
    """
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    raw: psycopg.Connection[Any] = connection.connection
    cursor = _cursors.get(raw)
    if cursor is None:
        cursor = _cursors[raw] = psycopg.Cursor(raw)
    run = partial(_run, cursor)
    for wrapper in reversed(connection.execute_wrappers):
        run = partial(wrapper, run)
    with connection.wrap_database_errors:
        run(sql, values, False, {"connection": connection, "cursor": cursor})
        return cursor.fetchall() if cursor.description else []


def _run(
    cursor: "psycopg.Cursor[Any]", sql: str, values: Sequence[Any], _many: bool, _context: object
) -> None:
    cursor.execute(sql.encode(), values, prepare=True)
