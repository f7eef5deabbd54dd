from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from tests.api_client import api_client, get
from tests.communications.factories import a_bill, an_event
from trackcenter.communications.models import Communication
from trackcenter.communications.payloads import (
    Delivered,
    Enqueued,
    Failed,
    Opened,
    Posted,
    Sent,
    Trouble,
)

pytestmark = pytest.mark.django_db

SENT = Sent(provider="sandbox", provider_message_id="m-1", recipient="a@example.org")


@pytest.fixture
def api() -> Client:
    return api_client()


def happened(communication: Communication, *payloads: Any) -> None:
    for payload in payloads:
        an_event(communication, payload, attempt=1)


def totals(answer: Any) -> dict[str, int]:
    names = ("sent", "delivered", "opened", "failed")
    return {name: sum(step[name] for step in answer["items"]) for name in names}


def test_it_counts_what_was_sent_arrived_was_opened_and_failed(api: Client) -> None:
    mail, text = a_bill("EMAIL", "SMS")
    happened(mail, Enqueued(channel="EMAIL"), SENT, Delivered(), Opened())
    happened(text, Enqueued(channel="SMS"), SENT, Failed(error=Trouble(message="no such number")))
    answer = get(api, f"/batches/{mail.batch_id}/progress")
    assert totals(answer) == {"sent": 2, "delivered": 1, "opened": 1, "failed": 1}


def test_a_letter_is_sent_when_it_is_posted_not_when_it_is_made(api: Client) -> None:
    (letter,) = a_bill("LETTER")
    path = f"/batches/{letter.batch_id}/progress"
    happened(letter, Enqueued(channel="LETTER"), Sent(provider="print", stage="READY_TO_PRINT"))
    assert get(api, path)["items"] == []
    happened(letter, Posted(print_run_id="a-run"))
    assert totals(get(api, path))["sent"] == 1


def test_a_long_story_is_told_in_longer_steps(api: Client) -> None:
    (mail,) = a_bill("EMAIL")
    happened(mail, Enqueued(channel="EMAIL"), SENT, Delivered())
    with connection.cursor() as database:
        database.execute("SET LOCAL session_replication_role = replica")
        database.execute(
            "UPDATE communication_events SET recorded_at = recorded_at + %s WHERE type = %s",
            [timedelta(days=40), "DELIVERED"],
        )
    answer = get(api, f"/batches/{mail.batch_id}/progress")
    assert answer["stepSeconds"] == timedelta(days=1).total_seconds()
    assert [(step["sent"], step["delivered"]) for step in answer["items"]] == [(1, 0), (0, 1)]


def test_a_batch_of_which_nothing_was_sent_has_no_steps(api: Client) -> None:
    (mail,) = a_bill("EMAIL")
    assert get(api, f"/batches/{mail.batch_id}/progress")["items"] == []


def test_somebody_elses_batch_does_not_exist() -> None:
    (mail,) = a_bill("EMAIL", building="B1")
    a_bill("EMAIL", building="B2")
    viewer = api_client("vera", role="VIEWER", buildings=["B2"])
    get(viewer, f"/batches/{mail.batch_id}/progress", expect=404)
