"""The backend against the stand-in: relay, receivers and dead letters, in this process."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from django.db import connection, transaction

from tests.api_client import api_client, get, post
from tests.communications.factories import a_bill, an_admin
from tests.installation import until
from tests.queue.jobs import jobs
from tests.queue.test_dead import work
from tests.sandbox.fixture import RunningSandbox
from tests.servicebus.standin import StandIn
from trackcenter.communications import services
from trackcenter.communications.models import Attempt, AttemptOutcome, Communication
from trackcenter.exports.models import CommunicationExport
from trackcenter.exports.services import request_export
from trackcenter.kit.errors import NotFound
from trackcenter.kit.ids import new_id
from trackcenter.queue import dead_letters
from trackcenter.queue.models import DeadLetterDecision
from trackcenter.queue.payloads import SendCommunicationJob
from trackcenter.queue.publish import DELIVER, RELAY, Relayed, publish
from trackcenter.queue.retry import RetryAt
from trackcenter.queue.servicebus.broker import senders
from trackcenter.queue.servicebus.receive import Receivers
from trackcenter.queue.servicebus.relay import relay_job

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def receiving(*topics: str) -> Iterator[None]:
    """Have a worker's receivers run meanwhile."""
    receivers = Receivers(topics, concurrency=2, lease=10.0)
    receivers.start()
    try:
        yield
    finally:
        receivers.stop()
        receivers.join()


def send(bus: StandIn, topic: str, *bodies: Any, message_id: str | None = None) -> None:
    """Messages of another producer, of which at most one has an id."""
    with (
        ServiceBusClient.from_connection_string(bus.connection_string) as client,
        client.get_topic_sender(topic) as sender,
    ):
        for body in bodies:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            sender.send_messages(ServiceBusMessage(raw, message_id=message_id))


def emptied(bus: StandIn, *topics: str) -> None:
    """Wait until these topics have nothing more to do."""

    def are_empty() -> bool:
        held = [bus.topic(topic) for topic in topics or ("email",)]
        return all(one["received"] and not one["ready"] and not one["locked"] for one in held)

    until(are_empty, seconds=20, what=f"empty topics {topics}", pause=0.05)


def forget_jobs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


@transaction.atomic
def enqueued(*channels: str, unit: str = "1") -> Communication:
    made = a_bill(*channels, unit=unit)
    services.enqueue(made, user_id=None)
    return made[0]


@transaction.atomic
def a_sent_bill() -> Communication:
    bill = enqueued("EMAIL")
    Attempt.objects.update(outcome=AttemptOutcome.ACCEPTED)
    forget_jobs()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE communications SET delivery_status = 'SENT'")
    return bill


def test_a_message_goes_from_the_transaction_through_the_topic_to_the_provider(
    bus: StandIn, sandbox: RunningSandbox
) -> None:
    bill = enqueued("EMAIL")
    (job,) = jobs()
    assert (job.task, job.queue) == (RELAY, RELAY)
    work()
    assert jobs() == []
    (message,) = bus.topic("email")["messages"]
    assert json.loads(message["body"]) == {"communicationId": str(bill.id), "channel": "EMAIL"}
    with receiving("email"):
        emptied(bus)
    bill.refresh_from_db()
    assert bill.delivery_status == "SENT"
    assert len(sandbox.messages()) == 1
    assert bus.counts("completed") == {"email": 1}


def test_a_batch_comes_in_its_order_and_a_relay_that_is_repeated_adds_nothing(bus: StandIn) -> None:
    with transaction.atomic():
        made = [new_id() for _ in range(450)]
        publish(SendCommunicationJob(one, "EMAIL") for one in made)
    chunks = [job.message for job in jobs(RELAY)]
    assert [len(chunk["messages"]) for chunk in chunks] == [200, 200, 50]
    work()
    relay_job(**chunks[0])  # its worker died before it could say so
    email = bus.topic("email")
    assert [json.loads(one["body"])["communicationId"] for one in email["messages"]] == [
        str(one) for one in made
    ]
    assert (email["ready"], email["duplicates"]) == (450, 200)


