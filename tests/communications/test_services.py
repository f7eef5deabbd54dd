from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from tests.communications.factories import a_bill, a_building, an_admin, an_event
from tests.queue.jobs import jobs
from trackcenter.access.actor import Actor
from trackcenter.communications import services
from trackcenter.communications.models import Attempt, AuditNote, Batch, Communication, Event
from trackcenter.communications.payloads import Delivered, Enqueued, Failed, Posted, Sent, Trouble
from trackcenter.communications.services import Contact
from trackcenter.kit.clock import now
from trackcenter.kit.errors import Conflict, InputError, NotFound
from trackcenter.kit.ids import new_id

pytestmark = pytest.mark.django_db

SENT = Sent(provider="test", provider_message_id="<1@x>")
BOUNCE = Failed(error=Trouble(code="5.1.1", message="no such user"))


@pytest.fixture
def admin() -> Actor:
    return an_admin()


def sent(*channels: str, **bill: str) -> Communication:
    """A bill's communication that was handed over once."""
    (one, *_) = a_bill(*channels, **bill)
    services.enqueue([one], user_id=None)
    an_event(one, SENT)
    one.refresh_from_db()
    return one


def payload_of(communication: Communication, type: str) -> dict[str, object]:
    event = Event.objects.select_related("payload_row").get(communication=communication, type=type)
    return event.payload_row.payload


def test_enqueueing_makes_attempt_event_and_job_together() -> None:
    made = a_bill("EMAIL", "SMS")
    assert services.enqueue(made, user_id=None) == 2
    assert set(Communication.objects.values_list("delivery_status", flat=True)) == {"ENQUEUED"}
    assert sorted(Attempt.objects.values_list("channel", "number")) == [("EMAIL", 1), ("SMS", 1)]
    assert [(job.queue, job.message) for job in jobs("deliver")] == [
        ("email", {"communicationId": str(made[0].id), "channel": "EMAIL"}),
        ("sms", {"communicationId": str(made[1].id), "channel": "SMS"}),
    ]


def test_enqueueing_nothing_is_nothing() -> None:
    assert services.enqueue([], user_id=None) == 0
    assert jobs() == []


def test_a_failure_while_enqueueing_leaves_no_trace() -> None:
    made = a_bill("EMAIL")

    @transaction.atomic
    def dies_before_the_commit() -> None:
        services.enqueue(made, user_id=None)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power"):
        dies_before_the_commit()
    assert not Attempt.objects.exists()
    assert jobs() == []
    assert Communication.objects.get().delivery_status == "PENDING"


def test_a_resend_opens_the_next_attempt_with_its_job(admin: Actor) -> None:
    one = sent()
    written = services.resend(admin, one.id)
    assert (written.attempt, written.status) == (2, "ENQUEUED")
    second = Attempt.objects.get(number=2)
    assert (second.channel, second.requested_by_id) == ("EMAIL", admin.user_id)
    assert jobs("deliver")[-1].message == {
        "communicationId": str(one.id),
        "channel": "EMAIL",
        "resend": True,
        "initiatedById": str(admin.user_id),
    }
    assert not AuditNote.objects.exists()


def test_another_channel_belongs_to_the_attempt_not_to_the_communication(admin: Actor) -> None:
    one = sent("EMAIL")
    services.resend(admin, one.id, channel="SMS")
    one.refresh_from_db()
    assert one.channel == "EMAIL"
    assert Attempt.objects.get(number=2).channel == "SMS"
    assert jobs("deliver")[-1].queue == "sms"
    assert payload_of(one, "RESEND_REQUESTED")["channel"] == "SMS"


def test_a_corrected_address_is_kept_beside_the_old_one(admin: Actor) -> None:
    one = sent(email="old@example.org", phone="+4930123456")
    services.resend(admin, one.id, contact=Contact(email="new@example.org"))
    said = payload_of(one, "RESEND_REQUESTED")
    assert said["oldContact"] == {"email": "old@example.org", "phone": "+4930123456"}
    assert said["newContact"] == {"email": "new@example.org", "phone": "+4930123456"}
    assert Attempt.objects.get(number=2).contact == {"email": "new@example.org"}


