"""SIGTERM ends a server and a worker in order: what they have begun is finished first, and where
there are several, the others carry on."""

import json
import signal
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.installation import Installation, a_billing_file, free_port, installation, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site() -> Iterator[Installation]:
    with installation() as place:
        place.run("import", str(a_billing_file(place.data, 1, channels="EMAIL")))
        yield place


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def waits_for_lock(site: Installation) -> bool:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    return bool(site.query(waiting)[0][0])


def test_a_request_under_way_is_answered_before_the_server_ends(site: Installation) -> None:
    secret = site.run("token", "create", "--username", "robot").stdout.strip()
    port = free_port()
    server = site.start("serve", "--port", str(port))
    answers: list[Any] = []

    def ask() -> None:
        headers = {"Authorization": f"Bearer {secret}"}
        address = f"http://127.0.0.1:{port}/api/track/buildings"
        request = urllib.request.Request(address, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            answers.append((answer.status, json.load(answer)["items"][0]["code"]))

    try:
        until(lambda: listens(port), seconds=60, what="the web server")
        with psycopg.connect(site.server.superuser_url) as blocker:
            blocker.execute("LOCK TABLE buildings IN ACCESS EXCLUSIVE MODE")
            asking = threading.Thread(target=ask)
            asking.start()
            until(lambda: waits_for_lock(site), seconds=20, what="the request at the lock")
            server.send_signal(signal.SIGTERM)
            until(lambda: not listens(port), seconds=20, what="the end of listening")
            assert server.poll() is None, "it waits for the request"
        asking.join(30)
        assert answers == [(200, "B1")]
        assert server.wait(30) == 0
    finally:
        end(server)


def test_a_server_that_is_killed_leaves_no_process_that_goes_on_answering(
    site: Installation,
) -> None:
    port = free_port()
    server = site.start("serve", "--port", str(port))
    try:
        until(lambda: listens(port), seconds=60, what="the web server")
        server.kill()
        server.wait(10)
        until(lambda: not listens(port), seconds=20, what="the end of its processes")
    finally:
        end(server)


def test_a_job_under_way_is_done_before_the_worker_ends(site: Installation) -> None:
    site.run("send", "--building", "B1", "--year", "2025")
    with psycopg.connect(site.server.superuser_url) as blocker:
        # The job's first step waits here, so that the worker is told to stop in the middle of it.
        blocker.execute("LOCK TABLE communication_attempts IN ACCESS EXCLUSIVE MODE")
        worker = site.start("worker")
        try:
            doing = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"
            until(lambda: site.query(doing)[0][0], seconds=60, what="the job to begin")
            until(lambda: waits_for_lock(site), seconds=20, what="the job at the lock")
            worker.send_signal(signal.SIGTERM)
            blocker.rollback()
            assert worker.wait(30) == 0
        finally:
            end(worker)
    assert site.statuses() == {"SENT": 1}
    assert len(site.sandbox.messages()) == 1
    left = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'deliver'"
    assert site.query(left) == [(0,)]


def at_work(site: Installation) -> int:
    """How many workers are listed in the queue; one that starts is not there yet."""
    return int(site.query("SELECT count(*) FROM procrastinate_workers")[0][0])


def test_channels_scale_apart_and_workers_are_replaced_without_loss(site: Installation) -> None:
    units = 25
    bills = a_billing_file(site.data, units)
    bills.write_text(bills.read_text().replace("B1,House 1", "B2,House 2"))
    site.run("import", str(bills))
    site.run("send", "--building", "B2", "--year", "2025")
    before = len(site.sandbox.messages())
    workers = [site.start("worker", "--channel", "EMAIL")]
    try:
        until(lambda: sent(site, "EMAIL") == units, seconds=60, what="the mails")
        assert sent(site, "SMS") == 0
        before_them = at_work(site)
        workers += [site.start("worker"), site.start("worker", "--channel", "SMS")]
        until(lambda: at_work(site) == before_them + 2, seconds=60, what="the two to be there")
        until(lambda: sent(site, "SMS"), seconds=60, what="the first text message")
        # Two are told to stop in the middle of it; the third carries on.
        for worker in workers[:2]:
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(30) for worker in workers[:2]] == [0, 0]
        until(lambda: sent(site, "SMS") == units, seconds=60, what="all text messages")
    finally:
        for worker in workers:
            end(worker)
    accepted = [message["idempotencyKey"] for message in site.sandbox.messages()][before:]
    assert len(accepted) == len(set(accepted)) == 2 * units


def sent(site: Installation, channel: str) -> int:
    """Messages of building B2 that left by one channel."""
    [(count,)] = site.query(
        """
        SELECT count(*) FROM communications JOIN buildings ON buildings.id = building_id
        WHERE buildings.code = 'B2' AND delivery_status = 'SENT' AND channel = %s
        """,
        channel,
    )
    return int(count)


def end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