def test_a_bus_that_is_away_is_waited_for_and_one_no_longer_used_is_left(
    bus: StandIn, settings: Any
) -> None:
    bill = enqueued("EMAIL")
    (job,) = jobs()
    bus.down()
    with pytest.raises(RetryAt, match="takes nothing"):
        relay_job(**job.message)
    get(api_client("ada"), "/dead-letters", expect=503)
    bus.up()
    relay_job(**job.message)
    assert bus.counts("ready") == {"email": 1}
    bus.cut()  # a sender that was cut off is replaced
    relay_job(topic="email", messages=[{"id": "another", "body": {}}])
    assert bus.counts("ready") == {"email": 2}
    settings.QUEUE = "postgres"
    relay_job(**job.message)
    (home,) = jobs(DELIVER)
    assert (home.queue, home.message["communicationId"]) == ("email", str(bill.id))


def test_messages_nobody_can_work_are_dead_with_their_reason(bus: StandIn) -> None:
    bill = enqueued("SMS")
    (unsent,) = transaction.atomic(a_bill)("SMS", unit="2")
    of_bill = {"communicationId": str(bill.id), "channel": "EMAIL"}
    of_unsent = {"communicationId": str(unsent.id), "channel": "EMAIL"}
    refused: list[tuple[Any, str]] = [
        (b"\xff{", "MalformedMessage: the body is not JSON"),
        ([1], "MalformedMessage: the body is not a JSON object"),
        ({"communicationId": "7", "channel": "EMAIL"}, "not a SendCommunicationJob"),
        ({**of_bill, "communicationId": str(new_id())}, "there is no communication"),
        (of_bill, "no attempt of this communication"),
        ({**of_bill, "channel": "SMS"}, "a job for SMS came by the topic"),
        (of_unsent, "the communication goes by SMS, not by EMAIL"),
    ]
    send(bus, "email", *(body for body, _ in refused))
    of_unsent["channel"] = "SMS"
    send(
        bus,
        "sms",
        {**of_unsent, "initiatedById": str(new_id())},
        {**of_unsent, "resend": True},
        {**of_unsent, "resend": True, "communicationId": str(new_id())},
    )
    send(bus, "export", {"exportId": str(new_id())})
    with receiving("email", "sms", "export"):
        emptied(bus, "email", "sms", "export")
    by_topic = lettered(dead_letters.every_letter())
    for (_, why), letter in zip(refused, by_topic["email"], strict=True):
        assert why in letter.reason
        assert (letter.runs, letter.channel, letter.task) == (1, "EMAIL", "deliver")
    assert by_topic["email"][0].message == {"unreadable": "\ufffd{"}
    for letter, why in zip(
        by_topic["sms"], ("there is no user", "never sent", "there is no comm"), strict=True
    ):
        assert why in letter.reason
    (export,) = by_topic["export"]
    assert (export.task, "no such export" in export.reason) == ("write-export", True)
    assert Attempt.objects.count() == 1


def lettered(letters: list[Any]) -> Mapping[str, list[Any]]:
    """Letters by their queue, in the order they were sent."""
    letters.sort(key=lambda one: int(one.id.rpartition("-")[2]))
    return {queue: [one for one in letters if one.queue == queue] for queue in ("email", "sms")} | {
        "export": [one for one in letters if one.queue == "export"]
    }


def test_another_producer_asks_for_what_was_never_sent_and_for_an_export(
    bus: StandIn, sandbox: RunningSandbox
) -> None:
    anna = an_admin("anna")
    (bill,) = transaction.atomic(a_bill)("EMAIL")
    with transaction.atomic():
        export = request_export(anna, {}, "csv")
    forget_jobs()
    message = {
        "communicationId": str(bill.id),
        "channel": "EMAIL",
        "initiatedById": str(anna.user_id),
        "traceId": "x\x00y",
    }
    send(bus, "email", message, message)
    send(bus, "export", {"exportId": str(export.id), "extra": 1.5})
    with receiving("email", "export"):
        until(lambda: jobs(RELAY), seconds=10, what="a job of ours", pause=0.05)
        emptied(bus, "export")
        work()
        until(lambda: sandbox.messages(), seconds=10, what="the mail", pause=0.05)
        emptied(bus)
    bill.refresh_from_db()
    assert bill.delivery_status == "SENT"
    assert Attempt.objects.get().requested_by_id == anna.user_id
    assert CommunicationExport.objects.get().status == "READY"
    assert len(sandbox.messages()) == 1
    assert bus.counts("dead") == {}


