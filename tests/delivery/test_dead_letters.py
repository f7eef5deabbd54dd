"""Dead letters over the API and at the command line, by real runs of a worker in this process."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from tests.api_client import api_client, every_page, get, post
from tests.communications.factories import a_bill, an_admin
from tests.queue.test_dead import a_foreign_message, work
from trackcenter.batches.models import BatchSend
from trackcenter.communications.models import Attempt, Batch, Communication
from trackcenter.communications.services import enqueue
from trackcenter.delivery.dead_letters import command
from trackcenter.exports.services import request_export
from trackcenter.kit.clock import now
from trackcenter.kit.errors import NotFound
from trackcenter.kit.ids import new_id
from trackcenter.queue.models import DeadLetterDecision
from trackcenter.queue.payloads import SendBatchJob, SendCommunicationJob
from trackcenter.queue.publish import publish

pytestmark = pytest.mark.django_db(transaction=True)


@transaction.atomic
def a_communication(unit: str = "1") -> Communication:
    (bill,) = a_bill("EMAIL", unit=unit)
    return bill


def dead_messages(count: int) -> None:
    """Dead jobs with moments of their own, the later the higher their number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, attempts, args) "
            "SELECT 'email', 'deliver', 'failed', 2, jsonb_build_object('number', n) "
            "FROM generate_series(1, %s) AS n",
            [count],
        )
        cursor.execute(
            "INSERT INTO job_failures (job_id, reason, failed_at) "
            "SELECT id, 'why', %s + make_interval(hours => (args->>'number')::int / 2) "
            "FROM procrastinate_jobs",
            [now() - timedelta(days=9)],
        )


def test_a_dead_letter_says_what_it_is_and_whom_it_concerns() -> None:
    bill = a_communication(unit="7")
    with transaction.atomic():
        publish([SendCommunicationJob(bill.id, "EMAIL")])  # nobody asked for it to be sent
    work()
    client = api_client()
    (item,) = get(client, "/dead-letters")["items"]
    assert item["message"] == {"communicationId": str(bill.id), "channel": "EMAIL"}
    assert item["reason"].startswith("MalformedMessage: this communication was never asked")
    assert (item["queue"], item["channel"], item["task"]) == ("email", "EMAIL", "deliver")
    assert item["runs"] == 1
    assert item["communicationId"] == str(bill.id)
    assert item["deliveryStatus"] == "PENDING"
    assert item["unit"] == {"id": str(bill.unit_id), "number": "7"}
    assert item["building"]["code"] == "B1"
    assert item["year"] == bill.year
    assert get(client, f"/dead-letters/{item['id']}") == item


def test_a_dead_letter_of_a_batch_or_an_export_names_their_building() -> None:
    bill = a_communication()
    send = BatchSend.objects.create(batch=bill.batch, channels=["EMAIL"])
    with transaction.atomic():
        publish([SendBatchJob(send.id)])
        request_export(an_admin(), {"buildingId": str(bill.building_id)}, "csv")
        publish([SendBatchJob(new_id())])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    items = get(api_client(), "/dead-letters")["items"]
    assert [item["task"] for item in items].count("send-batch") == 2
    about = {item["task"]: item for item in items if item["building"]}
    assert about.keys() == {"send-batch", "write-export"}
    assert {item["building"]["id"] for item in about.values()} == {str(bill.building_id)}
    assert about["send-batch"]["year"] == bill.year


def test_the_list_goes_from_new_to_old_page_by_page() -> None:
    dead_messages(11)
    items = every_page(api_client(), "/dead-letters", limit=3)
    moments = [item["failedAt"] for item in items]
    assert len({item["id"] for item in items}) == 11
    assert moments == sorted(moments, reverse=True)
    assert {item["message"]["number"] for item in items} == set(range(1, 12))


def test_queueing_again_and_discarding_leave_a_record() -> None:
    dead_messages(2)
    client = api_client("ada")
    later, earlier = get(client, "/dead-letters")["items"]
    again = post(client, f"/dead-letters/{earlier['id']}/requeue", expect=202)
    gone = post(client, f"/dead-letters/{later['id']}/discard", {"note": "a test"}, expect=200)
    assert (again["verdict"], again["username"], again["note"]) == ("REQUEUED", "ada", "")
    assert (gone["verdict"], gone["username"], gone["note"]) == ("DISCARDED", "ada", "a test")
    assert get(client, "/dead-letters")["items"] == []
    for verb in ("requeue", "discard"):
        post(client, f"/dead-letters/{later['id']}/{verb}", {"note": "x"}, expect=404)
    assert DeadLetterDecision.objects.count() == 2


