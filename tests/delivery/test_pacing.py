"""Pauses, caps and places, as all worker processes share them."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from tests.delivery.jobs import waiting, work
from tests.sandbox.fixture import MAILBOX, RunningSandbox
from trackcenter.communications.models import Attempt, Communication
from trackcenter.delivery import pacing, slots
from trackcenter.delivery.models import SenderHour, SenderPace
from trackcenter.kit.clock import now
from trackcenter.providers import registry
from trackcenter.queue.retry import RetryAt

OTHER = "other@example.org"


def due(one: Communication) -> None:
    """Let the wait of its attempt be over, also for this process."""
    registry.forget()
    Attempt.objects.filter(communication=one).update(next_try_at=now())


@pytest.mark.django_db
def test_retry_after_pauses_the_mailbox_for_every_message(sandbox: RunningSandbox) -> None:
    first, second = waiting(unit="1"), waiting(unit="2")
    sandbox.set_faults(rate429=1)
    until = work(first)
    assert until is not None
    sandbox.set_faults()
    assert work(second) == SenderPace.objects.get().paused_until
    assert Attempt.objects.get(communication=second).tries == 0
    assert sandbox.messages() == []
    (pause,) = pacing.pauses()
    assert (pause["sender"], pause["code"]) == (MAILBOX, "RETRY_AFTER")
    SenderPace.objects.update(paused_until=now())
    due(first)
    due(second)
    assert work(first) is None
    assert work(second) is None
    assert len(sandbox.messages()) == 2


@pytest.mark.django_db
def test_a_text_message_that_was_put_off_keeps_its_id_and_its_moment(
    sandbox: RunningSandbox,
) -> None:
    one = waiting("SMS")
    sandbox.set_faults(rate429=1)
    assert work(one) is not None
    refused = Attempt.objects.get(communication=one)
    assert refused.send_started_at is None
    SenderPace.objects.update(paused_until=now())
    due(one)
    work(one)
    asked_again = Attempt.objects.get(communication=one)
    assert asked_again.first_sent_at == refused.first_sent_at
    # Too long ago for the provider to tell a repeat by it: another moment, the same id.
    Attempt.objects.update(first_sent_at=now() - timedelta(minutes=3))
    SenderPace.objects.update(paused_until=now())
    due(one)
    sandbox.set_faults()
    assert work(one) is None
    sent = Attempt.objects.get(communication=one)
    assert sent.first_sent_at is not None
    assert now() - sent.first_sent_at < timedelta(minutes=1)
    assert len(sandbox.messages()) == 1


@pytest.mark.django_db
def test_a_pause_of_one_mailbox_leaves_the_others_alone(
    sandbox: RunningSandbox, settings: Settings
) -> None:
    settings.GRAPH_MAILBOXES = {"B2": OTHER}
    ours, theirs = waiting(unit="1", building="B1"), waiting(unit="1", building="B2")
    pacing.hold("EMAIL", MAILBOX, now() + timedelta(hours=1), code="RETRY_AFTER", because="busy")
    assert work(ours) is not None
    assert work(theirs) is None
    assert Attempt.objects.get(communication=theirs).mailbox == OTHER


@pytest.mark.django_db
def test_a_draft_that_was_begun_stays_in_its_mailbox(
    sandbox: RunningSandbox, settings: Settings
) -> None:
    one = waiting()
    sandbox.set_faults(rate503=1)
    Attempt.objects.filter(communication=one).update(draft_id="x", mailbox=MAILBOX)
    settings.GRAPH_MAILBOXES = {"B1": OTHER}
    assert work(one) is not None
    assert Attempt.objects.get(communication=one).mailbox == MAILBOX


@pytest.mark.django_db
def test_mail_by_acs_leaves_from_its_own_address(
    sandbox: RunningSandbox, settings: Settings
) -> None:
    settings.EMAIL_PROVIDER = "acs"
    one = waiting()
    assert work(one) is None
    attempt = Attempt.objects.get(communication=one)
    assert (attempt.provider, attempt.mailbox) == ("acs", "bills@example.org")


@pytest.mark.django_db
def test_who_was_asked_to_send_is_asked_what_became_of_it(
    sandbox: RunningSandbox, settings: Settings
) -> None:
    one = waiting()
    Attempt.objects.filter(communication=one).update(
        send_started_at=now(), provider="msgraph", mailbox=MAILBOX, draft_id="gone"
    )
    settings.EMAIL_PROVIDER = "acs"
    assert work(one) is not None  # Graph finds nothing, and nothing is sent
    attempt = Attempt.objects.get(communication=one)
    assert (attempt.provider, attempt.mailbox) == ("msgraph", MAILBOX)
    assert sandbox.messages() == []


@pytest.mark.django_db
def test_the_daily_cap_pauses_the_channel_and_says_when_it_resumes(
    sandbox: RunningSandbox, settings: Settings
) -> None:
    settings.EMAIL_PER_DAY = 2
    ones = [waiting(unit=str(number)) for number in range(1, 5)]
    assert [work(one) is None for one in ones] == [True, True, False, False]
    (pause,) = pacing.pauses()
    assert pause["code"] == "DAILY_CAP"
    assert timedelta(hours=23) < pause["pausedUntil"] - now() <= timedelta(hours=25)
    attempt = Attempt.objects.get(communication=ones[2])
    assert attempt.next_try_at == pause["pausedUntil"]
    assert "goes on at" in attempt.error["message"]
    deferred = ones[2].events.get(type="DEFERRED")
    assert deferred.payload_row.payload["error"]["code"] == "DAILY_CAP"
    # A day later there is room again.
    SenderHour.objects.update(hour=now() - timedelta(hours=26))
    SenderPace.objects.update(paused_until=now())
    due(ones[2])
    assert work(ones[2]) is None
    assert ones[2].events.filter(type="DEFERRED").count() == 1
    assert len(sandbox.messages()) == 3


@pytest.mark.django_db
def test_the_cap_a_minute_is_a_queue_that_starts_after_a_pause(
    sandbox: RunningSandbox, settings: Settings
) -> None:
    settings.EMAIL_PER_MINUTE = 30
    paused_until = now() + timedelta(hours=1)
    pacing.hold("EMAIL", MAILBOX, paused_until, code="RETRY_AFTER", because="busy")
    turns = [work(waiting(unit=str(number))) for number in range(1, 4)]
    assert turns == [paused_until + timedelta(seconds=2 * place) for place in range(3)]


@pytest.mark.django_db(transaction=True)
def test_processes_share_the_places_for_calls(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.GRAPH_CONCURRENCY = 2
    monkeypatch.setattr(slots, "_PATIENCE_SECONDS", 0.3)
    holding, release = threading.Barrier(3), threading.Event()

    def hold() -> None:
        # A thread of its own semaphore is another process: only the database knows of both.
        with slots.graph_slot():
            holding.wait(10)
            release.wait(10)
        connection.close()

    monkeypatch.setattr(slots, "_threads", lambda count: threading.BoundedSemaphore(count))
    threads = [threading.Thread(target=hold) for _ in range(2)]
    for thread in threads:
        thread.start()
    holding.wait(10)
    with pytest.raises(RetryAt), slots.graph_slot():
        pytest.fail("a third call was let through")
    release.set()
    for thread in threads:
        thread.join()
    with slots.graph_slot(), slots.graph_slot():  # a thread that holds one goes on with it
        pass
