import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connections, transaction

from tests.communications.factories import a_bill, an_admin, an_event
from tests.queue.jobs import jobs
from trackcenter.access.visible import EVERY_BUILDING, only
from trackcenter.batches import services
from trackcenter.batches.models import BatchSend
from trackcenter.batches.selectors import get_batch
from trackcenter.batches.tasks import send_batch
from trackcenter.communications.models import Attempt, Batch, Communication, Event
from trackcenter.communications.payloads import Failed, Sent, Trouble
from trackcenter.evidence.verify import verify
from trackcenter.kit.errors import InputError, NotFound
from trackcenter.kit.ids import new_id
from trackcenter.queue.payloads import MalformedMessage
from trackcenter.queue.retry import RetryAt

pytestmark = pytest.mark.django_db


def a_batch(units: int = 3, channels: Sequence[str] = ("EMAIL", "SMS")) -> Batch:
    for unit in range(1, units + 1):
        a_bill(*channels, unit=str(unit))
    return Batch.objects.get()


def ask(batch: Batch, **options: object) -> BatchSend:
    return services.request_send(EVERY_BUILDING, batch.id, **options)  # type: ignore[arg-type]


def statuses() -> dict[str, int]:
    rows = Communication.objects.values_list("delivery_status", flat=True)
    return {status: list(rows).count(status) for status in set(rows)}


def test_asking_stores_the_request_with_its_job() -> None:
    batch = a_batch()
    anna = an_admin()
    send = ask(batch, user_id=anna.user_id)
    assert [(job.queue, job.message) for job in jobs()] == [
        ("maintenance", {"sendId": str(send.id)})
    ]
    batch.refresh_from_db()
    assert batch.send_requested_at is not None
    assert statuses() == {"PENDING": 6}


def test_fulfilling_enqueues_everything_in_the_name_of_who_asked() -> None:
    batch = a_batch()
    anna = an_admin()
    send = ask(batch, user_id=anna.user_id)
    send_batch(sendId=str(send.id), unheard="of")
    assert statuses() == {"ENQUEUED": 6}
    assert len(jobs("deliver")) == 6
    assert set(Attempt.objects.values_list("requested_by", flat=True)) == {anna.user_id}
    enqueued = Event.objects.filter(type="ENQUEUED")
    assert set(enqueued.values_list("source", "user")) == {("USER", anna.user_id)}
    send.refresh_from_db()
    assert send.finished_at is not None


def test_all_channels_are_sent_unless_some_are_named() -> None:
    batch = a_batch(1, ["EMAIL", "LETTER"])
    services.fulfil(ask(batch, channels=["EMAIL"]).id)
    assert dict(Communication.objects.values_list("channel", "delivery_status")) == {
        "EMAIL": "ENQUEUED",
        "LETTER": "PENDING",
    }
    services.fulfil(ask(batch).id)
    assert not Communication.objects.filter(delivery_status="PENDING").exists()
    with pytest.raises(InputError, match="no channel FAX"):
        ask(batch, channels=["FAX"])


def test_sending_twice_sends_nothing_twice() -> None:
    batch = a_batch()
    first, second = ask(batch), ask(batch)
    assert services.fulfil(first.id) == 6
    assert services.fulfil(second.id) == 0
    assert services.fulfil(first.id) == 0
    assert len(jobs("deliver")) == Attempt.objects.count() == 6
    requested_at = Batch.objects.get().send_requested_at
    ask(batch)
    assert Batch.objects.get().send_requested_at == requested_at


def test_only_some_channels_or_units_are_sent() -> None:
    batch = a_batch()
    unit = Communication.objects.filter(unit__number="2").first()
    assert unit is not None
    services.fulfil(ask(batch, channels=["SMS"], unit_ids=[unit.unit_id]).id)
    (sent,) = Communication.objects.filter(delivery_status="ENQUEUED")
    assert (sent.channel, sent.unit_id) == ("SMS", unit.unit_id)
    services.fulfil(ask(batch, channels=["EMAIL"]).id)
    assert statuses() == {"ENQUEUED": 4, "PENDING": 2}