@transaction.atomic
def a_dead_message(bill: Communication) -> str:
    """A queued message whose job died."""
    enqueue([Communication.objects.select_for_update().get(id=bill.id)], user_id=None)
    dead = "UPDATE procrastinate_jobs SET status = 'failed' WHERE args->>'communicationId' = %s"
    with connection.cursor() as cursor:
        cursor.execute(f"{dead} RETURNING id", [str(bill.id)])
        return str(cursor.fetchone()[0])


def error_of(client: Client, bill: Communication) -> Any:
    detail = get(client, f"/communications/{bill.id}")
    assert detail["deliveryStatus"] == "FAILED"
    return detail["error"]


def test_a_message_that_waits_for_nothing_more_fails_and_can_be_resent() -> None:
    bill = a_communication()
    letter = a_dead_message(bill)
    Batch.objects.update(send_requested_at=now())
    client = api_client("ada")
    post(client, f"/communications/{bill.id}/resend", {}, expect=409)
    post(client, f"/dead-letters/{letter}/discard", {"note": "the template"}, expect=200)
    error = error_of(client, bill)
    assert (error["code"], error["message"]) == ("GIVEN_UP", "the template")
    newest = get(client, f"/communications/{bill.id}")["events"][-1]
    assert (newest["type"], newest["source"]) == ("FAILED", "USER")
    assert newest["user"]["username"] == "ada"
    assert Batch.objects.get().completed_at is not None
    post(client, f"/communications/{bill.id}/resend", {}, expect=202)
    assert get(client, f"/communications/{bill.id}")["deliveryStatus"] == "ENQUEUED"


def test_where_the_provider_may_have_been_asked_the_outcome_is_unknown() -> None:
    bill = a_communication()
    letter = a_dead_message(bill)
    attempts = Attempt.objects.filter(communication=bill)
    lease = now() + timedelta(minutes=1)
    attempts.update(send_started_at=now(), claim=new_id(), lease_until=lease)
    client = api_client()
    path = f"/dead-letters/{letter}/discard"
    refused = post(client, path, {"note": "x"}, expect=409)
    assert "a worker may still be at this message" in refused["detail"]
    assert get(client, "/dead-letters")["items"][0]["id"] == letter
    attempts.update(lease_until=now() - timedelta(seconds=1))
    post(client, path, {"note": "x"}, expect=200)
    bill.refresh_from_db()
    assert (bill.delivery_status, bill.outcome_unknown) == ("FAILED", True)


def test_a_letter_too_many_is_forgotten_and_the_message_goes_its_way() -> None:
    bill = a_communication()
    client = api_client()
    letter = a_dead_message(bill)
    with transaction.atomic():
        publish([SendCommunicationJob(bill.id, "EMAIL")])  # the queue brings it once more
    post(client, f"/dead-letters/{letter}/discard", {"note": "twice"}, expect=200)
    bill.refresh_from_db()
    assert bill.delivery_status == "ENQUEUED"


def test_a_note_is_asked_for() -> None:
    dead_messages(1)
    client = api_client()
    (item,) = get(client, "/dead-letters")["items"]
    for body in ({}, {"note": ""}, {"note": "   "}):
        post(client, f"/dead-letters/{item['id']}/discard", body, expect=422)


@pytest.mark.parametrize(
    "who", [{"role": "VIEWER", "buildings": ["B1"]}, {"role": "ADMIN", "buildings": ["B1"]}]
)
def test_only_administrators_of_everything_see_them(who: Any) -> None:
    a_communication()
    dead_messages(1)
    client = api_client("somebody", **who)
    get(client, "/dead-letters", expect=403)
    get(client, "/dead-letters/1", expect=403)
    post(client, "/dead-letters/1/discard", {"note": "x"}, expect=403)


def test_the_command_line_does_the_same() -> None:
    an_admin("anna")
    dead_messages(4)
    a_foreign_message(communicationId="7", channel="EMAIL")
    work()
    lines = list(command.dead_lines())
    assert len(lines) == 10
    newest = lines[0].split()[0]
    assert "1 run" in lines[0]
    assert "not a SendCommunicationJob" in lines[1]
    assert '"communicationId": "7"' in command.show(newest)
    with pytest.raises(NotFound, match="no user bert"):
        command.discard(newest, "a test", "bert")
    assert "is discarded" in command.discard(newest, "a test", "anna")
    assert command.requeue([lines[2].split()[0]], None) == 1
    assert command.requeue(None, "anna") == 3
    assert list(command.dead_lines()) == []
    decided = list(command.decided_lines())
    assert len(decided) == 10
    assert "REQUEUED  anna" in decided[0]
    assert "DISCARDED  anna  a test" in decided[8]
    assert "not a SendCommunicationJob" in decided[9]
