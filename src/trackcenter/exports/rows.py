"""The rows of an export, by COPY: PostgreSQL makes them, and they only pass through here.

A selection is read in one statement and one snapshot, on a connection of its own, so that what
happens meanwhile neither waits for it nor shows in half of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Copy

COLUMNS = (
    "building",
    "unitNumber",
    "channel",
    "subject",
    "status",
    "queuedAt",
    "sentAt",
    "deliveredAt",
    "openedAt",
    "providerMessageId",
    "lastEventType",
    "manualNotes",
    "attachments",
)
"""In the order of the contract; scripts rely on it."""

TIMES = frozenset({"queuedAt", "sentAt", "deliveredAt", "openedAt"})

_FROM_PEOPLE = frozenset(
    {"building", "unitNumber", "subject", "providerMessageId", "manualNotes", "attachments"}
)
"""Columns whose text somebody else wrote: a spreadsheet could take it for a formula."""

# As OWASP lists them; the wide forms are read as the narrow ones by East Asian versions.
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"

AS_STORED = {
    "building": "building.code",
    "unitNumber": "unit.number",
    "channel": "c.channel",
    "subject": "rendered.subject",
    "status": "c.delivery_status",
    "queuedAt": "c.queued_at",
    "sentAt": "c.sent_at",
    "deliveredAt": "c.delivered_at",
    "openedAt": "c.opened_at",
    "providerMessageId": "c.provider_message_id",
    "lastEventType": "c.last_event_type",
    "manualNotes": "notes.text",
    "attachments": "files.names",
}
"""Each column as SQL over the joined tables."""

_NOTES = "string_agg(note, ' | ' ORDER BY created_at, id) AS text"
_FILES = "string_agg(file_name, '; ' ORDER BY created_at, id) AS names"

# For a few buildings of many: each row asks the indexes for what is its own.
_NEAR = f"""
    LEFT JOIN LATERAL (
        SELECT subject FROM communication_attempts
        WHERE communication_id = c.id AND body_text_sha256 <> ''
        ORDER BY number DESC LIMIT 1) AS rendered ON true
    LEFT JOIN LATERAL (
        SELECT {_NOTES} FROM communication_audit_notes
        WHERE communication_id = c.id) AS notes ON true
    LEFT JOIN LATERAL (
        SELECT {_FILES} FROM communication_attachments
        WHERE communication_id = c.id) AS files ON true
"""
# For everything: each table is read once, which at 100,000 rows takes a quarter of the time.
_WHOLE = f"""
    LEFT JOIN (
        SELECT DISTINCT ON (communication_id) communication_id, subject
        FROM communication_attempts WHERE body_text_sha256 <> ''
        ORDER BY communication_id, number DESC) AS rendered ON rendered.communication_id = c.id
    LEFT JOIN (
        SELECT communication_id, {_NOTES} FROM communication_audit_notes
        GROUP BY communication_id) AS notes ON notes.communication_id = c.id
    LEFT JOIN (
        SELECT communication_id, {_FILES} FROM communication_attachments
        GROUP BY communication_id) AS files ON files.communication_id = c.id
"""
_SEARCHED = """
    JOIN unit_bills AS bill ON bill.batch_id = c.batch_id AND bill.unit_id = c.unit_id
