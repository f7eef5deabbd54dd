"""Counts per status, as the API shows them."""

from collections.abc import Iterable
from typing import Any

COUNTERS = {
    "total": "total",
    "pending": "pending",
    "enqueued": "enqueued",
    "sent": "sent",
    "delivered": "delivered",
    "opened": "opened",
    "failed": "failed",
    "manual": "manual",
    "ready_to_print": "readyToPrint",
    "cancelled": "cancelled",
    "outcome_unknown": "outcomeUnknown",
}
"""Column of `channel_rollups` → name on the wire."""

COLUMNS = ", ".join(COUNTERS)


def stats(counts: Iterable[int]) -> dict[str, Any]:
    """One row of counters, in the order of `COUNTERS`, as `Stats`."""
    return dict(zip(COUNTERS.values(), counts, strict=True))


def total_of(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The sum of several `Stats`."""
    total = dict.fromkeys(COUNTERS.values(), 0)
    for row in rows:
        for name in total:
            total[name] += row[name]
    return total
