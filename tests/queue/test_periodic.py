"""Failed runs of periodic tasks are forgotten after a week."""

import pytest
from django.db import connection

from tests.queue.jobs import jobs
from trackcenter.queue.periodic import forget_failed_runs
from trackcenter.queue.publish import DELIVER

pytestmark = pytest.mark.django_db


def a_failed_run(task: str, *, days_ago: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH job AS (
                INSERT INTO procrastinate_jobs (task_name, queue_name, status, args)
                VALUES (%s, 'maintenance', 'failed', '{}') RETURNING id)
            INSERT INTO procrastinate_events (job_id, type, at)
            SELECT id, 'failed', now() - make_interval(days => %s) FROM job
            """,
            [task, days_ago],
        )
        # The table's own trigger has written down that the job was made just now.
        cursor.execute("DELETE FROM procrastinate_events WHERE type <> 'failed'")


def test_old_failed_runs_of_periodic_tasks_are_forgotten_and_nothing_else() -> None:
    a_failed_run("resync-inbox", days_ago=8)
    a_failed_run("resync-inbox", days_ago=6)
    a_failed_run(DELIVER, days_ago=400)
    assert forget_failed_runs() == 1
    assert [job.task for job in jobs()] == ["resync-inbox", DELIVER]
    assert forget_failed_runs() == 0
