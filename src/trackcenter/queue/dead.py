"""Dead jobs of the database: those that were given up, each with the reason of its last failure."""

import json
from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import connection

from trackcenter.kit.canonical import clean
from trackcenter.kit.clock import now
from trackcenter.queue.letters import DeadLetter, Place
from trackcenter.queue.publish import TASKS

LONGEST_REASON = 2000


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


def failed_jobs(
    *, ids: Sequence[int] | None = None, after: Place | None = None, limit: int = 200
) -> list[DeadLetter]:
    """Dead jobs of the database, newest first: these, or those behind a place in that order."""
    at, text = after or (None, None)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT * FROM (
                SELECT job.id::text COLLATE "C" AS id, queue_name, task_name, args::text, attempts,
                       coalesce(reason, ''),
                       coalesce(
                           failed_at,
                           (SELECT max(at) FROM procrastinate_events WHERE job_id = job.id),
                           'epoch'
                       ) AS at
                FROM procrastinate_jobs AS job LEFT JOIN job_failures ON job_id = job.id
                WHERE status = 'failed' AND task_name = ANY(%(tasks)s)
                  AND (%(ids)s::bigint[] IS NULL OR job.id = ANY(%(ids)s))
            ) AS dead
            WHERE %(at)s::timestamptz IS NULL OR (at, id) < (%(at)s, %(after)s)
            ORDER BY at DESC, id DESC LIMIT %(limit)s
            """,
            {
                "tasks": list(TASKS),
                "ids": None if ids is None else list(ids),
                "at": at,
                "after": text,
                "limit": limit,
            },
        )
        rows = cursor.fetchall()
    return [
        DeadLetter(
            id=id_,
            queue=queue,
            task=task,
            message=json.loads(message),
            reason=reason or "no reason was recorded: its worker was killed",
            runs=runs,
            at=moment,
        )
        for id_, queue, task, message, runs, reason, moment in rows
    ]


def requeue_jobs(ids: Sequence[int]) -> list[int]:
    """Queue dead jobs of the database again, as if they had never run. Says which were dead.

    Must run in a transaction.
    """
    dead = _hold(ids)
    with connection.cursor() as cursor:
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
    return dead


def delete_jobs(ids: Sequence[int]) -> int:
    """Forget dead jobs of the database. Says how many were dead. Must run in a transaction."""
    dead = _hold(ids)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE id = ANY(%s)", [dead])
    return len(dead)


def named_in_jobs(task: str, key: str) -> str:
    """SQL: what the jobs of a task, dead ones included, have in their messages under a key; a
    subquery of one column, the text `id`. What stands there has somebody to work it or decide."""
    return f"SELECT args->>'{key}' AS id FROM procrastinate_jobs WHERE task_name = '{task}'"


def named_in_live_jobs(ids: Collection[UUID]) -> set[UUID]:
    """Those of the ids that a job which waits or runs names, also on its way to the Service Bus."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM unnest(%s::uuid[]) AS asked (id) WHERE EXISTS (
                SELECT FROM procrastinate_jobs
                WHERE status IN ('todo', 'doing') AND position(asked.id::text IN args::text) > 0
            )
            """,
            [list(ids)],
        )
        return {row[0] for row in cursor.fetchall()}


def _hold(ids: Sequence[int]) -> list[int]:
    """Those of the jobs that are dead, locked, so that two people do not both decide."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM procrastinate_jobs
            WHERE status = 'failed' AND task_name = ANY(%s) AND id = ANY(%s)
            ORDER BY id FOR UPDATE
            """,
            [list(TASKS), list(ids)],
        )
        return [row[0] for row in cursor.fetchall()]
