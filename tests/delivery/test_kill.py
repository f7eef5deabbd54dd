"""The crash test: workers die in the middle of a batch, PostgreSQL too, and nobody notices.

The full length is run by hand: KILL_TEST_UNITS=1000 makes 2,000 messages and twenty kills of it.
"""

import os
import random
from collections import Counter

import pytest

from tests.installation import Installation, a_billing_file, installation, until

UNITS = int(os.environ.get("KILL_TEST_UNITS", "60"))
KILLS = max(7, UNITS // 50)
FAULTS = {"rate429": 0.05, "rate503": 0.03, "lostReply": 0.03, "seed": 7}


def prepare(place: Installation) -> int:
    """Import and queue a batch under provider trouble; says how many messages it has."""
    place.run("import", str(a_billing_file(place.data, UNITS)))
    place.sandbox.set_faults(**FAULTS)
    place.run("send", "--building", "B1", "--year", "2025")
    return 2 * UNITS


def sent(place: Installation) -> int:
    return place.statuses().get("SENT", 0)


def assert_each_message_left_once(place: Installation, total: int, *, pending: int = 0) -> None:
    statuses = place.statuses()
    # Of a text message that says nothing for minutes one asks, in a long run.
    statuses["SENT"] += statuses.pop("DELIVERED", 0)
    assert statuses == {"SENT": total} | ({"PENDING": pending} if pending else {})
    accepted = Counter(message["idempotencyKey"] for message in place.sandbox.messages())
    attempts = {str(row[0]) for row in place.query("SELECT id FROM communication_attempts")}
    assert set(accepted) == attempts
    assert set(accepted.values()) == {1}
    assert len(attempts) == total
    assert place.query("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'") == [(0,)]
    assert "OK:" in place.run("audit", "verify").stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_worker_killed_again_and_again_sends_every_message_once() -> None:
    chance = random.Random(11)
    with installation() as place:
        total = prepare(place)
        worker = place.start("worker")
        try:
            for kill in range(1, KILLS + 1):
                # Somewhere within each such part of the batch, so that every kill hits work.
                share = (kill - chance.random()) * 0.95 * total / KILLS
                until(lambda share=share: sent(place) >= share, seconds=120, what="progress")
                worker.kill()
                worker.wait()
                worker = place.start("worker")
            until(lambda: sent(place) == total, seconds=300, what="all to be sent")
        finally:
            worker.terminate()
            worker.wait(30)
        assert_each_message_left_once(place, total)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_restarting_postgresql_in_the_middle_of_a_batch_loses_nothing() -> None:
    with installation() as place:
        total = prepare(place)
        with place.running("worker") as worker:
            for quarter in (1, 2, 3):
                until(
                    lambda share=quarter * total / 4: sent(place) >= share,
                    seconds=120,
                    what="progress",
                )
                place.server.restart()
            until(lambda: sent(place) == total, seconds=300, what="all to be sent")
            assert worker.poll() is None
        assert_each_message_left_once(place, total)
