"""Which database it is, and that it does not answer, is said in words; services wait for it."""

import inspect
import io
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from rich.console import Console

from tests.installation import free_port, until
from trackcenter.cli import commands, start
from trackcenter.kit.ids import new_id

PASSWORD = "not-to-be-repeated"


@pytest.fixture
def away(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine whose database is not up yet."""
    url = f"postgresql://track:{PASSWORD}@127.0.0.1:{free_port()}/bills"
    return {
        **os.environ,
        "TRACKCENTER_DATA": str(tmp_path),
        "TRACKCENTER_DATABASE_URL": url,
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "trackcenter.cli", *arguments]


def test_a_command_ends_with_a_sentence(away: dict[str, str]) -> None:
    done = subprocess.run(
        command("audit", "verify"), env=away, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert said.startswith("The database does not answer: the database bills on 127.0.0.1. Check")
    assert "Traceback" not in said
    assert PASSWORD not in said


@pytest.mark.parametrize("name", ["worker", "serve"])
def test_a_service_waits_and_sigterm_ends_it(
    away: dict[str, str], name: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        service = subprocess.Popen(command(name), env=away, stdout=file, stderr=file)
    try:
        until(lambda: "Waiting" in log.read_text(), seconds=60, what="the sentence")
        with pytest.raises(subprocess.TimeoutExpired):
            service.wait(1.5)  # one more try, of which it says nothing
        service.send_signal(signal.SIGTERM)
        assert service.wait(2) == -signal.SIGTERM
    finally:
        service.kill()
        service.wait()
    said = log.read_text()
    assert said.count("does not answer") == 1
    assert "Traceback" not in said
    assert PASSWORD not in said


@pytest.mark.django_db
def test_the_database_that_comes_late_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    name, said = f"late-{new_id()}", io.StringIO()
    known = connection.get_connection_params()
    where = {key: known.get(key) for key in ("host", "port", "user", "password", "dbname")}
    monkeypatch.setattr(start, "console", Console(file=said, width=1000))
    monkeypatch.setitem(connection.settings_dict, "NAME", name)

    def make() -> None:
        until(lambda: "Waiting" in said.getvalue(), seconds=30, what="the sentence")
        with psycopg.connect(**where, autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())

    maker = threading.Thread(target=make)
    maker.start()
    try:
        start.reach(wait=True)
    finally:
        maker.join(30)
        with psycopg.connect(**where, autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}"'.encode())
    assert said.getvalue().endswith("The database answers.\n")
    assert said.getvalue().count("does not answer") == 1


@pytest.mark.django_db
def test_createadmin_says_in_which_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a long phrase of words\n"))
    inspect.unwrap(commands.createadmin)(username="anna", password_stdin=True)
    known = settings.DATABASES["default"]
    where = f"Kept in the database {known['NAME']} on {known['HOST']}."
    assert capsys.readouterr().out == f"anna can sign in now. {where}\n"


def test_the_embedded_database_is_known_by_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment = replace(settings.ENVIRONMENT, database_url=None)
    monkeypatch.setattr(settings, "ENVIRONMENT", environment)
    monkeypatch.setattr(settings, "DATA", tmp_path)
    assert start.place() == f"the embedded database in {tmp_path}"
