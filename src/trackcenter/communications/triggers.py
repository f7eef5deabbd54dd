"""What the database itself keeps true: append-only tables, and the rollups."""

import pgtrigger

from trackcenter.kit.append_only import APPEND_ONLY as APPEND_ONLY

_COUNTERS = {
    "total": "delivery_status <> 'CANCELLED'",
    "pending": "delivery_status = 'PENDING'",
    "enqueued": "delivery_status = 'ENQUEUED'",
    "sent": "delivery_status = 'SENT'",
    "delivered": "delivery_status = 'DELIVERED'",
    "opened": "delivery_status = 'OPENED'",
    "failed": "delivery_status = 'FAILED'",
    "manual": "delivery_status = 'MANUAL'",
    "cancelled": "delivery_status = 'CANCELLED'",
    "ready_to_print": "ready_to_print",
    "outcome_unknown": "outcome_unknown",
}
ROLLUP_COLUMNS = tuple(_COUNTERS)


def _changes(transition: str, sign: str) -> str:
    counted = ", ".join(
        f"{sign}(CASE WHEN {condition} THEN 1 ELSE 0 END) AS {column}"
        for column, condition in _COUNTERS.items()
    )
    return f"SELECT building_id, year, channel, {counted} FROM {transition}"


def _apply(changes: str) -> str:
    """One ordered upsert of all sums: the same order in every transaction, so no deadlock."""
    columns = ", ".join(ROLLUP_COLUMNS)
    sums = ", ".join(f"sum({column})::int AS {column}" for column in ROLLUP_COLUMNS)
    moved = " OR ".join(f"sum({column}) <> 0" for column in ROLLUP_COLUMNS)
    added = ", ".join(f"{column} = r.{column} + EXCLUDED.{column}" for column in ROLLUP_COLUMNS)
    return f"""
        INSERT INTO channel_rollups AS r (building_id, year, channel, {columns})
        SELECT building_id, year, channel, {sums} FROM ({changes}) AS changes
        GROUP BY building_id, year, channel
        HAVING {moved}
        ORDER BY building_id, year, channel
        ON CONFLICT (building_id, year, channel) DO UPDATE SET {added};
        RETURN NULL;
    """


def rollup_query() -> str:
    """The rollups as they ought to be, counted from `communications`: for the audit."""
    sums = ", ".join(f"sum({column})::int" for column in ROLLUP_COLUMNS)
    return f"""
        SELECT building_id, year, channel, {sums}
        FROM ({_changes("communications", "+")}) AS counted
        GROUP BY building_id, year, channel
    """


def _rollup(name: str, operation: pgtrigger.Operation, old: bool, new: bool) -> pgtrigger.Trigger:
    parts = [_changes("new_rows", "+")] * new + [_changes("old_rows", "-")] * old
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(
            old="old_rows" if old else None, new="new_rows" if new else None
        ),
        func=_apply(" UNION ALL ".join(parts)),
    )


ROLLUP_TRIGGERS = [
    _rollup("rollup_insert", pgtrigger.Insert, old=False, new=True),
    _rollup("rollup_update", pgtrigger.Update, old=True, new=True),
    _rollup("rollup_delete", pgtrigger.Delete, old=True, new=False),
]

APPEND_ONLY_TABLES = (
    "communication_events",
    "communication_event_payloads",
    "communication_audit_notes",
    "billing_snapshots",
    "access_log",
    "dead_letter_decisions",
    "evidence_leaves",
    "evidence_nodes",
    "evidence_seals",
    "evidence_time_stamps",
)
