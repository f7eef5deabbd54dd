"""The rescue of dead workers' jobs, and the schedule."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django import app

from tests.queue.jobs import jobs
from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id
from trackcenter.queue.payloads import ExportJob
from trackcenter.queue.publish import MAINTENANCE, publish
from trackcenter.queue.worker import rescue


def a_worker_with_a_job(*, silent_for: float) -> int:
    """A job in the hands of a worker whose heart last beat so many seconds ago."""
    with transaction.atomic():
        publish([ExportJob(new_id())])
    job = jobs()[-1]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s) RETURNING id",
            [now() - timedelta(seconds=silent_for)],
        )
        (worker,) = cursor.fetchone() or (None,)
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s",
            [worker, job.id],
        )
    return job.id


def rescued(lease: float) -> int:
    async def once() -> int:
        connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
        with app.replace_connector(connector) as live:
            async with live.open_async():
                return await rescue(live, lease)

    return asyncio.run(once())


@pytest.mark.django_db(transaction=True)
def test_the_jobs_of_a_dead_worker_are_taken_up_and_those_of_a_living_one_are_not() -> None:
    orphan = a_worker_with_a_job(silent_for=31)
    held = a_worker_with_a_job(silent_for=5)
    assert rescued(30) == 1
    assert {job.id: job.status for job in jobs()} == {orphan: "todo", held: "doing"}
    assert rescued(30) == 0


@pytest.mark.django_db(transaction=True)
def test_a_job_whose_worker_was_forgotten_is_taken_up() -> None:
    orphan = a_worker_with_a_job(silent_for=0)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")
    assert rescued(30) == 1
    assert jobs()[0] == jobs()[0]._replace(id=orphan, status="todo")


@pytest.mark.django_db(transaction=True)
def test_only_what_is_under_way_is_rescued() -> None:
    a_worker_with_a_job(silent_for=99)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    assert rescued(30) == 0


def test_everything_periodic_is_registered_on_the_maintenance_queue() -> None:
    scheduled: dict[str, Any] = {
        name: task for (name, _), task in app.periodic_registry.periodic_tasks.items()
    }
    assert scheduled.keys() >= {
        "complete-batches",
        "retry-parked-receipts",
        "retry-forgotten-receipts",
        "ensure-subscriptions",
        "resync-inbox",
    }
    for name, one in scheduled.items():
        # Neither piles up nor overlaps with itself.
        assert (one.task.queue, one.task.lock, one.task.queueing_lock) == (MAINTENANCE, name, name)


def test_every_message_has_a_task() -> None:
    assert app.tasks.keys() >= {"deliver", "send-batch", "apply-receipt"}
