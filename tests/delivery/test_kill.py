"""The crash test: workers die in the middle of a batch, PostgreSQL too, and nobody notices.

The full length is run by hand: KILL_TEST_UNITS=1000 makes 2,000 messages and twenty kills of it.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.installation import Installation, a_billing_file, installation, until
from trackcenter.queue.publish import TASKS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

UNITS = int(os.environ.get("KILL_TEST_UNITS", "40"))
TOTAL = 2 * UNITS
KILLS = max(4, UNITS // 50)
FAULTS = {"rate429": 0.02, "rate503": 0.01, "lostReply": 0.02, "seed": 7}
"""Of the requests; each message takes several, and waits longer after each failure."""


@pytest.fixture(scope="module")
def place() -> Iterator[Installation]:
    """An installation with a batch for each test, and provider trouble."""
    with installation() as made:
        made.run("import", str(a_billing_file(made.data, UNITS, buildings=2)))
        made.sandbox.set_faults(**FAULTS)
        yield made


def sent(place: Installation) -> int:
    # Of a text message that says nothing for minutes one asks, in a long run.
    statuses = place.statuses()
    return statuses.get("SENT", 0) + statuses.get("DELIVERED", 0)


def assert_each_message_left_once(place: Installation, total: int, *, pending: int) -> None:
    statuses = place.statuses()
    assert sent(place) == total
    assert statuses.pop("PENDING", 0) == pending
    assert set(statuses) <= {"SENT", "DELIVERED"}
    accepted = Counter(message["idempotencyKey"] for message in place.sandbox.messages())
    attempts = {str(row[0]) for row in place.query("SELECT id FROM communication_attempts")}
    assert set(accepted) == attempts
    assert set(accepted.values()) == {1}
    assert len(attempts) == total
    # A periodic run that was cut off is not repeated: the next one comes anyway.
    dead = """
        SELECT task_name, args FROM procrastinate_jobs
        WHERE status = 'failed' AND task_name = ANY(%s)
    """
    assert place.query(dead, list(TASKS)) == []
    assert "OK:" in place.run("audit", "verify").stdout


def test_a_worker_killed_again_and_again_sends_every_message_once(place: Installation) -> None:
    chance = random.Random(11)
    place.run("send", "--building", "B1", "--year", "2025")
    worker = place.start("worker")
    try:
        for kill in range(1, KILLS + 1):
            # Somewhere within each such part of the batch, so that every kill hits work.
            share = (kill - chance.random()) * 0.95 * TOTAL / KILLS
            until(lambda share=share: sent(place) >= share, seconds=120, what="progress")
            worker.kill()
            worker.wait()
            worker = place.start("worker")
        until(lambda: sent(place) == TOTAL, seconds=300, what="all to be sent")
    finally:
        worker.terminate()
        worker.wait(30)
    assert_each_message_left_once(place, TOTAL, pending=TOTAL)


def test_restarting_postgresql_in_the_middle_of_a_batch_loses_nothing(place: Installation) -> None:
    place.run("send", "--building", "B2", "--year", "2025")
    with place.running("worker") as worker:
        for quarter in (1, 2, 3):
            share = TOTAL + quarter * TOTAL / 4
            until(lambda share=share: sent(place) >= share, seconds=120, what="progress")
            place.server.restart()
        until(lambda: sent(place) == 2 * TOTAL, seconds=300, what="all to be sent")
        assert worker.poll() is None
    assert_each_message_left_once(place, 2 * TOTAL, pending=0)