def test_the_next_correction_starts_from_the_last_one(admin: Actor) -> None:
    one = sent(email="old@example.org", phone="+4930123456")
    services.resend(admin, one.id, contact=Contact(email="new@example.org"))
    an_event(one, BOUNCE)
    services.resend(admin, one.id, contact=Contact(email="newest@example.org"))
    last = Event.objects.filter(type="RESEND_REQUESTED").order_by("sequence").last()
    assert last is not None
    assert last.payload_row.payload["oldContact"]["email"] == "new@example.org"
    assert last.payload_row.payload["newContact"]["email"] == "newest@example.org"


def test_a_repeated_request_to_resend_is_refused(admin: Actor) -> None:
    (one,) = a_bill("EMAIL")
    services.enqueue([one], user_id=None)
    an_event(one, BOUNCE, attempt=1)
    services.resend(admin, one.id, after_attempt=1)
    an_event(one, BOUNCE, attempt=2)  # the worker was quick
    with pytest.raises(Conflict, match="attempt 2 has begun since you looked"):
        services.resend(admin, one.id, after_attempt=1)
    assert one.attempts.count() == 2
    assert services.resend(admin, one.id, after_attempt=2).attempt == 3


def test_nothing_was_delivered_before_the_billed_year(admin: Actor) -> None:
    one = sent(year=2024)
    with pytest.raises(InputError, match="before 2024"):
        services.manual_event(
            admin,
            one.id,
            type="HAND_DELIVERY",
            note="a slip of the pen",
            occurred_at=datetime(326, 11, 24, tzinfo=UTC),
        )


def test_the_note_of_a_resend_is_an_audit_note(admin: Actor) -> None:
    one = sent()
    written = services.resend(admin, one.id, note="She phoned. \x00")
    note = AuditNote.objects.get()
    assert (note.note, note.user_id, note.event_id) == (
        "She phoned. \ufffd",
        admin.user_id,
        written.id,
    )


def test_a_second_click_makes_no_second_message(admin: Actor) -> None:
    one = sent()
    services.resend(admin, one.id)
    before = len(jobs())
    with pytest.raises(Conflict, match="already waiting"):
        services.resend(admin, one.id)
    assert len(jobs()) == before
    assert Attempt.objects.count() == 2


def test_what_was_never_sent_or_was_cancelled_is_not_resent(admin: Actor) -> None:
    (pending,) = a_bill()
    with pytest.raises(Conflict, match="never sent"):
        services.resend(admin, pending.id)
    Communication.objects.filter(id=pending.id).update(delivery_status="CANCELLED")
    with pytest.raises(Conflict, match="cancelled"):
        services.resend(admin, pending.id)
    assert jobs() == []


@pytest.mark.parametrize(("channel", "field"), [("EMAIL", "email"), ("SMS", "phone")])
def test_a_channel_without_an_address_is_refused(admin: Actor, channel: str, field: str) -> None:
    one = sent("EMAIL", **{field: ""})
    with pytest.raises(InputError) as refusal:
        services.resend(admin, one.id, channel=channel)
    assert refusal.value.problems[0].loc == ("body", "contact", field)
    correction = {"email": "a@example.org", "phone": "+4930123456"}[field]
    services.resend(admin, one.id, channel=channel, contact=Contact(**{field: correction}))
    assert Attempt.objects.get(number=2).contact == {field: correction}


def test_somebody_elses_communication_is_not_there(admin: Actor) -> None:
    with pytest.raises(NotFound):
        services.resend(admin, new_id())


@pytest.mark.parametrize("type", ["POSTAL_DELIVERY", "HAND_DELIVERY", "RECEIPT_CONFIRMED", "OTHER"])
def test_a_person_vouches_for_a_delivery(admin: Actor, type: str) -> None:
    one = sent()
    on = datetime(2026, 1, 5, 9, tzinfo=UTC)
    written = services.manual_event(admin, one.id, type=type, note=" Seen it. ", occurred_at=on)
    assert written.status == "MANUAL"
    event = Event.objects.get(id=written.id)
    assert (event.type, event.source, event.user_id) == ("MANUAL_MARKED", "USER", admin.user_id)
    assert event.occurred_at == on
    assert event.payload_row.payload["method"] == type
    assert AuditNote.objects.get().note == "Seen it."


def test_a_returned_letter_is_a_failure_with_the_note_as_its_reason(admin: Actor) -> None:
    one = sent()
    services.manual_event(admin, one.id, type="HAND_DELIVERY", note="I gave it to him")
    written = services.manual_event(admin, one.id, type="RETURNED", note="moved away")
    assert written.status == "FAILED"
    one.refresh_from_db()
    assert one.error == {"code": "RETURNED", "message": "moved away"}


