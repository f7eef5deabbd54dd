import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction

from tests.communications.factories import a_bill, an_event
from trackcenter.communications import events
from trackcenter.communications.models import Communication, Event, EventPayload, Source
from trackcenter.communications.payloads import (
    Delivered,
    Enqueued,
    Failed,
    Notice,
    ResendRequested,
    Sent,
    Trouble,
)
from trackcenter.evidence.verify import verify
from trackcenter.kit.errors import NotFound
from trackcenter.kit.ids import new_id

SENT = Sent(provider="test", provider_message_id="<1@x>")
BOUNCE = Failed(error=Trouble(code="5.1.1", message="no such user", raw="…"))


@pytest.mark.django_db
def test_an_event_moves_its_communication_and_keeps_count() -> None:
    (one,) = a_bill()
    an_event(one, Enqueued(channel="EMAIL"))
    written = an_event(one, SENT)
    assert (written.sequence, written.attempt, written.status) == (3, 1, "SENT")
    one.refresh_from_db()
    assert one.delivery_status == "SENT"
    assert one.provider_message_id == "<1@x>"
    assert (one.last_event_type, one.event_count) == ("SENT", 3)
    assert one.sent_at is not None


@pytest.mark.django_db
def test_a_failure_shows_its_reason_until_better_news_comes() -> None:
    (one,) = a_bill()
    an_event(one, BOUNCE)
    one.refresh_from_db()
    assert one.error == {"code": "5.1.1", "message": "no such user"}
    an_event(one, ResendRequested(channel="EMAIL"), attempt=events.NEXT_ATTEMPT)
    one.refresh_from_db()
    assert (one.error, one.newest_attempt, one.provider_message_id) == (None, 2, "")


@pytest.mark.django_db
def test_a_receipt_for_an_old_attempt_is_only_an_entry() -> None:
    (one,) = a_bill()
    an_event(one, SENT)
    an_event(one, ResendRequested(channel="EMAIL"), attempt=events.NEXT_ATTEMPT)
    written = an_event(one, BOUNCE, attempt=1)
    assert written.status == "ENQUEUED"
    one.refresh_from_db()
    assert (one.delivery_status, one.error, one.event_count) == ("ENQUEUED", None, 4)


@pytest.mark.django_db
def test_a_moment_of_any_offset_is_hashed_as_it_is_kept() -> None:
    (one,) = a_bill()
    local_mean_time = datetime(1800, 1, 1, 12, tzinfo=timezone(timedelta(minutes=53, seconds=28)))
    an_event(one, Delivered(), occurred_at=local_mean_time)
    assert verify().finding is None
    assert Event.objects.get(type="DELIVERED").occurred_at == local_mean_time


@pytest.mark.django_db
def test_many_events_of_many_communications_in_one_go() -> None:
    made = [a_bill(unit=str(number))[0] for number in range(20)]
    events.append(
        [
            events.NewEvent(one.id, payload, Source.WORKER)
            for payload in (SENT, Delivered())
            for one in made
        ]
    )
    assert set(Communication.objects.values_list("delivery_status", flat=True)) == {"DELIVERED"}
    assert Event.objects.count() == EventPayload.objects.count() == 60
    assert verify().finding is None


@pytest.mark.django_db(transaction=True)
def test_events_are_refused_outside_a_transaction() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        events.append([events.NewEvent(new_id(), SENT, Source.WORKER)])


@pytest.mark.django_db
def test_an_event_of_an_unknown_communication_is_refused() -> None:
    with pytest.raises(NotFound, match="no such communication"):
        events.append([events.NewEvent(new_id(), SENT, Source.WORKER)])


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_neither_lose_an_event_nor_break_the_chain() -> None:
    with transaction.atomic():
        made = [a_bill(unit=str(number))[0] for number in range(4)]
    start = threading.Barrier(6)

    def write(order: int) -> None:
        start.wait()
        targets = made if order % 2 else made[::-1]
        for _ in range(10):
            with transaction.atomic():
                events.append(
                    [
                        events.NewEvent(one.id, Notice(kind="delayed"), Source.WORKER)
                        for one in targets
                    ]
                )
        connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    audit = verify()
    assert (audit.finding, audit.events) == (None, 4 * 61)


@pytest.mark.parametrize("table", ["communication_events", "communication_event_payloads"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
@pytest.mark.django_db
def test_history_cannot_be_changed(table: str, statement: str) -> None:
    a_bill()
    column = "year" if table == "communication_events" else "payload"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="append-only"):
            cursor.execute(statement.format(table, column, column))


@pytest.mark.django_db
def test_the_database_itself_refuses_unknown_words_and_second_sequences() -> None:
    (one,) = a_bill()
    for change in ({"delivery_status": "LOST"}, {"channel": "FAX"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Communication.objects.filter(id=one.id).update(**change)
    first = Event.objects.get()
    first.pk = new_id()
    with pytest.raises(IntegrityError, match="event_sequence_once"), transaction.atomic():
        first.save(force_insert=True)
