"""A database full of communications, made by SQL: benchmarks measure reading, not importing."""

from django.db import connection, transaction

UNITS_IN_A_BUILDING = 500
"""With two channels a unit, a building has 1,000 communications."""


@transaction.atomic
def fill(communications: int) -> None:
    """That many communications (a multiple of 1,000) in an empty, migrated database.

    Each has an attempt with its subject; every fourth has an attachment, every twentieth a note,
    and a few of those two.
    """
    buildings = communications // (2 * UNITS_IN_A_BUILDING)
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, {"buildings": buildings, "units": UNITS_IN_A_BUILDING})


def analyze() -> None:
    """Let the planner know, and the visibility map be there, as after a night."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


_STATEMENTS = (
    """
    INSERT INTO users (id, password, is_superuser, username, email, is_active, is_staff, role,
                       date_joined, first_name, last_name)
    VALUES (gen_random_uuid(), '!', false, 'bench', '', true, false, 'ADMIN', now(), '', '')
    """,
    """
    INSERT INTO buildings (id, code, name, address, time_zone, unit_count, created_at)
    SELECT gen_random_uuid(), 'B' || to_char(n, 'FM00000'), 'House ' || n, '', '', 0, now()
    FROM generate_series(1, %(buildings)s) AS n
    """,
    """
    INSERT INTO units (id, building_id, number, sort_key, created_at)
    SELECT gen_random_uuid(), b.id, n::text, to_char(n, 'FM000000000000'), now()
    FROM buildings AS b, generate_series(1, %(units)s) AS n
    ORDER BY b.code, n
    """,
    """
    INSERT INTO communication_batches (id, building_id, year, retention_hint,
                                       retention_hint_attachments, created_at)
    SELECT gen_random_uuid(), id, 2025, 'P10Y', 'P3Y', now() FROM buildings
    """,
    """
    INSERT INTO billing_snapshots (id, batch_id, unit_id, version, row, sha256, created_at)
    SELECT gen_random_uuid(), t.id, u.id, 1, '{}', repeat('0', 64), now()
    FROM units AS u JOIN communication_batches AS t ON t.building_id = u.building_id
    """,
    # Ids as UUIDv7 make them: in the order of the import.
    """
    INSERT INTO communications
        (id, batch_id, building_id, unit_id, year, channel, snapshot_id, recipient_name, created_at,
         delivery_status, newest_attempt, ready_to_print, outcome_unknown, queued_at, sent_at,
         delivered_at, provider_message_id, event_count, last_event_type, last_event_at, last_hash)
    SELECT (lpad(to_hex(1700000000000 + row_number() OVER ()), 12, '0')
               || '7000800000000000' || lpad(to_hex((random() * 65535)::int), 4, '0'))::uuid,
           s.batch_id, building_id, s.unit_id, 2025, channel, s.snapshot_id, 'Resident ' || number,
           now(), CASE WHEN random() < 0.97 THEN 'DELIVERED' ELSE 'FAILED' END, 1, false, false,
           now() - interval '2 hours' + random() * interval '1 minute',
           now() - interval '1 hour' + random() * interval '1 minute',
           now() - random() * interval '30 minutes',
           '<' || gen_random_uuid() || '@mail.example.org>', 4, 'DELIVERED', now(), '\\x00'
    FROM (
        SELECT s.id AS snapshot_id, s.batch_id, s.unit_id, u.building_id, u.number, channel
        FROM billing_snapshots AS s JOIN units AS u ON u.id = s.unit_id
        JOIN buildings AS b ON b.id = u.building_id,
             unnest(ARRAY['EMAIL', 'LETTER']) AS channel
        ORDER BY b.code, u.sort_key, channel
    ) AS s
    """,
    """
    INSERT INTO communication_attempts
        (id, communication_id, number, channel, contact, created_at, tries, recipient, subject,
         body_text_sha256, body_html_sha256, provider, mailbox, draft_id, internet_message_id,
         provider_message_id, outcome)
    SELECT gen_random_uuid(), id, 1, channel, '{}', now(), 1, 'resident@example.org',
           'Nebenkostenabrechnung 2025, "Größe" und Kosten', repeat('a', 64), '', 'msgraph', '', '',
           '', '', 'ACCEPTED'
    FROM communications
    """,
    """
    INSERT INTO communication_attachments
        (id, communication_id, kind, file_name, content_type, size, sha256, created_at)
    SELECT gen_random_uuid(), id, 'LETTER', 'letter-2025.pdf', 'application/pdf', 70000,
           repeat('b', 64), now()
    FROM communications WHERE substr(id::text, 35, 2) < '40'
    """,
    """
    INSERT INTO communication_audit_notes (id, communication_id, user_id, note, created_at)
    SELECT gen_random_uuid(), c.id, u.id, 'Called, spoke to the caretaker; left with a neighbour',
           now()
    FROM communications AS c, users AS u, generate_series(1, 2) AS again
    WHERE substr(c.id::text, 35, 2) < CASE again WHEN 1 THEN '0d' ELSE '03' END
    """,
)