"""
_ORDER = """ORDER BY building.code COLLATE "C", c.year, unit.sort_key COLLATE "C", c.channel"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which communications: of these buildings (None: of all), and only what fits the rest."""

    buildings: tuple[UUID, ...] | None = None
    year: int | None = None
    channel: str | None = None
    status: str | None = None
    search: str = ""

    def parameters(self) -> dict[str, Any]:
        """The values that the SQL of this module names."""
        return {
            "buildings": None if self.buildings is None else list(self.buildings),
            "year": self.year,
            "channel": self.channel,
            "status": self.status,
            "search": self.search.strip().lower().replace("\x00", ""),
        }

    def source(self) -> str:
        """What is read to find them, as SQL behind FROM."""
        return f"communications AS c {_SEARCHED if self.search.strip() else ''}"

    def where(self) -> str:
        """Which of them, as SQL."""
        conditions = [
            condition
            for condition, wanted in (
                ("c.building_id = ANY(%(buildings)s::uuid[])", self.buildings is not None),
                ("c.year = %(year)s", self.year is not None),
                ("c.channel = %(channel)s", self.channel),
                ("c.delivery_status = %(status)s", self.status),
                ("strpos(lower(bill.search), %(search)s) > 0", self.search.strip()),
            )
            if wanted
        ]
        return " AND ".join(conditions) or "true"


def select(selection: Selection, cells: dict[str, str]) -> str:
    """The SELECT of a selection, each column as `cells` makes it."""
    return f"""
        SELECT {", ".join(cells[column] for column in COLUMNS)}
        FROM {selection.source()}
        JOIN buildings AS building ON building.id = c.building_id
        JOIN units AS unit ON unit.id = c.unit_id
        {_WHOLE if selection.buildings is None else _NEAR}
        WHERE {selection.where()} {_ORDER}
    """


def _as_text(column: str) -> str:
    """A column as its CSV cell; what is empty is NULL, which CSV writes as nothing at all."""
    value = AS_STORED[column]
    if column in TIMES:
        # A quarter of what to_char takes; the text form is set to ISO where reading begins.
        return f"replace(({value} AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z'"
    if column in _FROM_PEOPLE:
        # left() of nothing is '', which is in no list.
        return f"""
            CASE WHEN left({value}, 1) IN ({_FORMULA_STARTS}) THEN '''' || {value}
                 ELSE NULLIF({value}, '') END"""
    return f"NULLIF({value}, '')"


_FORMULA_STARTS = ", ".join(f"U&'\\{ord(character):04x}'" for character in FORMULA_STARTS)
AS_TEXT = {column: _as_text(column) for column in AS_STORED}
"""Cells for CSV: moments in ISO 8601 UTC, nothing that a spreadsheet would run."""


class Reading:
    """A selection that is being read: how many rows it has, and its rows once.

    Everything is read in one snapshot of the database, whatever is written meanwhile; the
    transaction ends when the caller closes the connection.
    """

    def __init__(self, database: BaseDatabaseWrapper, selection: Selection) -> None:
        self._database = database
        self._selection = selection
        with database.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL work_mem = '64MB'")
            cursor.execute("SET LOCAL datestyle = 'ISO'")
        self.total = self._count()

    def _count(self) -> int:
        with self._database.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM {self._selection.source()} WHERE {self._selection.where()}",
                self._selection.parameters(),
            )
            (total,) = cursor.fetchone()
        return int(total)

    @contextmanager
    def csv(self) -> Iterator[Copy]:
        """The rows as PostgreSQL writes them in CSV: one buffer a row, ending in a line feed."""
        with self._copy(AS_TEXT, "(FORMAT csv)") as copy:
            yield copy

    @contextmanager
    def values(self) -> Iterator[Iterator[tuple[Any, ...]]]:
        """The rows as Python values: str, aware datetime or None."""
        with self._copy(AS_STORED, "(FORMAT text)") as copy:
            copy.set_types(["timestamptz" if one in TIMES else "text" for one in COLUMNS])
            yield copy.rows()

    @contextmanager
    def _copy(self, cells: dict[str, str], options: str) -> Iterator[Copy]:
        query = f"COPY ({select(self._selection, cells)}) TO STDOUT {options}"
        with (
            self._database.cursor() as cursor,
            cursor.copy(query, self._selection.parameters()) as copy,
        ):
            yield copy


@contextmanager
def own_connection() -> Iterator[BaseDatabaseWrapper]:
    """A second connection to the same database, closed afterwards and its locks with it."""
    database = connection.copy()
    try:
        yield database
    finally:
        database.close()