def posted(*, with_run: bool = True) -> Communication:
    """A letter that was made and, `with_run`, posted in a print run."""
    (one,) = a_bill("LETTER", street="Hauptstr. 5", postcode="10115", city="Berlin")
    services.enqueue([one], user_id=None)
    an_event(one, Sent(provider="print", stage="READY_TO_PRINT"))
    if with_run:
        an_event(one, Posted(print_run_id="x"))
    one.refresh_from_db()
    return one


def returned(actor: Actor, one: Communication) -> tuple[int, str]:
    """The attempt and status once an envelope has come back."""
    written = services.manual_event(actor, one.id, type="RETURNED", note="moved away")
    return written.attempt, written.status


def test_an_envelope_that_comes_back_says_nothing_of_the_mail_sent_since(admin: Actor) -> None:
    one = posted()
    services.resend(admin, one.id, channel="EMAIL")
    an_event(one, SENT)
    an_event(one, Delivered())
    assert returned(admin, one) == (1, "DELIVERED")
    one.refresh_from_db()
    assert (one.error, one.failed_at) == (None, None)


def test_an_envelope_that_comes_back_is_the_one_that_was_posted(admin: Actor) -> None:
    one = posted()
    services.resend(admin, one.id)
    an_event(one, Sent(provider="print", stage="READY_TO_PRINT"))
    assert returned(admin, one) == (1, "SENT")
    an_event(one, Posted(print_run_id="y"))
    assert returned(admin, one) == (2, "FAILED")


def test_an_envelope_may_come_back_before_its_run_is_marked_or_from_a_persons_own_post(
    admin: Actor,
) -> None:
    one = posted(with_run=False)
    services.resend(admin, one.id, channel="EMAIL")
    an_event(one, SENT)
    assert returned(admin, one) == (1, "SENT")
    services.manual_event(admin, one.id, type="POSTAL_DELIVERY", note="I posted a copy")
    assert returned(admin, one) == (2, "FAILED")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"type": "TELEPATHY"}, "type"),
        ({"note": " \n"}, "note"),
        ({"occurred_at": now() + timedelta(days=1)}, "occurredAt"),
    ],
)
def test_a_mark_that_says_too_little_is_refused(
    admin: Actor, change: dict[str, object], place: str
) -> None:
    one = sent()
    said = {"type": "OTHER", "note": "how I know", **change}
    with pytest.raises(InputError) as refusal:
        services.manual_event(admin, one.id, **said)  # type: ignore[arg-type]
    assert refusal.value.problems[0].loc == ("body", place)
    assert not AuditNote.objects.exists()


def test_nobody_vouches_for_what_was_cancelled(admin: Actor) -> None:
    (one,) = a_bill()
    Communication.objects.filter(id=one.id).update(delivery_status="CANCELLED")
    with pytest.raises(Conflict, match="cancelled"):
        services.manual_event(admin, one.id, type="OTHER", note="x")


def test_a_note_changes_no_status(admin: Actor) -> None:
    one = sent()
    note = services.add_note(admin, one.id, " Asked for an instalment plan ")
    assert note.note == "Asked for an instalment plan"
    one.refresh_from_db()
    assert (one.delivery_status, one.event_count) == ("SENT", 3)
    with pytest.raises(InputError, match="says nothing"):
        services.add_note(admin, one.id, "  ")


def test_a_batch_is_complete_once_nothing_waits() -> None:
    first, second = a_bill("EMAIL", "SMS")
    Batch.objects.update(send_requested_at=now())
    batch = Batch.objects.get()
    an_event(first, SENT)
    services.complete_if_done(batch.id)
    batch.refresh_from_db()
    assert batch.completed_at is None
    an_event(second, Enqueued(channel="SMS"))
    an_event(second, BOUNCE)
    services.complete_if_done(batch.id)
    batch.refresh_from_db()
    assert batch.completed_at is not None
    completed_at = batch.completed_at
    services.complete_finished_batches()
    batch.refresh_from_db()
    assert batch.completed_at == completed_at


def test_a_batch_nobody_sent_is_never_complete() -> None:
    a_building("EMPTY")
    (one,) = a_bill()
    an_event(one, Delivered())
    services.complete_finished_batches()
    assert Batch.objects.get().completed_at is None