def test_a_resend_of_another_producer_makes_one_attempt_however_often_it_comes(
    bus: StandIn,
) -> None:
    bill = a_sent_bill()
    message = {"communicationId": str(bill.id), "channel": "EMAIL", "resend": True}

    def ended() -> None:
        emptied(bus)
        forget_jobs()
        Attempt.objects.update(outcome=AttemptOutcome.ACCEPTED)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE communications SET delivery_status = 'SENT'")

    send(bus, "email", message, message_id="their-1")
    with receiving("email"):
        ended()
        # As the topic would deliver it once more, long after duplicate detection forgot it.
        senders.send("email", [Relayed("theirs-again", message, "email/their-1")])
        ended()
        assert Attempt.objects.count() == 2
        send(bus, "email", message, message_id="their-2")
        ended()
    assert [one.number for one in Attempt.objects.order_by("number")] == [1, 2, 3]
    assert bill.events.filter(type="RESEND_REQUESTED").count() == 2
    assert bus.counts("dead") == {}


def test_a_long_wait_is_spent_in_the_database_and_not_in_the_topic(
    bus: StandIn, sandbox: RunningSandbox, settings: Any
) -> None:
    settings.EMAIL_PER_MINUTE = 2
    for unit in ("1", "2"):
        enqueued("EMAIL", unit=unit)
    work()
    with receiving("email"):
        emptied(bus)
        assert len(sandbox.messages()) == 1
        (waiting,) = jobs(RELAY)
        (copy,) = waiting.message["messages"]
        assert copy["id"].endswith("~again1")
        assert bus.counts("dead") == {}
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")
            cursor.execute("UPDATE communication_attempts SET next_try_at = now()")
        work()
        emptied(bus)
    assert len(sandbox.messages()) == 2


def test_short_trouble_and_long_work_are_borne_with_the_message_in_hand(
    bus: StandIn, sandbox: RunningSandbox
) -> None:
    enqueued("EMAIL")
    work()
    with connection.cursor() as cursor:  # another worker holds it for a second more
        cursor.execute(
            "UPDATE communication_attempts SET lease_until = now() + interval '1 s', "
            "claim = gen_random_uuid()"
        )
    sandbox.set_faults(slowMs=1000)  # a mail takes several calls, so longer than the lock of 3 s
    with receiving("email"):
        until(Attempt.objects.filter(tries=1).exists, seconds=10, what="a try", pause=0.05)
    # The receivers were told to stop meanwhile, and finished it.
    sandbox.set_faults()
    assert (len(sandbox.messages()), jobs()) == (1, [])
    assert bus.counts("completed") == {"email": 1}
    assert bus.topic("email")["received"] == 1


def test_dead_letters_are_queued_again_and_discarded_over_the_api(
    bus: StandIn, sandbox: RunningSandbox
) -> None:
    bill = enqueued("EMAIL")
    forget_jobs()
    Attempt.objects.update(channel="SMS")
    message = {"communicationId": str(bill.id), "channel": "EMAIL"}
    send(bus, "email", message, b"nonsense", {"number": 3})
    client = api_client("ada")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, args) "
            "VALUES ('receipts', 'apply-receipt', 'failed', '{}')"
        )
    with receiving("email"):
        emptied(bus)
        first = get(client, "/dead-letters?limit=3")
        assert [one["queue"] for one in first["items"]] == ["email"] * 3
        (mended,) = (one for one in first["items"] if one["communicationId"])
        (nonsense,) = (one for one in first["items"] if "unreadable" in one["message"])
        assert mended["communicationId"] == str(bill.id)
        assert mended["building"]["code"] == "B1"
        assert first["nextCursor"]  # the one of the database is older
        post(client, f"/dead-letters/{nonsense['id']}/requeue", expect=409)
        post(client, f"/dead-letters/{nonsense['id']}/discard", {"note": "theirs"}, expect=200)
        Attempt.objects.update(channel="EMAIL")
        assert dead_letters.requeue_all() == 3
        assert bus.counts("dead") == {}
        work()
        until(lambda: sandbox.messages(), seconds=10, what="the mail", pause=0.05)
    bill.refresh_from_db()
    assert bill.delivery_status == "SENT"
    decided = list(DeadLetterDecision.objects.order_by("id"))
    assert [one.verdict for one in decided] == ["DISCARDED", *["REQUEUED"] * 3]
    assert decided[0].message == {"unreadable": "nonsense"}
    assert message in [one.message for one in decided]
    for unknown in ("email-7", "fax-7", "email-x"):
        with pytest.raises(NotFound):
            dead_letters.find(unknown)
        with pytest.raises(NotFound):
            dead_letters.discard(unknown, "why")
