"""The export worker dies at any moment, and the file is there once, whole."""

import csv
import hashlib
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
import python_calamine

from benchmarks.filling import fill
from tests.installation import Installation, installation, until

COMMUNICATIONS = int(os.environ.get("KILL_TEST_ROWS", "30000"))
KILLS = 2
LONGEST = {"csv": 0.08, "xlsx": 0.8}
"""Seconds from the beginning to the kill; the whole takes a few times as long."""

ASK = """
import sys
from trackcenter.cli.start import application
with application():
    from trackcenter.access.actor import actor_of
    from trackcenter.access.models import User
    from trackcenter.exports.services import request_export
    print(request_export(actor_of(User.objects.get()), {}, sys.argv[1]).id)
"""


def ask_for(place: Installation, kind: str) -> str:
    command = [sys.executable, "-c", ASK, kind]
    asked = subprocess.run(
        command, env=place.environment, check=True, capture_output=True, text=True
    )
    return asked.stdout.strip()


def export_row(place: Installation, export_id: str) -> tuple[Any, ...]:
    (row,) = place.query(
        "SELECT status, starts, row_count, sha256 FROM communication_exports WHERE id = %s",
        export_id,
    )
    return row


def kill_in_the_middle(place: Installation, export_id: str, start: int, after: float) -> bool:
    """Whether it was in time."""
    worker = place.start("worker")
    until(
        lambda: export_row(place, export_id)[1] == start,
        seconds=60,
        what=f"start {start}",
        pause=0.005,
    )
    threading.Event().wait(after)
    worker.kill()
    worker.wait()
    return bool(export_row(place, export_id)[0] == "RUNNING")


def files_in(place: Installation) -> set[Path]:
    return {path for path in (place.data / "files").rglob("*") if path.is_file()}


def units_in(file: Path, kind: str) -> list[tuple[str, str, str]]:
    if kind == "csv":
        with file.open(encoding="utf-8-sig", newline="") as text:
            return [tuple(row[:3]) for row in csv.reader(text)][1:]
    sheet = python_calamine.load_workbook(str(file)).get_sheet_by_index(0)
    return [tuple(row[:3]) for row in sheet.to_python()][1:]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_export_ends_ready_once_with_every_row() -> None:
    chance = random.Random(5)
    with installation() as place:
        with psycopg.connect(place.server.superuser_url) as database:
            fill(database.cursor(), COMMUNICATIONS)
        expected = place.query(
            """
            SELECT b.code, u.number, c.channel FROM communications AS c
            JOIN units AS u ON u.id = c.unit_id JOIN buildings AS b ON b.id = c.building_id
            ORDER BY b.code COLLATE "C", u.sort_key COLLATE "C", c.channel
            """
        )
        before, written = files_in(place), set()
        for kind in ("csv", "xlsx"):
            export_id = ask_for(place, kind)
            starts = 1
            while starts <= KILLS and kill_in_the_middle(
                place, export_id, starts, chance.random() * LONGEST[kind]
            ):
                starts += 1
            assert starts > 1, "never killed in time"
            with place.running("worker"):
                until(
                    lambda wanted=export_id: export_row(place, wanted)[0] == "READY",
                    seconds=60,
                    what="the file",
                )
            _, ended_in, row_count, sha256 = export_row(place, export_id)
            assert ended_in == starts
            file = place.data / "files" / sha256[:2] / sha256[2:4] / sha256
            written.add(file)
            assert hashlib.sha256(file.read_bytes()).hexdigest() == sha256
            assert row_count == COMMUNICATIONS
            assert units_in(file, kind) == expected
        # Nothing else lies about: two files, no half ones.
        assert files_in(place) - before == written
        assert list((place.data / "scratch").iterdir()) == []
