"""Dead jobs: those that were given up, each with the reason of its last failure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from trackcenter.kit.canonical import clean
from trackcenter.kit.clock import now
from trackcenter.queue.publish import TASKS

LONGEST_REASON = 2000


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job that will not run again by itself."""

    id: int
    task: str
    queue: str
    runs: int
    message: dict[str, Any]
    reason: str

    def __str__(self) -> str:
        runs = "1 run" if self.runs == 1 else f"{self.runs} runs"
        return (
            f"{self.id}  {self.queue}  {self.task}  {runs}  {json.dumps(self.message)}\n"
            f"    {self.reason or 'no reason was recorded: its worker was killed'}"
        )


def remember_failure(job_id: int | None, error: Exception) -> int:
    """Keep what a run of a job died of, in place of what was kept before; the failures so far."""
    if job_id is None:
        return 1
    reason = clean(f"{type(error).__name__}: {error}"[:LONGEST_REASON])
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO job_failures (job_id, reason) SELECT id, %s FROM procrastinate_jobs
            WHERE id = %s
            ON CONFLICT (job_id) DO UPDATE SET reason = EXCLUDED.reason, failed_at = now(),
                failures = job_failures.failures + 1
            RETURNING failures
            """,
            [reason, job_id],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 1


def list_dead(limit: int = 1000) -> list[DeadJob]:
    """The dead jobs, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, task_name, queue_name, attempts, args, coalesce(reason, '')
            FROM procrastinate_jobs LEFT JOIN job_failures ON job_id = id
            WHERE status = 'failed' AND task_name = ANY(%s) ORDER BY id DESC LIMIT %s
            """,
            [list(TASKS), limit],
        )
        rows = cursor.fetchall()
    return [
        DeadJob(id_, task, queue, runs, json.loads(message), reason)
        for id_, task, queue, runs, message, reason in rows
    ]


@transaction.atomic
def requeue(ids: Sequence[int] | None = None) -> int:
    """Queue dead jobs again, these or all of them, as if they had never run. Says how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM procrastinate_jobs
            WHERE status = 'failed' AND task_name = ANY(%s)
              AND (%s::bigint[] IS NULL OR id = ANY(%s))
            ORDER BY id FOR UPDATE
            """,
            [list(TASKS), *[list(ids) if ids is not None else None] * 2],
        )
        dead = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            """
            SELECT procrastinate_retry_job_v2(id, %s, NULL, NULL, NULL)
            FROM unnest(%s::bigint[]) AS dead (id)
            """,
            [now(), dead],
        )
        cursor.execute("UPDATE procrastinate_jobs SET attempts = 0 WHERE id = ANY(%s)", [dead])
        # The count decides how much patience is left.
        cursor.execute("UPDATE job_failures SET failures = 0 WHERE job_id = ANY(%s)", [dead])
    return len(dead)
