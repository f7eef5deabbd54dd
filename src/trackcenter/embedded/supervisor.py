"""The process that keeps one PostgreSQL alive: `python -m trackcenter.embedded.supervisor HOME`.

Started by the first user of a folder, in a session of its own, so that Ctrl-C in a terminal does
not reach it. It starts PostgreSQL again when that dies, and ends, with PostgreSQL, when the last
user is gone. When it is killed itself, the kernel tells PostgreSQL to stop, and the next user (or
a present one, see `server.py`) starts another supervisor.
"""

import argparse
import logging
import os
import secrets
import select
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Literal

from trackcenter.embedded import cluster, programs
from trackcenter.embedded.errors import EmbeddedError
from trackcenter.embedded.home import Home, Lock, Secrets, State, wait_for
from trackcenter.embedded.identity import Account, can_enter, choose
from trackcenter.embedded.postmaster import Postmaster, end_leftovers, find_address

# For root, when PostgreSQL cannot be let into the data folder.
ELSEWHERE = Path("/var/lib/trackcenter-postgres")

LOOK_AROUND = 0.2
RECOVERY = 900.0
ATTEMPTS = 5

log = logging.getLogger("trackcenter.embedded")


class Supervisor:
    """One supervisor's life, from lock to last user."""

    def __init__(self, home: Home, lock: Lock, account: str | None) -> None:
        self._home = home
        self._lock = lock
        self._starts = 0
        self._ended = False
        self._wake, wake_up = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake_up, False)
        signal.set_wakeup_fd(wake_up, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGCHLD, self._woken)
        self._say("starting")
        self._identity = choose(home.folder, account)
        self._place = self._find_place()
        self._cluster = self._place / "cluster"
        self._tools = programs.installed()
        self._version = self._tools.version()
        self._programs = programs.reachable(self._tools, self._identity, self._place, self._version)
        self._secrets = self._prepare_cluster()
        self._address = find_address(self._place, self._identity, home.address())
        home.write_address(self._address)

    def run(self) -> None:
        """Keep PostgreSQL running until the last user is gone or SIGTERM comes."""
        log.info("PostgreSQL %s as %s on %s", self._version, self._identity, self._cluster)
        postmaster = self._start()
        alone: Lock | None = None
        while alone is None and not self._ended:
            self._rest(LOOK_AROUND)
            # Kept until the end: nobody becomes a user of a server that is stopping.
            alone = self._home.lock(self._home.users_lock, exclusive=True)
            if alone is None and not postmaster.running():
                log.warning("PostgreSQL ended while in use; starting it again")
                postmaster = self._start()
        log.info("stopping: %s", "asked to" if alone is None else "no user is left")
        postmaster.stop()

    def _start(self) -> Postmaster:
        """Start PostgreSQL and wait until it answers, at most through a long recovery."""
        self._say("starting")
        reason = ""
        for attempt in range(ATTEMPTS):
            end_leftovers(self._cluster, self._address)
            postmaster = Postmaster(
                self._programs, self._cluster, self._address, self._identity, self._home
            )
            if self._answers(postmaster):
                self._starts += 1
                self._say("ready", postmaster.pid)
                return postmaster
            postmaster.stop()
            reason = postmaster.last_words()
            log.warning("PostgreSQL did not start: %s", reason)
            wait_for(lambda: self._ended or None, 0.1 * 2**attempt)
        raise EmbeddedError(
            f"PostgreSQL does not start: {reason} (more in {self._home.postgres_log})"
        )

    def _answers(self, postmaster: Postmaster) -> bool:
        def ready() -> bool | None:
            if not postmaster.running():
                return False
            return True if postmaster.accepts_connections() else None

        return bool(wait_for(ready, RECOVERY)) and cluster.answers(
            self._tools, self._address, self._secrets
        )

    def _find_place(self) -> Path:
        """The folder for PostgreSQL's own files: the home, or one that its identity can reach."""
        place = self._home.place()
        if os.geteuid() != 0:
            return place
        if isinstance(self._identity, Account) and place.stat().st_uid == 0:
            # Our own folder, to be passed through; what is secret inside has its own mode.
            place.chmod(0o711)
        if can_enter(self._identity, place):
            return place
        if (place / "cluster").exists():
            raise EmbeddedError(
                f"PostgreSQL has to run as {self._identity} here, which cannot reach its data in "
                f"{place}: move the data folder to where other users may pass, for example below "
                "/var/lib."
            )
        elsewhere = ELSEWHERE / secrets.token_hex(8)
        try:
            for folder in (ELSEWHERE, elsewhere):
                folder.mkdir(exist_ok=True)
                folder.chmod(0o711)
        except OSError as problem:
            raise EmbeddedError(
                f"PostgreSQL has to run as {self._identity} here, which can reach neither {place} "
                f"nor {ELSEWHERE} ({problem.strerror}): choose a data folder others may pass."
            ) from problem
        self._home.write_place(elsewhere)
        return elsewhere

    def _prepare_cluster(self) -> Secrets:
        """Make the cluster on the first start; check an existing one. Returns the passwords."""
        passwords = self._home.secrets()
        if self._cluster.exists():
            if passwords is None:
                raise EmbeddedError(
                    f"The passwords of the database in {self._cluster} are missing "
                    f"({self._home.folder / 'secrets.json'}): put the file back."
                )
            cluster.check_version(self._cluster, self._version)
            end_leftovers(self._cluster, self._home.address())
            cluster.hand_to(self._identity, self._cluster, self._home)
        else:
            passwords = passwords or self._home.make_secrets()
            cluster.create(self._place, self._identity, self._programs, passwords)
        return passwords

    def _say(self, status: Literal["starting", "ready"], postmaster: int = 0) -> None:
        address = self._home.address()
        if self._lock.guards(self._home.supervisor_lock):
            self._home.write_state(
                State(
                    status,
                    supervisor=os.getpid(),
                    postmaster=postmaster,
                    port=0 if address is None else address.port,
                    socket_folder="" if address is None else address.socket_folder,
                    starts=self._starts,
                )
            )

    def _rest(self, seconds: float) -> None:
        """Wait, but not longer than until a signal: a child's end is noticed at once."""
        if select.select([self._wake], [], [], seconds)[0]:
            os.read(self._wake, 4096)

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self._ended = True

    def _woken(self, _signal: int, _frame: FrameType | None) -> None:
        """Only here so that the signal reaches the wake-up pipe."""


def main() -> int:
    """Supervise the home named on the command line; 0 also when another one already does."""
    parser = argparse.ArgumentParser(description="Keeps one embedded PostgreSQL alive.")
    parser.add_argument("home", type=Path)
    parser.add_argument("--account", help="as root: the account PostgreSQL shall run as")
    arguments = parser.parse_args()
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    home = Home(arguments.home)
    # Callers look at the lock for an instant, which is not a reason to give up.
    lock = wait_for(lambda: home.lock(home.supervisor_lock, exclusive=True), 2.0)
    if lock is None:
        return 0
    home.clear_state()
    try:
        Supervisor(home, lock, arguments.account).run()
    except EmbeddedError as problem:
        log.error("%s", problem)
        home.write_state(State("failed", supervisor=os.getpid(), error=str(problem)))
        return 1
    if lock.guards(home.supervisor_lock):
        home.clear_state()
    return 0


if __name__ == "__main__":
    sys.exit(main())
