"""The crash test of both queues: workers are killed, connections cut, PostgreSQL restarted, and
every message leaves once.

A short form in the suite; QUEUE_TEST_UNITS=2500 makes 5,000 messages of it for each queue.
"""

import os
import random
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.delivery.test_kill import assert_each_message_left_once
from tests.installation import Installation, a_billing_file, installation, until
from tests.servicebus.standin import StandIn, running_stand_in
from trackcenter.config.environment import PREFIX

UNITS = int(os.environ.get("QUEUE_TEST_UNITS", "20"))
TOTAL = 2 * UNITS
WORKERS = 3
KILLS = max(3, UNITS // 40)
PATIENCE = max(60.0, UNITS / 2)
LOCK_SECONDS = 3
BUILDINGS = {"postgres": "B1", "servicebus": "B2"}


@pytest.fixture(scope="module")
def place() -> Iterator[Installation]:
    """An installation with a batch for each queue."""
    with installation() as made:
        made.run("import", str(a_billing_file(made.data, UNITS, buildings=len(BUILDINGS))))
        yield made


@contextmanager
def queue_of(kind: str, place: Installation) -> Iterator[StandIn | None]:
    """The one setting that differs, and what belongs to it."""
    if kind == "postgres":
        yield None
        return
    with running_stand_in(lockSeconds=LOCK_SECONDS) as bus:
        place.environment[f"{PREFIX}QUEUE"] = "servicebus"
        place.environment[f"{PREFIX}SERVICEBUS_CONNECTION_STRING"] = bus.connection_string
        yield bus


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", BUILDINGS)
def test_every_message_leaves_once_whatever_dies(kind: str, place: Installation) -> None:
    chance = random.Random(5)

    def sent() -> int:
        rows = place.query(
            "SELECT count(*) FROM communications JOIN buildings ON buildings.id = building_id "
            "WHERE delivery_status IN ('SENT', 'DELIVERED') AND code = %s",
            BUILDINGS[kind],
        )
        return int(rows[0][0])

    def progressed(share: float) -> None:
        until(lambda: sent() >= share * TOTAL, seconds=PATIENCE, what=f"{share:.0%} to be sent")

    before = place.statuses()
    with queue_of(kind, place) as bus, ExitStack() as stack:
        workers = [place.start("worker") for _ in range(WORKERS)]
        stack.callback(lambda: [worker.kill() for worker in workers])
        place.run("send", "--building", BUILDINGS[kind], "--year", "2025")
        for kill in range(1, KILLS + 1):
            # Somewhere within each part of the batch, so that every kill hits work.
            progressed((kill - chance.random()) * 0.9 / KILLS)
            victim = chance.randrange(WORKERS)
            workers[victim].kill()
            workers[victim].wait()
            workers[victim] = place.start("worker")
            if kill == (KILLS + 1) // 2:
                place.server.restart()
            if bus and kill in (1, KILLS - 1):
                # Those that just lost PostgreSQL may be on their way back.
                until(bus.cut, seconds=PATIENCE, what="a connection to cut", pause=0.05)
        progressed(1)
        if bus:
            until(lambda: settled(bus), seconds=PATIENCE, what="empty topics")
            assert bus.counts("dead") == {}
        until(lambda: nothing_waits(place), seconds=PATIENCE, what="an empty queue")
        for worker in workers:
            worker.terminate()
        for worker in workers:
            # The one that was started last may not have got as far as listening for signals.
            assert worker.wait(30) in (0, -signal.SIGTERM)
    expected = sum(before.values()) - before["PENDING"] + TOTAL
    assert_each_message_left_once(place, expected, pending=before["PENDING"] - TOTAL)


def settled(bus: StandIn) -> bool:
    return not bus.counts("ready") and not bus.counts("locked")


def nothing_waits(place: Installation) -> bool:
    """Nothing to send, nor to carry to the Service Bus."""
    waiting = place.query(
        "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = ANY(%s)",
        ["email", "sms", "relay"],
    )
    return waiting == [(0,)]
