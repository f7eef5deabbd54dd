"""Attempts without a job are found and queued again; all others are left alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from tests.delivery.jobs import waiting
from tests.queue.jobs import jobs
from trackcenter.communications.models import Attempt, Communication
from trackcenter.delivery.forgotten import OVERDUE, queue_forgotten
from trackcenter.kit.clock import now

pytestmark = pytest.mark.django_db

OLD = 2 * OVERDUE


def queued(channel: str = "EMAIL", *, unit: str = "1", age: timedelta = OLD) -> Communication:
    one = waiting(channel, unit=unit)
    Attempt.objects.filter(communication=one).update(created_at=now() - age)
    return one


def lose_jobs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


def test_a_message_without_a_job_is_queued_again_once() -> None:
    mail, text = queued("EMAIL", unit="1"), queued("SMS", unit="2")
    lose_jobs()
    assert queue_forgotten() == 2
    assert {job.queue: job.message for job in jobs("deliver")} == {
        "email": {"communicationId": str(mail.id), "channel": "EMAIL"},
        "sms": {"communicationId": str(text.id), "channel": "SMS"},
    }
    assert queue_forgotten() == 0


def test_many_are_queued_chunk_by_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackcenter.delivery.forgotten.CHUNK", 2)
    for unit in range(5):
        queued(unit=str(unit))
    lose_jobs()
    assert queue_forgotten() == len(jobs("deliver")) == 5


@pytest.mark.parametrize("status", ["todo", "doing", "failed"])
def test_one_that_has_a_job_is_left_alone(status: str) -> None:
    queued()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = %s", [status])
    assert queue_forgotten() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"created_at": now()},
        {"lease_until": now()},
        {"next_try_at": now() + timedelta(hours=1)},
        {"outcome": "ACCEPTED"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_one_that_is_young_held_put_off_or_ended_is_left_alone(changes: dict[str, Any]) -> None:
    queued()
    lose_jobs()
    Attempt.objects.update(**changes)
    assert queue_forgotten() == 0


def test_one_of_unknown_outcome_that_is_asked_about_again_is_found() -> None:
    one = queued()
    lose_jobs()
    Communication.objects.filter(id=one.id).update(delivery_status="FAILED", outcome_unknown=True)
    assert queue_forgotten() == 1


def test_the_topics_of_the_service_bus_are_not_looked_through(settings: Settings) -> None:
    queued()
    lose_jobs()
    settings.QUEUE = "servicebus"
    assert queue_forgotten() == 0
