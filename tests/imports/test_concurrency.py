import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from tests.blocked import wait_for_a_blocked_session
from tests.imports.files import a_row, as_csv
from trackcenter.access.visible import EVERY_BUILDING
from trackcenter.batches.services import request_send
from trackcenter.communications import events
from trackcenter.communications.events import NewEvent
from trackcenter.communications.models import Batch, BillingSnapshot, Communication, Event, UnitBill
from trackcenter.communications.payloads import Enqueued, Sent
from trackcenter.communications.services import complete_finished_batches, complete_if_done
from trackcenter.imports.services import ImportResult, import_file
from trackcenter.kit.errors import InputError

pytestmark = pytest.mark.django_db(transaction=True)


def run(content: bytes) -> ImportResult:
    try:
        return import_file(io.BytesIO(content), "bills.csv")
    finally:
        connection.close()


def test_two_imports_of_one_file_at_once_make_every_bill_once():
    content = as_csv(*(a_row(unit=str(unit)) for unit in range(200)))
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(run, [content] * 3))
    assert sorted(result.created for result in results) == [0, 0, 200]
    assert sorted(result.unchanged for result in results) == [0, 200, 200]
    assert UnitBill.objects.count() == Communication.objects.count() == Event.objects.count() == 200


def test_two_different_corrections_at_once_become_two_versions():
    run(as_csv(a_row()))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, [as_csv(a_row(recipient=name)) for name in ("Bea", "Cem")]))
    versions = BillingSnapshot.objects.order_by("version")
    assert [snapshot.version for snapshot in versions] == [1, 2, 3]
    assert Communication.objects.get().snapshot == versions.last()


def test_a_bill_that_is_being_sent_while_the_file_comes_is_not_changed():
    """The import finds it PENDING, waits for the sender's lock, and looks again."""
    run(as_csv(a_row()))
    communication = Communication.objects.get()
    locked = threading.Event()

    def correct() -> None:
        locked.wait(10)
        run(as_csv(a_row(recipient="Bea")))

    with ThreadPoolExecutor(1) as pool:
        correction = pool.submit(correct)
        with transaction.atomic():
            events.append([NewEvent(communication.pk, Enqueued(channel="EMAIL"), "SYSTEM")])
            locked.set()
            wait_for_a_blocked_session()
        with pytest.raises(InputError, match="already sent"):
            correction.result()
    assert BillingSnapshot.objects.count() == 1


def test_a_batch_is_not_complete_while_an_import_adds_to_it_and_no_send_waits_for_that():
    run(as_csv(a_row(unit="1")))
    batch = Batch.objects.get()
    request_send(EVERY_BUILDING, batch.id)
    with transaction.atomic():
        events.append([NewEvent(Communication.objects.get().pk, Sent(provider="x"), "WORKER")])
    written, looked = threading.Event(), threading.Event()

    def hold(phase: str, done: int, total: int) -> None:
        if phase == "writing" and done == total:
            written.set()
            looked.wait(10)

    def add() -> None:
        try:
            import_file(io.BytesIO(as_csv(a_row(unit="2"))), "late.csv", progress=hold)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        adding = pool.submit(add)
        assert written.wait(10)
        complete_if_done(batch.id)
        request_send(EVERY_BUILDING, batch.id)
        assert not adding.done()
        looked.set()
        adding.result()
    complete_finished_batches()
    batch.refresh_from_db()
    assert batch.completed_at is None
    assert Communication.objects.filter(delivery_status="PENDING").count() == 1
