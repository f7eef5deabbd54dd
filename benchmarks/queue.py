"""Both queues with empty jobs, against bare SKIP LOCKED and the bare Service Bus SDK, as they fill.

For 1,000 to 100,000 waiting jobs: how fast they are published in transactions of 500, and how fast
a worker of four threads then gets through the first of them. The bare sides do the same work
without us: four threads that DELETE one row each with FOR UPDATE SKIP LOCKED, and one SDK receiver
that completes what it gets. The Service Bus is the tests' stand-in on loopback, for both sides.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from unittest.mock import patch

from benchmarks.hooks import ROOT, Place, a_place

THREADS = 4
CHUNK = 500
"""Messages a transaction, as sending a batch has it."""

TOPIC, BARE_TOPIC = "email", "sms"


class Counter:
    """Counts jobs from any thread and notes when the last of `goal` was done."""

    def __init__(self, goal: int) -> None:
        self._goal, self._lock, self._count = goal, threading.Lock(), 0
        self._begun = self._ended = time.perf_counter()
        self.reached = threading.Event()

    def one(self) -> None:
        with self._lock:
            self._count += 1
            if self._count == self._goal:
                self._ended = time.perf_counter()
                self.reached.set()

    @property
    def per_second(self) -> float:
        return self._goal / (self._ended - self._begun)


def inside(kind: str, waiting: int, jobs: int) -> dict[str, float]:
    """In a process of its own, with Django set up for one queue: all figures of one row."""
    import django

    django.setup()

    counter = Counter(0)

    def counting(goal: int) -> Counter:
        nonlocal counter
        counter = Counter(goal)
        return counter

    figures = {"published": publish(waiting)}
    measure = postgres if kind == "postgres" else service_bus
    with patch("trackcenter.delivery.tasks.deliver", lambda _job: counter.one()):
        return figures | measure(waiting, min(jobs, waiting), counting)


def publish(count: int) -> float:
    from django.db import connection, transaction

    from trackcenter.kit.ids import new_id
    from trackcenter.queue.payloads import SendCommunicationJob
    from trackcenter.queue.publish import publish as queue

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs CASCADE")
    begun = time.perf_counter()
    for start in range(0, count, CHUNK):
        with transaction.atomic():
            size = min(CHUNK, count - start)
            queue(SendCommunicationJob(new_id(), "EMAIL") for _ in range(size))
    rate = count / (time.perf_counter() - begun)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE procrastinate_jobs")
    return rate


def work(queue: str, *, until: threading.Event) -> None:
    """A worker as `trackcenter worker` runs it, until this happens."""
    from procrastinate.contrib.django import app

    async def run() -> None:
        connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
        with app.replace_connector(connector) as live:
            async with live.open_async():
                worker = asyncio.create_task(
                    live.run_worker_async(
                        queues=[queue],
                        concurrency=THREADS,
                        install_signal_handlers=False,
                        delete_jobs="successful",
                    )
                )
                while not until.is_set():
                    await asyncio.sleep(0.005)
                worker.cancel()
                with suppress(asyncio.CancelledError):
                    await worker

    asyncio.run(run())


def postgres(waiting: int, jobs: int, counting: Callable[[int], Counter]) -> dict[str, float]:
    counter = counting(jobs)
    work(TOPIC, until=counter.reached)
    return {"worked": counter.per_second, "bare": skip_locked(waiting, jobs)}


def skip_locked(waiting: int, jobs: int) -> float:
    import psycopg

    url = os.environ["TRACKCENTER_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bare")
        connection.execute("CREATE TABLE bare (id bigserial PRIMARY KEY, args jsonb NOT NULL)")
        connection.execute(
            "INSERT INTO bare (args) SELECT jsonb_build_object('communicationId', gen_random_uuid()"
            ", 'channel', 'EMAIL') FROM generate_series(1, %s)",
            [waiting],
        )
        connection.execute("ANALYZE bare")

    def take(count: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            for _ in range(count):
                connection.execute(
                    "DELETE FROM bare WHERE id = (SELECT id FROM bare ORDER BY id LIMIT 1 "
                    "FOR UPDATE SKIP LOCKED) RETURNING args"
                ).fetchone()

    threads = [threading.Thread(target=take, args=(jobs // THREADS,)) for _ in range(THREADS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return jobs // THREADS * THREADS / (time.perf_counter() - begun)


def service_bus(waiting: int, jobs: int, counting: Callable[[int], Counter]) -> dict[str, float]:
    from trackcenter.queue.publish import RELAY, Relayed
    from trackcenter.queue.servicebus.broker import senders
    from trackcenter.queue.servicebus.receive import Receivers

    carried = counting(waiting)
    send = senders.send

    def counted(topic: str, messages: Sequence[Relayed]) -> None:
        send(topic, messages)
        for _ in messages:
            carried.one()

    with patch.object(senders, "send", counted):
        work(RELAY, until=carried.reached)
    figures = {"relayed": carried.per_second}
    senders.close()
    receivers = Receivers([TOPIC], concurrency=THREADS, lease=30)
    counter = counting(jobs)
    receivers.start()
    counter.reached.wait()
    receivers.stop()
    receivers.join()
    sent, bare = bare_sdk(waiting, jobs)
    return {**figures, "worked": counter.per_second, "sent": sent, "bare": bare}


def bare_sdk(waiting: int, jobs: int) -> tuple[float, float]:
    from azure.servicebus import ServiceBusClient, ServiceBusMessage

    body = json.dumps({"communicationId": "0198f0c0-0000-7000-8000-000000000000"}).encode()
    address = os.environ["TRACKCENTER_SERVICEBUS_CONNECTION_STRING"]
    with ServiceBusClient.from_connection_string(address) as client:
        with client.get_topic_sender(BARE_TOPIC) as sender:
            begun = time.perf_counter()
            for start in range(0, waiting, 200):
                batch = sender.create_message_batch()
                for number in range(start, min(start + 200, waiting)):
                    batch.add_message(ServiceBusMessage(body, message_id=f"{begun}-{number}"))
                sender.send_messages(batch)
            sent = waiting / (time.perf_counter() - begun)
        with client.get_subscription_receiver(BARE_TOPIC, "worker") as receiver:
            begun, done = time.perf_counter(), 0
            while done < jobs:
                for message in receiver.receive_messages(2 * THREADS, max_wait_time=1):
                    receiver.complete_message(message)
                    done += 1
            return sent, done / (time.perf_counter() - begun)


def a_row(place: Place, kind: str, waiting: int, jobs: int) -> dict[str, float]:
    from tests.servicebus.standin import running_stand_in

    with running_stand_in() as bus:
        environment = {
            **place.environment,
            "TRACKCENTER_LOG_LEVEL": "ERROR",
            "TRACKCENTER_QUEUE": kind,
            "TRACKCENTER_SERVICEBUS_CONNECTION_STRING": bus.connection_string,
        }
        command = [sys.executable, "-m", "benchmarks.queue", "--inside", kind]
        command += ["--waiting", str(waiting), "--jobs", str(jobs)]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    row: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return row


def main() -> None:
    """Measure and print a line a queue and number of waiting jobs."""
    parser = argparse.ArgumentParser(prog="trackcenter bench queue", description=__doc__)
    parser.add_argument("--inside", choices=["postgres", "servicebus"], help=argparse.SUPPRESS)
    parser.add_argument("--waiting", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--jobs", type=int, default=1_000, help="worked of those that wait")
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(inside(options.inside, options.waiting[0], options.jobs)))
        return
    with a_place() as place:
        print(f"jobs a second; {options.jobs:,} worked by {THREADS} threads")
        for kind in ("postgres", "servicebus"):
            for waiting in options.waiting:
                row: dict[str, Any] = a_row(place, kind, waiting, options.jobs)
                words = "  ".join(f"{name} {rate:8,.0f}" for name, rate in row.items())
                ratio = row["worked"] / row["bare"]
                print(f"  {kind:<10} {waiting:>7,} waiting  {words}  worked/bare {ratio:.2f}×")


if __name__ == "__main__":
    main()
