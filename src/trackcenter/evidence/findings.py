"""What an audit finds, and how it reads in one consistent view of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that is not what its history says: which table, which key, and what is wrong."""

    table: str
    key: str
    problem: str

    def __str__(self) -> str:
        return f"{self.table} {self.key}: {self.problem}"


class Differs(Exception):
    """Ends an audit at the first finding."""

    def __init__(self, table: str, key: object, problem: str) -> None:
        self.finding = Finding(table, str(key), problem)
        super().__init__(problem)


@contextmanager
def one_view() -> Iterator[None]:
    """Everything read inside is of one moment. A caller's own transaction has its view already."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def stream(sql: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, in bounded memory."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql)
        while rows := cursor.fetchmany(2000):
            yield from rows
