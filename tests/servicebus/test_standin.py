"""The stand-in is what the real SDK expects of a Service Bus."""

from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusReceiver
from azure.servicebus import ServiceBusSubQueue as SubQueue

from tests.installation import until
from tests.servicebus.standin import StandIn, running_stand_in


def client(bus: StandIn) -> ServiceBusClient:
    return ServiceBusClient.from_connection_string(bus.connection_string, retry_total=0)


def send(bus: StandIn, *ids: str) -> None:
    with client(bus) as opened, opened.get_topic_sender("email") as sender:
        batch = sender.create_message_batch()
        for known_as in ids:
            batch.add_message(ServiceBusMessage(b"{}", message_id=known_as))
        sender.send_messages(batch)


def receiver(opened: ServiceBusClient, **options: SubQueue) -> ServiceBusReceiver:
    return opened.get_subscription_receiver("email", "worker", **options)  # type: ignore[arg-type]


def test_messages_come_in_order_and_a_repeated_id_once() -> None:
    with running_stand_in() as bus:
        send(bus, "a", "b", "c")
        send(bus, "b", "d")
        assert bus.topic("email")["duplicates"] == 1
        with client(bus) as opened, receiver(opened) as worker:
            messages = worker.receive_messages(4, max_wait_time=2)
            assert [message.message_id for message in messages] == ["a", "b", "c", "d"]
            for message in messages:
                worker.complete_message(message)
        assert bus.counts("completed") == {"email": 4}


def test_every_settlement_does_what_it_says() -> None:
    with running_stand_in() as bus, client(bus) as opened:
        send(bus, "done", "again", "dead")
        with receiver(opened) as worker:
            done, again, dead = worker.receive_messages(3, max_wait_time=2)
            worker.complete_message(done)
            worker.abandon_message(again)
            worker.dead_letter_message(dead, reason="Why", error_description="because")
            (once_more,) = worker.receive_messages(1, max_wait_time=2)
            assert (once_more.message_id, once_more.delivery_count) == ("again", 1)
            worker.complete_message(once_more)
        with receiver(opened, sub_queue=SubQueue.DEAD_LETTER) as cellar:
            (letter,) = cellar.receive_messages(1, max_wait_time=2)
            assert letter.dead_letter_reason == "Why"
            assert letter.dead_letter_error_description == "because"


def test_a_lock_runs_out_unless_it_is_renewed_and_too_many_deliveries_are_the_end() -> None:
    with running_stand_in(lockSeconds=1, maxDeliveries=2) as bus, client(bus) as opened:
        send(bus, "kept", "lost")
        with receiver(opened) as worker:
            kept, lost = worker.receive_messages(2, max_wait_time=2)
            until(
                lambda: worker.renew_message_lock(kept) and bus.counts("ready"),
                seconds=5,
                what="the lock that nobody renewed",
            )
            (lost,) = worker.receive_messages(1, max_wait_time=2)
            assert (lost.message_id, lost.delivery_count) == ("lost", 1)
            worker.abandon_message(lost)
            worker.renew_message_lock(kept)
            worker.complete_message(kept)
        assert bus.topic("email")["deadLetters"][0]["reason"] == "MaxDeliveryCountExceeded"


def test_what_was_cut_off_is_still_there() -> None:
    with running_stand_in(lockSeconds=1) as bus:
        send(bus, "a")
        with client(bus) as opened, receiver(opened) as worker:
            assert len(worker.receive_messages(1, max_wait_time=2)) == 1
            assert bus.cut() == 1
        until(lambda: bus.counts("ready") == {"email": 1}, seconds=5, what="the lock's end")
        bus.down()
        bus.up()
        with client(bus) as opened, receiver(opened) as worker:
            assert worker.receive_messages(1, max_wait_time=2)[0].delivery_count == 1
