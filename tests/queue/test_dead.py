"""Dead jobs, by real runs of a worker in this process."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from procrastinate.contrib.django import app

from tests.communications.factories import an_admin
from tests.queue.jobs import jobs
from trackcenter.kit.clock import now
from trackcenter.kit.errors import InputError, NotFound
from trackcenter.kit.ids import new_id
from trackcenter.queue import dead, dead_letters
from trackcenter.queue.models import DeadLetterDecision, JobFailure
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
    (job,) = dead_letters.every_letter()
    assert (job.task, job.queue, job.runs) == ("deliver", "email", 1)
    assert job.message["communicationId"] == "7"
    assert job.reason.startswith("MalformedMessage: not a SendCommunicationJob")


def test_a_message_about_nothing_is_dead_with_its_reason() -> None:
    unknown = new_id()
    with transaction.atomic():
        publish([SendCommunicationJob(unknown, "EMAIL")])
    work()
    assert f"there is no communication {unknown}" in dead_letters.every_letter()[0].reason


def test_a_dead_job_can_be_queued_again() -> None:
    for number in range(3):
        a_foreign_message(communicationId=str(number), channel="EMAIL")
    work()
    newest, *others = dead_letters.every_letter()
    dead_letters.requeue(newest.id)
    assert [job.status for job in jobs()] == ["failed", "failed", "todo"]
    assert dead_letters.every_letter() == others
    with pytest.raises(NotFound):
        dead_letters.requeue(newest.id)
    for other in others:
        dead_letters.requeue(other.id)
    assert {job.status for job in jobs()} == {"todo"}
    work()
    assert [job.runs for job in dead_letters.every_letter()] == [1, 1, 1]


def test_a_discard_deletes_the_job_and_keeps_who_when_why_and_what() -> None:
    a_foreign_message(communicationId="7", channel="EMAIL", note="a\u2028b")
    work()
    (letter,) = dead_letters.every_letter()
    anna = an_admin("anna")
    before = now()
    decision = dead_letters.discard(letter.id, " a test of the partner's ", user_id=anna.user_id)
    assert jobs() == []
    assert dead_letters.every_letter() == []
    decision.refresh_from_db()
    assert (decision.user, decision.verdict) == (anna.user, "DISCARDED")
    assert decision.note == "a test of the partner's"
    assert before <= decision.at <= now()
    assert decision.message == letter.message
    assert (decision.reason, decision.runs) == (letter.reason, 1)
    with pytest.raises(DatabaseError, match="append-only"):
        decision.delete()
    with pytest.raises(DatabaseError, match="append-only"):
        DeadLetterDecision.objects.update(note="")


def test_a_discard_needs_a_note() -> None:
    a_foreign_message(communicationId="7", channel="EMAIL")
    work()
    (letter,) = dead_letters.every_letter()
    with pytest.raises(InputError, match="say why"):
        dead_letters.discard(letter.id, "  ")
    assert dead_letters.every_letter() == [letter]


def test_only_the_dead_are_dead() -> None:
    with transaction.atomic():
        publish([SendBatchJob(new_id())])
    waiting = str(jobs()[0].id)
    for letter_id in (waiting, "0", "-1", "x", "1" * 30, "email-7"):
        with pytest.raises(NotFound):
            dead_letters.find(letter_id)
        with pytest.raises(NotFound):
            dead_letters.discard(letter_id, "why")
    assert [job.status for job in jobs()] == ["todo"]


def test_a_job_that_may_still_succeed_is_not_dead_but_says_why_it_failed() -> None:
    with transaction.atomic():
        publish([SendBatchJob(new_id())])
    work()
    assert dead_letters.every_letter() == []
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
    assert dead_letters.every_letter() == []


def test_a_reason_that_no_database_takes_is_kept_all_the_same() -> None:
    a_foreign_message(communicationId="7", channel="EMAIL")
    dead.remember_failure(jobs()[0].id, ValueError("a\x00b" + "x" * 5000))
    reason = JobFailure.objects.get().reason
    assert reason.startswith("ValueError: a\ufffdb")
    assert len(reason) == dead.LONGEST_REASON
    dead.remember_failure(0, ValueError("of no job"))
    dead.remember_failure(None, ValueError("of no job"))
