"""A database full of communications, made by SQL: benchmarks measure reading, not importing."""

from typing import Any, Protocol

from django.apps import apps
from django.db import connection

UNITS_IN_A_BUILDING = 500
"""With two channels a unit, a building has 1,000 communications."""


class Cursor(Protocol):
    """Django's or psycopg's."""

    def execute(self, query: Any, params: Any = None, /) -> Any: ...


def fill(cursor: Cursor, communications: int) -> None:
    """Put that many communications (a multiple of 1,000) into an empty, migrated database.

    Each has an attempt with its subject; every fourth has an attachment, every twentieth a note,
    and a few of those two.
    """
    numbers = {
        "buildings": communications // (2 * UNITS_IN_A_BUILDING),
        "units": UNITS_IN_A_BUILDING,
    }
    for label, columns, source in _ROWS:
        _insert(cursor, label, columns, source, numbers)


def _insert(
    cursor: Cursor, label: str, columns: dict[str, str], source: str, numbers: dict[str, int]
) -> None:
    """INSERT … SELECT; what `columns` leaves out gets the model's default."""
    fields = [
        field
        for field in apps.get_model(label)._meta.concrete_fields
        if field.column not in columns and not field.null
    ]
    defaults = {
        f"default_{field.column}": field.get_db_prep_save(field.get_default(), connection)
        for field in fields
    }
    names = [*columns, *(field.column for field in fields)]
    values = [*columns.values(), *(f"%({name})s" for name in defaults)]
    table = apps.get_model(label)._meta.db_table
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} {source}",
        {**numbers, **defaults},
    )


_RANDOM = "gen_random_uuid()"
# As UUIDv7 makes them: in the order of the import.
_IN_ORDER = """
    (lpad(to_hex(1700000000000 + row_number() OVER ()), 12, '0')
        || '7000800000000000' || lpad(to_hex((random() * 65535)::int), 4, '0'))::uuid
"""
_LAST_BYTE = "substr(c.id::text, 35, 2)"

_ROWS: tuple[tuple[str, dict[str, str], str], ...] = (
    (
        "access.User",
        {"id": _RANDOM, "username": "'bench'", "password": "'!'", "role": "'ADMIN'"},
        "",
    ),
    (
        "buildings.Building",
        {"id": _RANDOM, "code": "'B' || to_char(n, 'FM00000')", "name": "'House ' || n"},
        "FROM generate_series(1, %(buildings)s) AS n",
    ),
    (
        "buildings.Unit",
        {
            "id": _RANDOM,
            "building_id": "b.id",
            "number": "n::text",
            "sort_key": "to_char(n, 'FM000000000000')",
        },
        "FROM buildings AS b, generate_series(1, %(units)s) AS n ORDER BY b.code, n",
    ),
    (
        "communications.Batch",
        {
            "id": _RANDOM,
            "building_id": "id",
            "year": "2025",
            "retention_hint": "'P10Y'",
            "retention_hint_attachments": "'P3Y'",
        },
        "FROM buildings",
    ),
    (
        "communications.BillingSnapshot",
        {
            "id": _RANDOM,
            "batch_id": "t.id",
            "unit_id": "u.id",
            "version": "1",
            "row": "'{}'::jsonb",
            "sha256": "repeat('0', 64)",
        },
        "FROM units AS u JOIN communication_batches AS t ON t.building_id = u.building_id",
    ),
    (
        "communications.Communication",
        {
            "id": _IN_ORDER,
            "batch_id": "batch_id",
            "building_id": "building_id",
            "unit_id": "unit_id",
            "year": "2025",
            "channel": "channel",
            "snapshot_id": "snapshot_id",
            "recipient_name": "'Resident ' || number",
            "delivery_status": "CASE WHEN random() < 0.97 THEN 'DELIVERED' ELSE 'FAILED' END",
            "newest_attempt": "1",
            "queued_at": "now() - interval '2 hours' + random() * interval '1 minute'",
            "sent_at": "now() - interval '1 hour' + random() * interval '1 minute'",
            "delivered_at": "now() - random() * interval '30 minutes'",
            "provider_message_id": "'<' || gen_random_uuid() || '@mail.example.org>'",
            "event_count": "4",
            "last_event_type": "'DELIVERED'",
            "last_event_at": "now()",
        },
        """
        FROM (
            SELECT s.id AS snapshot_id, s.batch_id, s.unit_id, u.building_id, u.number, channel
            FROM billing_snapshots AS s JOIN units AS u ON u.id = s.unit_id
            JOIN buildings AS b ON b.id = u.building_id,
                 unnest(ARRAY['EMAIL', 'LETTER']) AS channel
            ORDER BY b.code, u.sort_key, channel) AS bills
        """,
    ),
    (
        "communications.Attempt",
        {
            "id": _RANDOM,
            "communication_id": "id",
            "number": "1",
            "channel": "channel",
            "recipient": "'resident@example.org'",
            "subject": """'Nebenkostenabrechnung 2025, "Größe" und Kosten'""",
            "body_text_sha256": "repeat('a', 64)",
            "outcome": "'ACCEPTED'",
        },
        "FROM communications",
    ),
    (
        "communications.Attachment",
        {
            "id": _RANDOM,
            "communication_id": "id",
            "kind": "'LETTER'",
            "file_name": "'letter-2025.pdf'",
            "content_type": "'application/pdf'",
            "size": "70000",
            "sha256": "repeat('b', 64)",
        },
        f"FROM communications AS c WHERE {_LAST_BYTE} < '40'",
    ),
    (
        "communications.AuditNote",
        {
            "id": _RANDOM,
            "communication_id": "c.id",
            "user_id": "u.id",
            "note": "'Called, spoke to the caretaker; left with a neighbour'",
        },
        f"""
        FROM communications AS c, users AS u, generate_series(1, 2) AS again
        WHERE {_LAST_BYTE} < CASE again WHEN 1 THEN '0d' ELSE '03' END
        """,
    ),
)
