"""Failed runs of periodic tasks: nobody's business, but they add up."""

from datetime import timedelta

from django.db import connection

from trackcenter.kit.clock import now
from trackcenter.queue.publish import TASKS

REMEMBERED = timedelta(days=7)
"""How long one is kept: somebody may want to see how often."""


def forget_failed_runs() -> int:
    """Delete failed runs of periodic tasks that are older than `REMEMBERED`. Says how many.

    Dead jobs that carry a message are never deleted: somebody has to decide.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM procrastinate_jobs AS job
            WHERE status = 'failed' AND task_name <> ALL(%s)
              AND coalesce(
                  (SELECT max(at) FROM procrastinate_events WHERE job_id = job.id), '-infinity'
              ) < %s
            """,
            [list(TASKS), now() - REMEMBERED],
        )
        return int(cursor.rowcount)
