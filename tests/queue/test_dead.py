"""Dead jobs, by real runs of a worker in this process."""

from typing import Any

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django import app

from tests.queue.jobs import jobs
from trackcenter.kit.ids import new_id
from trackcenter.queue import dead
from trackcenter.queue.models import JobFailure
from trackcenter.queue.payloads import SendBatchJob, SendCommunicationJob
from trackcenter.queue.publish import DELIVER, QUEUES, publish

pytestmark = pytest.mark.django_db(transaction=True)


def work() -> None:
    """Run a real worker until the queue has nothing for it."""
    connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
    with app.replace_connector(connector) as live, live.open():
        live.run_worker(
            queues=list(QUEUES),
            wait=False,
            listen_notify=False,
            install_signal_handlers=False,
            delete_jobs="successful",
        )


def a_foreign_message(**message: Any) -> None:
    """A job of another producer."""
    with transaction.atomic():
        app.configure_task(DELIVER, queue="email").defer(**message)


def test_a_malformed_message_is_dead_with_its_reason() -> None:
    a_foreign_message(communicationId="7", channel="EMAIL", context="odd", extra=None)
    work()
    (job,) = dead.list_dead()
    assert (job.task, job.queue, job.runs) == ("deliver", "email", 1)
    assert job.message["communicationId"] == "7"
    assert job.reason.startswith("MalformedMessage: not a SendCommunicationJob")
    assert "1 run " in str(job)
    assert "not a SendCommunicationJob" in str(job)


def test_a_message_about_nothing_is_dead_with_its_reason() -> None:
    unknown = new_id()
    with transaction.atomic():
        publish([SendCommunicationJob(unknown, "EMAIL")])
    work()
    assert f"there is no communication {unknown}" in dead.list_dead()[0].reason


def test_a_dead_job_can_be_queued_again_alone_or_with_all() -> None:
    for number in range(3):
        a_foreign_message(communicationId=str(number), channel="EMAIL")
    work()
    newest, *_ = dead.list_dead()
    assert dead.requeue([newest.id]) == 1
    assert [job.status for job in jobs()] == ["failed", "failed", "todo"]
    assert dead.requeue([]) == 0
    assert dead.requeue() == 2
    assert dead.list_dead() == []
    assert {job.status for job in jobs()} == {"todo"}
    work()
    assert [job.runs for job in dead.list_dead()] == [1, 1, 1]


def test_a_job_that_may_still_succeed_is_not_dead_but_says_why_it_failed() -> None:
    with transaction.atomic():
        publish([SendBatchJob(new_id())])
    work()
    assert dead.list_dead() == []
    (job,) = jobs()
    assert job.status == "todo"
    assert JobFailure.objects.get().reason == "NotFound: no such send"


def test_the_reason_goes_with_the_job() -> None:
    a_foreign_message(communicationId="7", channel="EMAIL")
    work()
    assert JobFailure.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    assert not JobFailure.objects.exists()


def test_a_failed_run_of_a_schedule_is_not_a_dead_job() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, args) "
            "VALUES ('maintenance', 'resync-inbox', 'failed', '{\"timestamp\": 1}')"
        )
    assert dead.list_dead() == []
    assert dead.requeue() == 0


def test_a_reason_that_no_database_takes_is_kept_all_the_same() -> None:
    a_foreign_message(communicationId="7", channel="EMAIL")
    dead.remember_failure(jobs()[0].id, ValueError("a\x00b" + "x" * 5000))
    reason = JobFailure.objects.get().reason
    assert reason.startswith("ValueError: a\ufffdb")
    assert len(reason) == dead.LONGEST_REASON
    dead.remember_failure(0, ValueError("of no job"))
    dead.remember_failure(None, ValueError("of no job"))
