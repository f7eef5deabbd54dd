"""Resending many messages at once: looked at, confirmed, each resent once whatever dies."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.conf import settings
from django.db import connection, transaction

from tests.api_client import api_client, get, post
from tests.communications.factories import a_bill, an_admin, an_event
from tests.queue.jobs import jobs
from trackcenter.access.visible import EVERY_BUILDING, only
from trackcenter.batches import resends
from trackcenter.batches.models import BulkResend, BulkResendItem
from trackcenter.batches.resends import Choice
from trackcenter.batches.tasks import bulk_resend
from trackcenter.communications import services
from trackcenter.communications.models import Attempt, AuditNote, Batch, Communication, Event
from trackcenter.communications.payloads import Failed, Opened, Sent, Trouble
from trackcenter.evidence.verify import verify
from trackcenter.kit.errors import Conflict, NotFound
from trackcenter.kit.ids import new_id
from trackcenter.queue.retry import RetryAt

pytestmark = pytest.mark.django_db


def failed(*channels: str, unit: str = "1", **row: Any) -> list[Communication]:
    """Bills that were sent once and came back."""
    bills = a_bill(*channels, unit=unit, **row)
    services.enqueue(bills, user_id=None)
    for bill in bills:
        an_event(bill, Failed(error=Trouble(message="no such mailbox")))
    return bills


def look(batch: Batch, **choice: Any) -> dict[str, Any]:
    return resends.plan(EVERY_BUILDING, batch.id, Choice(**choice))


def confirm(batch: Batch, *, note: str = "", key: UUID | None = None, **choice: Any) -> BulkResend:
    seen = look(batch, **choice)
    return resends.request_resend(
        an_admin(),
        batch.id,
        Choice(**choice),
        key=key or seen["key"],
        looked_at=seen["lookedAt"],
        expected=seen["going"],
        note=note,
    )


def attempts() -> dict[str, int]:
    """Attempts by unit."""
    rows = Attempt.objects.values_list("communication__unit__number", flat=True)
    return {unit: list(rows).count(unit) for unit in set(rows)}


def test_a_dry_run_says_who_gets_what_and_changes_nothing() -> None:
    failed("EMAIL", "SMS", unit="1")
    (lost,) = failed("EMAIL", unit="2")
    (arrived,) = a_bill("EMAIL", unit="3")
    services.enqueue([arrived], user_id=None)
    an_event(arrived, Sent(provider="test"))
    (waiting,) = a_bill("EMAIL", unit="4")
    before = Event.objects.count()
    seen = look(waiting.batch)
    assert (seen["total"], seen["going"], seen["repeats"], seen["corrected"]) == (5, 3, 1, 0)
    assert as_json(seen["byChannel"]) == {"EMAIL": 2, "SMS": 1}
    assert as_json(seen["obstacles"]) == {"notYet": 1}
    by_unit = {one["communicationId"]: one for one in seen["examples"]}
    assert by_unit[arrived.id]["repeat"] == "sent"
    assert not by_unit[arrived.id]["goes"]
    assert by_unit[waiting.id]["obstacle"] == "notYet"
    assert by_unit[lost.id]["to"] == "resident.2@example.org"
    assert look(waiting.batch, repeats=True)["going"] == 4
    assert Event.objects.count() == before
    assert jobs("bulk-resend") == []


def test_the_filters_of_the_list_and_the_ticked_units_say_which_are_meant() -> None:
    (first, _) = failed("EMAIL", "SMS", unit="1")
    failed("EMAIL", unit="12")
    batch = first.batch
    assert look(batch, channel="SMS")["total"] == 1
    assert look(batch, status="DELIVERED")["total"] == 0
    assert look(batch, search="RESIDENT 12")["total"] == 1
    assert look(batch, search="100%")["total"] == 0
    assert look(batch, unit_ids=[first.unit_id])["total"] == 2
    assert look(batch, unit_ids=[first.unit_id], status="FAILED", channel="EMAIL")["total"] == 1


def test_another_channel_needs_an_address_of_its_own() -> None:
    failed("EMAIL", unit="1", street="Am Hof 1", postcode="10115", city="Berlin")
    (other,) = failed("EMAIL", unit="2", street="Am Hof 2")
    seen = look(other.batch, through="LETTER")
    assert as_json(seen["obstacles"]) == {"unreachable": 1}
    assert seen["examples"][0]["to"] == "Am Hof 1, 10115 Berlin, DE"
    assert (seen["examples"][1]["to"], seen["examples"][1]["obstacle"]) == ("", "unreachable")
    resends.fulfil(confirm(other.batch, through="LETTER").id)
    assert [job.message["channel"] for job in jobs("deliver")][-1] == "LETTER"


def test_a_unit_whose_messages_all_failed_gets_one_letter() -> None:
    address = {"street": "Am Hof 1", "postcode": "10115", "city": "Berlin"}
    (mail, _) = failed("EMAIL", "SMS", unit="1", **address)
    failed("EMAIL", unit="2", **address)
    seen = look(mail.batch, through="LETTER")
    assert (seen["total"], seen["going"]) == (3, 2)
    assert as_json(seen["obstacles"]) == {"sameUnit": 1}
    resends.fulfil(confirm(mail.batch, through="LETTER").id)
    assert attempts() == {"1": 3, "2": 2}
    assert look(mail.batch)["going"] == 1  # each through its own channel: none is one too many


def test_a_letter_that_lies_ready_is_a_repeat_but_not_sent() -> None:
    (letter,) = a_bill("LETTER")
    services.enqueue([letter], user_id=None)
    an_event(letter, Sent(provider="print", stage="READY_TO_PRINT"))
    seen = look(letter.batch)
    assert (seen["going"], seen["examples"][0]["repeat"]) == (0, "readyToPrint")


def test_a_corrected_address_is_kept() -> None:
    (bill,) = failed("EMAIL")
    services.resend(an_admin(), bill.id, contact=services.Contact(email="new@example.org"))
    an_event(bill, Failed(error=Trouble(message="not this time")))
    (one,) = look(bill.batch)["examples"]
    assert (one["to"], one["correctedFrom"]) == ("new@example.org", "resident.1@example.org")
    resends.fulfil(confirm(bill.batch).id)
    newest = Attempt.objects.get(communication=bill, number=3)
    assert newest.contact == {"email": "new@example.org"}


def test_what_was_confirmed_is_resent_in_the_name_and_with_the_note_of_who_did() -> None:
    bills = failed("EMAIL", "SMS")
    resend = confirm(bills[0].batch, note="The mail server was down")
    assert [(job.queue, job.message) for job in jobs("bulk-resend")] == [
        ("maintenance", {"resendId": str(resend.id)})
    ]
    bulk_resend(resendId=str(resend.id))
    asked = Event.objects.filter(type="RESEND_REQUESTED")
    assert set(asked.values_list("source", "user", "attempt")) == {("USER", an_admin().user_id, 2)}
    assert [note.note for note in AuditNote.objects.all()] == 2 * ["The mail server was down"]
    assert {job.message["resend"] for job in jobs("deliver")[-2:]} == {True}
    assert attempts() == {"1": 4}
    shown = resends.get_resend(EVERY_BUILDING, resend.id)
    assert (shown["total"], shown["resent"], shown["skipped"]) == (2, 2, 0)
    assert shown["finishedAt"] is not None
    assert verify().finding is None


def test_what_a_person_waits_for_goes_before_a_bulk_resend() -> None:
    (bill,) = failed("EMAIL", unit="1")
    (waited_for,) = failed("EMAIL", unit="2")
    resends.fulfil(confirm(bill.batch, unit_ids=[bill.unit_id]).id)
    services.resend(an_admin(), waited_for.id)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args->>'communicationId' FROM procrastinate_jobs "
            "WHERE args->>'resend' = 'true' ORDER BY priority DESC, id"
        )
        assert [row[0] for row in cursor] == [str(waited_for.id), str(bill.id)]


def test_a_double_click_is_one_request() -> None:
    (bill,) = failed("EMAIL")
    key = new_id()
    first = confirm(bill.batch, key=key)
    resends.fulfil(first.id)
    assert confirm(bill.batch, key=key, repeats=True) == first
    assert attempts() == {"1": 2}


def test_two_people_who_confirm_the_same_resend_nobody_twice() -> None:
    (bill,) = failed("EMAIL")
    first, second = confirm(bill.batch), confirm(bill.batch)
    resends.fulfil(first.id)
    an_event(bill, Failed(error=Trouble(message="again")))
    resends.fulfil(second.id)
    assert attempts() == {"1": 2}
    shown = resends.get_resend(EVERY_BUILDING, second.id)
    assert shown["finishedAt"] is not None
    (skipped,) = shown["skippedItems"]
    assert (skipped["unitNumber"], skipped["reason"]) == ("1", "resentMeanwhile")


def test_what_happened_since_the_look_is_left_out() -> None:
    (bill,) = failed("EMAIL", unit="1")
    (opened,) = failed("EMAIL", unit="2")
    seen = look(bill.batch)
    an_event(opened, Opened())
    failed("EMAIL", unit="3")

    def ask(expected: int, **choice: Any) -> BulkResend:
        return resends.request_resend(
            an_admin(),
            bill.batch_id,
            Choice(**choice),
            key=seen["key"],
            looked_at=seen["lookedAt"],
            expected=expected,
        )

    with pytest.raises(Conflict, match="nothing to resend"):
        ask(2, status="OPENED")
    with pytest.raises(Conflict, match="it would be 1 messages"):
        ask(0)
    resends.fulfil(ask(2).id)
    assert attempts() == {"1": 2, "2": 1, "3": 1}


def test_who_was_reached_after_it_was_confirmed_gets_no_second_copy_unwanted() -> None:
    (bill,) = failed("EMAIL", unit="1")
    (given,) = failed("EMAIL", unit="2")
    (opened,) = failed("EMAIL", unit="3")
    resend, repeating = confirm(bill.batch), confirm(bill.batch, repeats=True, search="Resident 2")
    services.manual_event(an_admin(), given.id, type="HAND_DELIVERY", note="at the door")
    an_event(opened, Opened())
    resends.fulfil(resend.id)
    shown = resends.get_resend(EVERY_BUILDING, resend.id)
    assert shown["resent"] == 1
    assert [(one["unitNumber"], one["reason"]) for one in shown["skippedItems"]] == [
        ("2", "sentMeanwhile"),
        ("3", "sentMeanwhile"),
    ]
    assert attempts() == {"1": 2, "2": 1, "3": 1}
    resends.fulfil(repeating.id)
    assert attempts() == {"1": 2, "2": 2, "3": 1}


def test_what_one_may_not_see_is_neither_looked_at_nor_resent() -> None:
    (bill,) = failed("EMAIL")
    resend = confirm(bill.batch)
    nothing = only([new_id()])
    with pytest.raises(NotFound):
        resends.plan(nothing, bill.batch_id, Choice())
    with pytest.raises(NotFound):
        resends.get_resend(nothing, resend.id)
    with pytest.raises(NotFound, match="no such bulk resend"):
        resends.fulfil(new_id())
    # Units of another building are not of this batch, whoever names them.
    (elsewhere,) = failed("EMAIL", building="B2")
    assert look(bill.batch, unit_ids=[elsewhere.unit_id])["total"] == 0


def test_the_api_looks_confirms_and_tells_how_far_it_is() -> None:
    (bill,) = failed("EMAIL")
    client = api_client()
    path = f"/batches/{bill.batch_id}/resend"
    seen = post(client, f"{path}/dry-run", {"status": "FAILED"}, expect=200)
    assert (seen["going"], seen["byChannel"]) == (1, {"EMAIL": 1})
    body = {"key": seen["key"], "lookedAt": seen["lookedAt"], "note": "Again"}
    post(client, path, {**body, "status": "OPENED", "expected": 1}, expect=409)
    post(client, path, {**body, "expected": 1, "lookedAt": "2026-01-05T10:00:00"}, expect=422)
    # An offset that PostgreSQL would not take.
    far_east = timezone(timedelta(hours=21, minutes=15))
    body["lookedAt"] = datetime.fromisoformat(seen["lookedAt"]).astimezone(far_east).isoformat()
    made = post(client, path, {**body, "expected": 1}, expect=202)
    assert post(client, path, {**body, "expected": 1}, expect=202)["id"] == made["id"]
    assert (made["total"], made["resent"], made["finishedAt"]) == (1, 0, None)
    bulk_resend(resendId=made["id"])
    assert get(client, f"/resends/{made['id']}")["resent"] == 1


@pytest.mark.django_db(transaction=True)
def test_what_another_worker_holds_is_waited_for_as_it_may_die() -> None:
    with transaction.atomic():
        (bill,) = failed("EMAIL")
    resend = confirm(bill.batch)
    with closing(connection.copy()) as first:
        first.set_autocommit(False)
        with first.cursor() as cursor:
            cursor.execute("SELECT FROM bulk_resend_items FOR UPDATE")
        with pytest.raises(RetryAt, match="another worker"):
            resends.fulfil(resend.id)
    assert resends.get_resend(EVERY_BUILDING, resend.id)["finishedAt"] is None
    assert resends.fulfil(resend.id) == 1
    assert resends.get_resend(EVERY_BUILDING, resend.id)["finishedAt"] is not None
    assert attempts() == {"1": 2}


DIES = """
import os, signal, sys
import django
django.setup()
from trackcenter.batches import resends
resends.CHUNK = 5
# Within a chunk: events, attempts and jobs are written, the outcome is not.
chunks = []
write = resends.resend_all
def and_die(*arguments, **options):
    done = write(*arguments, **options)
    chunks.append(1)
    if len(chunks) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
resends.resend_all = and_die
resends.fulfil(sys.argv[1])
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_has_resent_nobody_twice() -> None:
    with transaction.atomic():
        for number in range(1, 21):
            failed("EMAIL", unit=str(number))
    batch = Batch.objects.get()
    resend = confirm(batch)
    place = settings.DATABASES["default"]
    url = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(
        **{**place, "NAME": connection.settings_dict["NAME"]}
    )
    done = subprocess.run(
        [sys.executable, "-c", DIES, str(resend.id)],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "trackcenter.config.settings",
            "TRACKCENTER_DATABASE_URL": url,
        },
        timeout=30,
    )
    assert done.returncode == -signal.SIGKILL
    shown = resends.get_resend(EVERY_BUILDING, resend.id)
    assert (shown["resent"], shown["finishedAt"]) == (10, None)
    assert resends.fulfil(resend.id) == 10
    assert set(attempts().values()) == {2}
    assert len(jobs("deliver")) == 20 + 20
    assert set(BulkResendItem.objects.values_list("outcome", flat=True)) == {"RESENT"}
    assert verify().finding is None


def as_json(raw: Any) -> Any:
    """What a piece of JSON says that the database wrote."""
    return msgspec.json.decode(raw)
