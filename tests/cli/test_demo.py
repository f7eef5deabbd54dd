"""The first thing anybody does: start the demo, look, stop it."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
import urllib3

from tests.installation import free_port, until
from trackcenter.config.environment import PREFIX
from trackcenter.sandbox.options import ACS_ACCESS_KEY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


OF_THIS_YEAR = """
    SELECT count(*) > 300, count(*) FILTER (WHERE delivery_status IN ('PENDING', 'ENQUEUED'))
    FROM communications WHERE year = (SELECT max(year) FROM communications)
"""
STILL_OPEN = """
    SELECT a.recipient
    FROM communications c JOIN communication_attempts a ON a.communication_id = c.id
    WHERE c.channel IN ('EMAIL', 'SMS') AND c.year = (SELECT max(year) FROM communications)
      AND c.delivery_status NOT IN ('DELIVERED', 'OPENED', 'FAILED')
"""
HANDED_OVER = """
    SELECT a.id FROM communication_attempts a
    JOIN communications c ON c.id = a.communication_id
    WHERE a.outcome = 'ACCEPTED' AND a.channel IN ('EMAIL', 'SMS')
      AND c.year = (SELECT max(year) FROM communications)
"""


def start(data: Path, port: int) -> "subprocess.Popen[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return subprocess.Popen(
        [sys.executable, "-m", "trackcenter.cli", "demo", "--port", str(port), "--data", str(data)],
        env=kept,
        stdout=subprocess.DEVNULL,
        stderr=(data.parent / "demo.log").open("w"),
        text=True,
        start_new_session=True,
    )


def facts(data: Path, process: "subprocess.Popen[str]") -> dict[str, str]:
    log = data.parent / "demo.log"

    def read() -> Any:
        assert process.poll() is None, log.read_text()
        return "Track Center is at" in log.read_text() and (data / "demo.json").exists()

    until(read, seconds=90, what="the demo to print its address")
    found: dict[str, str] = json.loads((data / "demo.json").read_text())
    return found


def get(demo: dict[str, str], address: str) -> Any:
    answer = urllib3.request(
        "GET", address, headers={"Authorization": f"Bearer {demo['apiToken']}"}, retries=False
    )
    assert answer.status == 200, answer.data
    return answer.json()


def processes_of(data: Path) -> list[str]:
    """Every process that has the data folder in its command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(data) in line:
                found.append(line)
    return found


def stop(process: "subprocess.Popen[str]", data: Path) -> None:
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does on Ctrl-C
    assert process.wait(60) == 0
    until(lambda: not processes_of(data), seconds=10, what="every process to end")


def messages_of(demo: dict[str, str]) -> set[str]:
    """What the sandbox took, by the key of the attempt; nothing twice."""
    keys = [one["idempotencyKey"] for one in get(demo, f"{demo['sandboxUrl']}/messages")]
    assert Counter(keys).most_common(1)[0][1] == 1
    return set(keys)


def test_the_demo_sends_a_year_of_bills_and_leaves_nothing_behind(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    data.mkdir()
    # Of sixty random secrets one begins with a dash, as options do.
    dashed = {"client_secret": "-dash", "event_grid": "--dash", "client_state": "-d"}
    keys = {**dashed, "acs_access_key": ACS_ACCESS_KEY, "password": "-passwd-of-the-demo"}
    (data / "demo-keys.json").write_text(json.dumps({**keys, "sandbox_port": free_port()}))
    port = free_port()
    demo_process = start(data, port)
    try:
        demo = facts(data, demo_process)
        assert set(demo) == {
            "url", "username", "password", "apiToken", "sandboxUrl", "databaseUrl",
            "adminDatabaseUrl",
        }  # fmt: skip
        with psycopg.connect(demo["adminDatabaseUrl"], autocommit=True) as database:
            until(
                lambda: database.execute(OF_THIS_YEAR).fetchone() == (True, 0),
                seconds=240,
                what="every message of the newest year to be handed over",
            )
            until(
                lambda: all(
                    recipient.startswith("silent") or recipient.endswith("0002")
                    for (recipient,) in database.execute(STILL_OPEN).fetchall()
                ),
                seconds=120,
                what="a final status of everybody but the silent",
            )
            handed_over = {str(id_) for (id_,) in database.execute(HANDED_OVER).fetchall()}
        messages = messages_of(demo)
        assert handed_over <= messages
        buildings = get(demo, f"{demo['url']}/api/track/buildings")["items"]
        assert len(buildings) == 4
        assert all(building["stats"]["readyToPrint"] for building in buildings)
        for role, words in (
            ("databaseUrl", "permission denied"),
            ("adminDatabaseUrl", "append-only"),
        ):
            with (
                psycopg.connect(demo[role]) as connection,
                pytest.raises(psycopg.Error, match=words),
            ):
                connection.execute("UPDATE communication_events SET year = 1999")
    finally:
        stop(demo_process, data)

    # Stopped while the earlier years were leaving, it goes on, and sends nobody a second one.
    again = start(data, port)
    try:
        continued = facts(data, again)
        assert continued["password"] == demo["password"]
        assert messages_of(continued) >= messages
    finally:
        stop(again, data)
