"""The first thing anybody does: start the demo, look, stop it."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
import urllib3

from tests.installation import until
from trackcenter.config.environment import PREFIX

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


def test_the_demo_sends_a_year_of_bills_and_leaves_nothing_behind(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    port = free_port()
    demo_process = start(data, port)
    try:
        demo = facts(data, demo_process)
        assert set(demo) == {
            "url", "username", "password", "apiToken", "sandboxUrl", "databaseUrl",
            "adminDatabaseUrl",
        }  # fmt: skip
        open_questions = """
            SELECT a.recipient, c.delivery_status
            FROM communications c JOIN communication_attempts a ON a.communication_id = c.id
            WHERE c.channel IN ('EMAIL', 'SMS') AND c.year = (SELECT max(year) FROM communications)
              AND c.delivery_status NOT IN ('DELIVERED', 'OPENED', 'FAILED')
        """
        with psycopg.connect(demo["adminDatabaseUrl"], autocommit=True) as database:

            def sent() -> bool:
                row = database.execute(
                    "SELECT count(*), count(*) FILTER (WHERE outcome = 'OPEN')"
                    " FROM communication_attempts"
                ).fetchone()
                return row is not None and row[0] > 800 and row[1] == 0

            until(sent, seconds=240, what="every message to be handed over")
            until(
                lambda: all(
                    recipient.startswith("silent") or recipient.endswith("0002")
                    for recipient, _ in database.execute(open_questions).fetchall()
                ),
                seconds=120,
                what="a final status of everybody but the silent",
            )
            handed_over = database.execute(
                "SELECT count(*) FROM communication_attempts"
                " WHERE outcome = 'ACCEPTED' AND channel IN ('EMAIL', 'SMS')"
            ).fetchone()
        messages = Counter(
            message["idempotencyKey"] for message in get(demo, f"{demo['sandboxUrl']}/messages")
        )
        assert set(messages.values()) == {1}
        assert handed_over == (len(messages),)
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

    again = start(data, port)
    try:
        continued = facts(data, again)
        assert continued["password"] == demo["password"]
        assert len(get(continued, f"{continued['sandboxUrl']}/messages")) == len(messages)
    finally:
        stop(again, data)
