"""A whole installation for a test: its own data folder and PostgreSQL, a sandbox, real processes.

Everything is started as an operator starts it, through the command line.
"""

import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.sandbox.fixture import RunningSandbox, running_sandbox
from trackcenter import embedded
from trackcenter.config.environment import PREFIX
from trackcenter.embedded import programs
from trackcenter.sandbox.options import ACS_ACCESS_KEY, CLIENT_ID, CLIENT_SECRET, TENANT_ID

MAILBOX = "billing@example.org"
SECRET = "event-grid-secret"
CLIENT_STATE = "client-state-of-the-tests"


class Installation:
    """One data folder, its settings, and ways to run commands on it."""

    def __init__(self, data: Path, server: embedded.Server, sandbox: RunningSandbox) -> None:
        self.data = data
        self.server = server
        self.sandbox = sandbox
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        settings = {
            "DATA": str(data),
            "LEASE_SECONDS": "3",
            "LOG_LEVEL": "INFO",
            "SENDER_NAME": "Test Landlord",
            "SENDER_ADDRESS": "Teststr. 1, 10115 Berlin",
            "EMAIL_PROVIDER": "msgraph",
            "GRAPH_BASE_URL": f"{sandbox.url}/v1.0",
            "GRAPH_AUTHORITY": sandbox.url,
            "GRAPH_TENANT_ID": TENANT_ID,
            "GRAPH_CLIENT_ID": CLIENT_ID,
            "GRAPH_CLIENT_SECRET": CLIENT_SECRET,
            "GRAPH_MAILBOX": MAILBOX,
            "GRAPH_CLIENT_STATE": CLIENT_STATE,
            "ACS_ENDPOINT": sandbox.url,
            "ACS_ACCESS_KEY": ACS_ACCESS_KEY,
            "SMS_FROM": "+4930567890",
            "EVENTGRID_SECRETS": SECRET,
        }
        self.environment = {**kept, **{f"{PREFIX}{name}": word for name, word in settings.items()}}

    def run(
        self, *arguments: str, check: bool = True, typed: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, with what somebody types into it."""
        done = subprocess.run(
            [sys.executable, "-m", "trackcenter.cli", *arguments],
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if check and done.returncode:
            raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def make_admin(self, name: str, password: str) -> None:
        """An administrator who signs in with a password."""
        arguments = ("createadmin", "--username", name, "--password-stdin")
        self.run(*arguments, typed=f"{password}\n")

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command; the caller ends it."""
        with (self.data / f"{arguments[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "trackcenter.cli", *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @contextmanager
    def running(self, *arguments: str) -> "Iterator[subprocess.Popen[bytes]]":
        """Have a command run meanwhile."""
        process = self.start(*arguments)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @contextmanager
    def serving(self, port: int = 0) -> Iterator[str]:
        """Have the web server run meanwhile; gives its address."""
        port = port or free_port()
        url = f"http://127.0.0.1:{port}"
        with self.running("serve", "--port", str(port)):
            until(lambda: _ready(url), seconds=60, what="the web server")
            yield url

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database, as its superuser."""
        for _ in range(2):
            try:
                return self._asking().execute(sql.encode(), values).fetchall()
            except psycopg.OperationalError:
                # Restarted since the last question.
                self._forget_connection()
        return self._asking().execute(sql.encode(), values).fetchall()

    def _asking(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """One connection for all questions: those who wait ask five times a second."""
        if self._connection is None:
            self._connection = psycopg.connect(self.server.superuser_url, autocommit=True)
        return self._connection

    def _forget_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def statuses(self) -> dict[str, int]:
        """How many communications stand in each status."""
        rows = self.query("SELECT delivery_status, count(*) FROM communications GROUP BY 1")
        return dict(rows)

    def log(self, command: str) -> str:
        """What a command wrote."""
        return (self.data / f"{command}.log").read_text(errors="replace")


@contextmanager
def installation(*, speed: float = 20, empty: bool = False) -> Iterator[Installation]:
    """An installation without data; its processes' logs lie in the data folder.

    An `empty` one has no tables either, as on a new machine.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trackcenter-")))
        server = stack.enter_context(embedded.running(folder))
        sandbox = stack.enter_context(running_sandbox(speed=speed))
        place = Installation(folder, server, sandbox)
        if not empty:
            _make_tables(place)
        yield place


_tables = tempfile.NamedTemporaryFile(prefix="trackcenter-tables-")  # noqa: SIM115 - of the process


def _make_tables(place: Installation) -> None:
    """As `migrate` makes them, which takes seconds: the first in a process migrates, the others
    get a copy of what came of it."""
    database = f"--dbname={place.server.superuser_url}"
    if Path(_tables.name).stat().st_size:
        # With the schema itself, its owner and its rights: they are part of what `migrate` leaves.
        how = ("--clean", "--if-exists", "--exit-on-error", "--single-transaction")
        command = ["pg_restore", *how, database, _tables.name]
    else:
        place.run("migrate")
        command = ["pg_dump", "--format=custom", f"--file={_tables.name}", database]
    program, *arguments = command
    subprocess.run([programs.installed().path(program), *arguments], check=True, timeout=120)


def free_port() -> int:
    """A port of the loopback nobody listens on; below those that the system gives to whoever asks
    for any, so that it stays free until it is used."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            port = random.randrange(10_000, 20_000)
            probe.bind(("127.0.0.1", port))
            return port


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def until(condition: Callable[[], Any], *, seconds: float, what: str, pause: float = 0.2) -> Any:
    """Wait until something is true and give it back; fail after so many seconds."""
    ends = time.monotonic() + seconds
    waiting = threading.Event()
    while not (value := condition()):
        if time.monotonic() > ends:
            raise AssertionError(f"waited {seconds} s for {what}")
        waiting.wait(pause)
    return value


def a_billing_file(
    folder: Path, units: int, *, channels: str = "EMAIL+SMS", buildings: int = 1
) -> Path:
    """A CSV with one year of B1, B2 and so on, and in each so many units with these channels."""
    lines = ["building,building_name,year,unit,recipient,email,phone,country,language,channels"]
    lines += [
        f"B{building},House {building},2025,{number},Resident {number},"
        f"resident.{number}.of.{building}@example.org,+49176{40690000 + number * 10 + 5},"
        f"DE,{'de' if number % 2 else 'en'},{channels}"
        for building in range(1, buildings + 1)
        for number in range(1, units + 1)
    ]
    file = folder / "bills.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file
