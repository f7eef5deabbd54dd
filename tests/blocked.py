"""Waiting until somebody waits for us."""

import threading
import time

from django.db import connection


def wait_for_a_blocked_session() -> None:
    """Until another session waits for a lock that this one holds."""
    deadline = time.monotonic() + 20
    pause = threading.Event()
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            # pg_locks is live; pg_stat_activity stands still during a transaction.
            cursor.execute(
                "SELECT count(*) FROM pg_locks "
                "WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone() != (0,):
                return
        pause.wait(0.02)
    raise AssertionError("no session waits for a lock of ours")
