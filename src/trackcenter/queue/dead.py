"""Dead jobs: those that were given up, each with the reason found in its history."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from trackcenter.kit.clock import now


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job that will not run again by itself."""

    id: int
    task: str
    queue: str
    runs: int
    message: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.id}  {self.queue}  {self.task}  after {self.runs} runs  {self.message}"


def list_dead(limit: int = 1000) -> list[DeadJob]:
    """The dead jobs, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, task_name, queue_name, attempts, args FROM procrastinate_jobs
            WHERE status = 'failed' ORDER BY id DESC LIMIT %s
            """,
            [limit],
        )
        return [DeadJob(*row) for row in cursor.fetchall()]


@transaction.atomic
def requeue(ids: Sequence[int] | None = None) -> int:
    """Queue dead jobs again, these or all of them. Says how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT procrastinate_retry_job_v2(id, %s, NULL, NULL, NULL) FROM procrastinate_jobs
            WHERE status = 'failed' AND (%s::bigint[] IS NULL OR id = ANY(%s))
            """,
            [now(), list(ids) if ids else None, list(ids) if ids else None],
        )
        return len(cursor.fetchall())
