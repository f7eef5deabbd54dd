"""A look at the queue's table."""

import json
from typing import Any, NamedTuple

from django.db import connection


class Job(NamedTuple):
    id: int
    task: str
    queue: str
    message: dict[str, Any]
    status: str


def jobs(task: str | None = None) -> list[Job]:
    """The jobs this session sees, oldest first; of one task or of all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, task_name, queue_name, args::text, status::text FROM procrastinate_jobs "
            "WHERE %s::text IS NULL OR task_name = %s ORDER BY id",
            [task, task],
        )
        return [Job(row[0], row[1], row[2], json.loads(row[3]), row[4]) for row in cursor]
