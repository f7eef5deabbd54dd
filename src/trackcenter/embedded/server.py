"""What a caller gets: a running PostgreSQL on a folder, shared with every other caller.

Addresses are `postgresql://role:password@127.0.0.1:port/database`: loopback TCP with a password
(SCRAM), because every driver and every user of the machine who was given the password can use
them; the socket in `socket_folder` serves the supervisor. Port and passwords stay the same for
the life of the folder (a port taken by somebody else meanwhile is replaced at the next start).
"""

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trackcenter.embedded.errors import EmbeddedError
from trackcenter.embedded.home import (
    APPLICATION,
    DATABASE,
    OWNER,
    POLL,
    SUPERUSER,
    Home,
    Lock,
    State,
    private_folder,
    wait_for,
)

# Long enough for the recovery of a crashed database with much to redo.
PATIENCE = 900.0
WATCH = 1.0

log = logging.getLogger(__name__)


class Server:
    """One use of the embedded PostgreSQL; it runs at least until `release`.

    A use ends with its process, however that ends. While it lasts, a killed PostgreSQL and a
    killed supervisor are both started again within seconds, on the same address; open
    connections break and have to be made anew.
    """

    def __init__(self, home: Home, use: Lock, account: str | None) -> None:
        """For `acquire`, which has created the home and taken the lock of its users."""
        self._home = home
        self._use = use
        self._account = account
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._released = threading.Event()
        state = self._ensure(time.monotonic() + PATIENCE)
        passwords = home.secrets()
        if passwords is None:
            raise EmbeddedError(f"{home.folder / 'secrets.json'} is missing: put the file back.")
        self.port = state.port
        self.socket_folder = Path(state.socket_folder)
        self.superuser_url = self._url(SUPERUSER, passwords.superuser)
        self.owner_url = self._url(OWNER, passwords.owner)
        self.app_url = self._url(APPLICATION, passwords.application)
        self._watcher = threading.Thread(
            target=self._watch, name="embedded-postgres-watcher", daemon=True
        )
        self._watcher.start()

    @property
    def postmaster_pid(self) -> int:
        """The process number of PostgreSQL, 0 while it is starting."""
        state = self._home.state()
        return 0 if state is None else state.postmaster

    @property
    def supervisor_pid(self) -> int:
        """The process number of the supervisor, 0 while there is none."""
        state = self._home.state()
        return 0 if state is None else state.supervisor

    def restart(self) -> None:
        """Stop PostgreSQL in order and return when it answers again, at the same address.

        Every connection of every user breaks, as in an upgrade of a database server. Raises
        EmbeddedError when it does not come back.
        """
        deadline = time.monotonic() + PATIENCE
        before = self._ensure(deadline)
        os.kill(before.postmaster, signal.SIGINT)
        while True:
            state = self._ensure(deadline)
            if (state.supervisor, state.starts) != (before.supervisor, before.starts):
                return
            time.sleep(POLL)

    def release(self) -> None:
        """End this use; the last one waits until PostgreSQL and its supervisor are gone.

        Calling it again does nothing.
        """
        if self._released.is_set():
            return
        self._released.set()
        self._watcher.join()
        self._use.close()
        _wait_until_stopped(self._home)
        if self._supervisor is not None:
            self._supervisor.poll()

    def _url(self, role: str, password: str) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    def _ensure(self, deadline: float) -> State:
        """See to it that a supervisor lives and says ready. Raises EmbeddedError."""
        crashes = 0
        while time.monotonic() < deadline:
            unsupervised = self._home.lock(self._home.supervisor_lock, exclusive=False)
            if unsupervised is None:
                state = self._home.state()
                if state is not None and state.status == "ready":
                    return state
            else:
                # What a dead one said is void; under this lock no other can be speaking. Only the
                # failure of the one we started is news.
                state = self._home.state()
                self._home.clear_state()
                unsupervised.close()
                code = None if self._supervisor is None else self._supervisor.poll()
                if self._supervisor is None or code is not None:
                    if state is not None and state.status == "failed" and code == 1:
                        self._supervisor = None
                        raise EmbeddedError(state.error)
                    crashes += self._supervisor is not None
                    if crashes > 3:
                        break
                    self._supervisor = self._start_supervisor()
            time.sleep(POLL)
        raise EmbeddedError(
            f"The embedded PostgreSQL does not start; {self._home.supervisor_log} and "
            f"{self._home.postgres_log} say why."
        )

    def _start_supervisor(self) -> subprocess.Popen[bytes]:
        source = str(Path(__file__).parents[2])
        inherited = os.environ.get("PYTHONPATH")
        command = [sys.executable, "-m", "trackcenter.embedded.supervisor", str(self._home.folder)]
        if self._account is not None:
            command.append(f"--account={self._account}")
        messages = self._home.open_log(self._home.supervisor_log)
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=messages,
                stderr=messages,
                # Not the caller's folder, which would stay busy as long as the database runs.
                cwd=self._home.folder,
                env=os.environ
                | {"PYTHONPATH": source if not inherited else os.pathsep.join((source, inherited))},
                start_new_session=True,
            )
        finally:
            os.close(messages)

    def _watch(self) -> None:
        """Replace a supervisor that was killed while this use lasts."""
        pause = WATCH
        while not self._released.wait(pause):
            unsupervised = self._home.lock(self._home.supervisor_lock, exclusive=False)
            if unsupervised is None:
                pause = WATCH
                continue
            unsupervised.close()
            log.warning("the supervisor of %s is gone; starting another", self._home.folder)
            try:
                self._ensure(time.monotonic() + PATIENCE)
            except EmbeddedError as problem:
                pause = min(pause * 2, 30.0)
                log.error("%s; trying again in %.0f s", problem, pause)


