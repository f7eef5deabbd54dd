"""What all tests share."""

from typing import Any

from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import settings

# The same examples in every run, and no clock: a busy machine must not turn a test red.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

_sql_flush = DatabaseOperations.sql_flush


def _flush_history_too(self: DatabaseOperations, *arguments: Any, **options: Any) -> list[str]:
    """Emptying the tables after a transactional test needs what nobody may do otherwise."""
    statements = _sql_flush(self, *arguments, **options)
    if not statements:
        return statements
    role = "SET session_replication_role = "
    # The queue's tables are not Django's to empty.
    queue = "TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE;"
    return [f"{role}replica;", *statements, queue, f"{role}origin;"]


DatabaseOperations.sql_flush = _flush_history_too  # type: ignore[method-assign]