@pytest.mark.parametrize("units", [[], [new_id()]])
def test_units_of_another_batch_are_refused(units: list[UUID]) -> None:
    batch = a_batch(1)
    (elsewhere,) = a_bill(building="B2")
    with pytest.raises(InputError) as refusal:
        ask(batch, unit_ids=[*units, elsewhere.unit_id])
    assert refusal.value.problems[0].loc == ("body", "unitIds")
    assert jobs() == []


def test_what_one_may_not_see_cannot_be_sent() -> None:
    batch = a_batch(1)
    with pytest.raises(NotFound):
        services.request_send(only([new_id()]), batch.id)
    with pytest.raises(NotFound):
        services.request_send(EVERY_BUILDING, new_id())


def test_a_send_that_never_was_is_a_malformed_message_or_not_found() -> None:
    with pytest.raises(NotFound, match="no such send"):
        services.fulfil(new_id())
    with pytest.raises(MalformedMessage):
        send_batch(sendId="7")


class Killed(BaseException):
    """The worker's death."""


def dies_after(chunks: int) -> object:
    seen: list[int] = []

    def progress(count: int) -> None:
        seen.append(count)
        if len(seen) == chunks:
            raise Killed

    return progress


def test_a_death_between_two_chunks_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "CHUNK", 2)
    batch = a_batch()
    send = ask(batch)
    for killed in range(3):
        with pytest.raises(Killed):
            services.fulfil(send.id, dies_after(1))  # type: ignore[arg-type]
        assert statuses().get("ENQUEUED") == 2 * (killed + 1)
        assert get_batch(EVERY_BUILDING, batch.id)["batchStatus"] == "SENDING"
    assert services.fulfil(send.id) == 0
    assert len(jobs("deliver")) == Attempt.objects.count() == 6
    send.refresh_from_db()
    assert send.finished_at is not None
    assert verify().finding is None


def test_a_death_inside_a_chunk_undoes_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = a_batch()
    send = ask(batch)

    @transaction.atomic
    def cut_off() -> None:
        services.fulfil(send.id, dies_after(1))  # type: ignore[arg-type]

    with pytest.raises(Killed):
        cut_off()
    assert statuses() == {"PENDING": 6}
    assert jobs("deliver") == []
    assert services.fulfil(send.id) == 6


def test_a_send_of_what_needs_no_sending_completes_the_batch() -> None:
    batch = a_batch(1, ["EMAIL"])
    an_event(Communication.objects.get(), Sent(provider="test"))
    services.fulfil(ask(batch).id)
    batch.refresh_from_db()
    assert batch.completed_at is not None


def test_progress_counts_every_message_once() -> None:
    batch = a_batch(3, ["EMAIL", "LETTER"])
    made = list(Communication.objects.filter(channel="EMAIL").order_by("id"))
    services.fulfil(ask(batch, channels=["EMAIL"]).id)
    an_event(made[0], Sent(provider="test"))
    an_event(made[1], Failed(error=Trouble(message="no")))
    shown = get_batch(EVERY_BUILDING, batch.id)
    assert shown["progress"] == {"total": 6, "enqueued": 1, "done": 1, "failed": 1}
    assert shown["channels"]["LETTER"]["pending"] == 3


@pytest.mark.django_db(transaction=True)
def test_what_an_import_holds_is_waited_for() -> None:
    with transaction.atomic():
        batch = a_batch(3, ["EMAIL"])
    send = ask(batch)
    held = threading.Event()
    done = threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(Communication.objects.select_for_update().order_by("id")[:2])
            held.set()
            done.wait(20)
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        held.wait(20)
        with pytest.raises(RetryAt, match="held by an import"):
            send_batch(sendId=str(send.id))
        assert statuses() == {"ENQUEUED": 1, "PENDING": 2}
        done.set()
        holding.result()
    send_batch(sendId=str(send.id))
    assert statuses() == {"ENQUEUED": 3}
    send.refresh_from_db()
    assert send.finished_at is not None


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_send_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "CHUNK", 3)
    with transaction.atomic():
        batch = a_batch(12, ["EMAIL"])
    send = ask(batch)
    start = threading.Barrier(3)

    def work(_: int) -> int:
        start.wait()
        try:
            return services.fulfil(send.id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 12
    assert len(jobs("deliver")) == Attempt.objects.count() == 12
    assert statuses() == {"ENQUEUED": 12}
