"""What a person can do about a message of which nobody knows whether it left."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.blocked import wait_for_a_blocked_session
from tests.communications.factories import a_bill, an_admin, an_event
from trackcenter.access.visible import only
from trackcenter.communications import services, worklists
from trackcenter.communications.lifecycle import Status
from trackcenter.communications.models import Attempt, AttemptOutcome, Communication
from trackcenter.communications.payloads import Enqueued, Failed, Sent, Trouble
from trackcenter.evidence.verify import verify
from trackcenter.kit.clock import now
from trackcenter.kit.errors import Conflict, InputError

pytestmark = pytest.mark.django_db


def unknown(unit: str = "1") -> Communication:
    (one,) = a_bill("EMAIL", unit=unit)
    an_event(one, Enqueued(channel="EMAIL"))
    Attempt.objects.create(
        communication=one,
        number=1,
        channel="EMAIL",
        recipient="resident@example.org",
        internet_message_id="<draft@example.org>",
        send_started_at=now(),
        outcome=AttemptOutcome.UNKNOWN,
        contact={"email": "resident@example.org"},
    )
    an_event(one, Failed(error=Trouble(message="nobody knows"), outcome="UNKNOWN"), attempt=1)
    return one


def status(one: Communication) -> str:
    one.refresh_from_db()
    return one.delivery_status


def test_the_work_list_shows_what_is_unknown_page_by_page() -> None:
    ones = [unknown(str(number)) for number in range(1, 4)]
    first = worklists.list_flagged(an_admin().visible, "outcome_unknown", limit=2)
    rest = worklists.list_flagged(
        an_admin().visible, "outcome_unknown", cursor=first["nextCursor"], limit=2
    )
    listed = [item["communicationId"] for page in (first, rest) for item in page["items"]]
    assert listed == [one.id for one in ones]
    assert rest["nextCursor"] is None
    assert first["items"][0]["attempt"]["recipient"] == "resident@example.org"
    elsewhere = worklists.list_flagged(only({uuid.uuid4()}), "outcome_unknown")
    assert elsewhere["items"] == []


def test_count_as_sent_needs_a_note_and_ends_the_ignorance() -> None:
    one = unknown()
    with pytest.raises(InputError):
        services.resolve(an_admin(), one.id, action="COUNT_AS_SENT", note=" ")
    services.resolve(an_admin(), one.id, action="COUNT_AS_SENT", note="it is in Sent Items")
    assert status(one) == Status.SENT
    assert not one.outcome_unknown
    assert one.provider_message_id == "<draft@example.org>"
    assert one.sent_at is not None
    assert one.attempts.get().outcome == AttemptOutcome.ACCEPTED
    assert one.audit_notes.get().note == "it is in Sent Items"
    assert verify().finding is None
    with pytest.raises(Conflict):
        services.resolve(an_admin(), one.id, action="SEND_AGAIN")


def test_look_again_reopens_the_attempt_once_and_keeps_its_mark() -> None:
    one = unknown()
    services.resolve(an_admin(), one.id, action="LOOK_AGAIN", note="try")
    attempt = one.attempts.get()
    assert attempt.outcome == AttemptOutcome.OPEN
    assert attempt.send_started_at is not None  # so that nothing is sent without a look
    assert status(one) == Status.FAILED
    assert ProcrastinateJob.objects.filter(task_name="deliver").count() == 1
    with pytest.raises(Conflict):
        services.resolve(an_admin(), one.id, action="LOOK_AGAIN")
    with pytest.raises(Conflict):
        services.resolve(an_admin(), one.id, action="COUNT_AS_SENT", note="I guess")


def test_send_again_is_a_new_attempt_to_the_same_address() -> None:
    one = unknown()
    services.resolve(an_admin(), one.id, action="SEND_AGAIN", note="she got nothing")
    assert status(one) == Status.ENQUEUED
    assert [attempt.number for attempt in one.attempts.order_by("number")] == [1, 2]
    assert one.attempts.get(number=2).contact == {"email": "resident@example.org"}
    assert ProcrastinateJob.objects.filter(task_name="deliver").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_person_who_settles_it_as_a_worker_does_waits_for_the_worker() -> None:
    with transaction.atomic():
        one = unknown()

    def settle() -> None:
        try:
            services.resolve(an_admin(), one.id, action="COUNT_AS_SENT", note="saw it")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            # As `delivery.record` does: the attempt first, then the event.
            Attempt.objects.update(outcome=AttemptOutcome.ACCEPTED)
            person = pool.submit(settle)
            wait_for_a_blocked_session()
            an_event(one, Sent(provider="msgraph", confirmed="LOOKED_UP"), attempt=1)
        with pytest.raises(Conflict):
            person.result()
    assert status(one) == Status.SENT
    assert [event.source for event in one.events.filter(type="SENT")] == ["WORKER"]