def acquire(data: Path, *, account: str | None = None) -> Server:
    """Use the PostgreSQL in `data`/postgres, starting it, or making it, when need be.

    `account` names the account PostgreSQL shall run as when root starts it, instead of the
    choice described in `identity.py`. Any number of processes may do this on one folder; they
    must run as the same user. Raises EmbeddedError with a sentence for the user.
    """
    home = Home.below(data)
    home.create()
    # Busy while a supervisor without users is stopping.
    use = wait_for(lambda: home.lock(home.users_lock, exclusive=False), PATIENCE)
    if use is None:
        raise EmbeddedError(
            f"PostgreSQL in {home.folder} does not stop; {home.supervisor_log} says more."
        )
    try:
        return Server(home, use, account)
    except BaseException:
        use.close()
        raise


@contextmanager
def running(data: Path, *, account: str | None = None) -> Iterator[Server]:
    """Use the PostgreSQL in `data`/postgres for the length of a `with` block; see `acquire`."""
    server = acquire(data, account=account)
    try:
        yield server
    finally:
        server.release()


def discard(data: Path) -> None:
    """Delete the database in `data`/postgres, wherever its files are. No way back.

    Raises EmbeddedError while somebody uses it.
    """
    home = Home.below(data)
    if not home.folder.exists():
        return
    _wait_until_stopped(home)
    alone = home.lock(home.users_lock, exclusive=True)
    if alone is None:
        raise EmbeddedError(f"The database in {home.folder} is in use; stop its users first.")
    place, address = home.place(), home.address()
    if address is not None:
        sockets = Path(address.socket_folder)
        if not sockets.is_relative_to(place) and private_folder(sockets):
            for name in (f".s.PGSQL.{address.port}", f".s.PGSQL.{address.port}.lock"):
                (sockets / name).unlink(missing_ok=True)
            sockets.rmdir()
    if place != home.folder:
        shutil.rmtree(place)
        with suppress(OSError):  # others may have theirs beside it
            place.parent.rmdir()
    shutil.rmtree(home.folder)
    alone.close()


def _wait_until_stopped(home: Home) -> None:
    """Wait for the supervisor to end, unless there are users, for whom it stays."""

    def settled() -> bool | None:
        unsupervised = home.lock(home.supervisor_lock, exclusive=False)
        if unsupervised is not None:
            unsupervised.close()
            return True
        alone = home.lock(home.users_lock, exclusive=True)
        if alone is not None:
            alone.close()
            return None
        # Somebody holds it: users share it, a stopping supervisor does not.
        shared = home.lock(home.users_lock, exclusive=False)
        if shared is None:
            return None
        shared.close()
        return True

    wait_for(settled, PATIENCE)
