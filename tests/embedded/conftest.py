"""Users of an embedded PostgreSQL in processes of their own, and a look at what is left of them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trackcenter import embedded
from trackcenter.embedded.home import wait_for
from trackcenter.embedded.identity import Account, Identity, can_enter

HERE = Path(__file__).parent
SOURCE = Path(embedded.__file__).parents[2]

# What only root can do is tested by root; everything else by whoever runs the tests.
collect_ignore = [] if os.geteuid() == 0 else ["test_as_root.py"]


class User:
    """A process that uses a database until told to finish, or killed."""

    def __init__(
        self,
        data: Path,
        account: str | None = None,
        *,
        before: list[str] | None = None,
        identity: Identity | None = None,
    ) -> None:
        python, script = sys.executable, HERE / "one_user.py"
        path = [str(SOURCE), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        if identity is not None and not can_enter(identity, Path(python)):
            # The environment's interpreter may lie in a home nobody else can enter.
            python = shutil.which("python3", path="/usr/local/bin:/usr/bin") or python
            path += [p for p in sys.path if p.endswith("site-packages")]
        self.process = subprocess.Popen(
            [*(before or []), python, str(script), str(data), *([account] if account else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path)},
            text=True,
            process_group=0,
            preexec_fn=None if identity is None else identity.become,
        )

    def says(self) -> dict[str, Any]:
        """The next line it prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        said: dict[str, Any] = json.loads(line)
        return said

    def finish(self) -> dict[str, Any]:
        """Let it release the database and end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        said = self.says()
        assert self.process.wait(20) == 0
        return said

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start_user() -> Iterator[Callable[..., User]]:
    """Start users; those still there at the end of the test are killed."""
    started: list[User] = []

    def start(*arguments: Any, **options: Any) -> User:
        user = User(*arguments, **options)
        started.append(user)
        return user

    yield start
    for user in started:
        if user.process.poll() is None:
            user.kill()
        for stream in (user.process.stdin, user.process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


@pytest.fixture(scope="session")
def shared_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("embedded")
    with embedded.running(folder):
        pass
    yield folder
    assert wait_for(lambda: _discarded(folder), 15)


@pytest.fixture
def data(shared_data: Path, start_user: Callable[..., User]) -> Iterator[Path]:
    """A data folder with a database that others have used before and that nobody uses now."""
    yield shared_data
    with embedded.running(shared_data) as server, psycopg.connect(server.superuser_url) as admin:
        admin.execute("DROP TABLE IF EXISTS kept")


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Path]:
    """A data folder without a database; one made meanwhile is gone after the test."""
    folder = tmp_path / "data"
    yield folder
    # Users that a test killed are noticed by the supervisor within moments.
    assert wait_for(lambda: _discarded(folder), 15)


def _discarded(folder: Path) -> bool | None:
    try:
        embedded.discard(folder)
    except embedded.EmbeddedError:
        return None
    return True


def alive(pid: int) -> bool:
    """Whether a process still runs; one that ended and was not collected yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """Wait until a process has ended; False when it does not within ten seconds."""
    return lambda pid: wait_for(lambda: None if alive(pid) else True, 10) is not None


@pytest.fixture
def query() -> Callable[..., list[tuple[Any, ...]]]:
    """Run one statement in a new connection, waiting while the server is being restarted."""

    def run(url: str, statement: str) -> list[tuple[Any, ...]]:
        def attempt() -> list[tuple[Any, ...]] | None:
            try:
                connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
            except psycopg.OperationalError:
                return None
            with connection:
                cursor = connection.execute(statement)
                return cursor.fetchall() if cursor.description else []

        rows = wait_for(attempt, 20)
        assert rows is not None, f"no connection to {url}"
        return rows

    return run


@pytest.fixture
def nobody() -> Account:
    """The account every system has for programs without rights."""
    return Account(65534, 65534, "nobody")
