"""The files of one embedded PostgreSQL, all in `<data>/postgres`.

    cluster/          PostgreSQL's own data directory
    run/              its socket (elsewhere when the path is too long for one)
    secrets.json      passwords of the three roles, mode 0600
    address.json      port and socket folder, kept so that addresses survive a restart
    state.json        what the supervisor says about itself; only valid while it lives
    users.lock        every user holds it shared; the supervisor stops when it gets it alone
    supervisor.lock   held by the living supervisor
    postgres.log, supervisor.log

Both locks are flock(2): the kernel drops them with the process, so a user or supervisor that was
killed does not count, whatever its files say.
"""

import fcntl
import json
import os
import secrets
import stat
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeVar

from trackcenter.embedded.errors import EmbeddedError

SUPERUSER = "postgres"
OWNER = "trackcenter_owner"
APPLICATION = "trackcenter"
DATABASE = "trackcenter"

POLL = 0.02

T = TypeVar("T")


@dataclass(frozen=True)
class State:
    """What the supervisor last said: `ready` comes only after PostgreSQL answered SELECT 1."""

    status: Literal["starting", "ready", "failed"]
    supervisor: int
    postmaster: int = 0
    port: int = 0
    socket_folder: str = ""
    starts: int = 0
    error: str = ""


@dataclass(frozen=True)
class Address:
    """Where PostgreSQL listens: 127.0.0.1:`port` and a socket of that number in the folder."""

    port: int
    socket_folder: str


@dataclass(frozen=True)
class Secrets:
    """Passwords of the three roles, made once for each folder."""

    superuser: str
    owner: str
    application: str


class Lock:
    """A flock(2) on a file; released by `close` or by the death of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        """Give the lock up. A forked child that still holds a copy keeps it, rightly."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def guards(self, path: Path) -> bool:
        """Whether `path` is still the locked file, not one made anew after a removal."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), path.stat())
        except FileNotFoundError:
            return False


class Home:
    """The folder of one embedded PostgreSQL and typed access to its small files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.users_lock = folder / "users.lock"
        self.supervisor_lock = folder / "supervisor.lock"
        self.supervisor_log = folder / "supervisor.log"
        self.postgres_log = folder / "postgres.log"

    @classmethod
    def below(cls, data: Path) -> "Home":
        """The home in a data folder; nothing is created."""
        return cls(data.resolve() / "postgres")

    def create(self) -> None:
        """Make the folder, readable by its owner alone; an existing one stays as it is.

        Raises EmbeddedError when this user may not.
        """
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            owner = self.owner()
        except OSError as problem:
            raise EmbeddedError(
                f"The database folder {self.folder} cannot be made ({problem.strerror}); "
                "choose another data folder."
            ) from problem
        if os.geteuid() not in (0, owner):
            raise EmbeddedError(
                f"The database folder {self.folder} belongs to another user (number {owner}); "
                "run as that user or choose another data folder."
            )

    def lock(self, path: Path, *, exclusive: bool) -> Lock | None:
        """Try to lock a file of this home without waiting; None when others hold it."""
        descriptor = self._open(path)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        lock = Lock(descriptor)
        if not lock.guards(path):
            lock.close()
            return None
        return lock

    def state(self) -> State | None:
        """The last state, None when there is none."""
        text = self._read("state.json")
        return None if text is None else State(**json.loads(text))

    def write_state(self, state: State) -> None:
        """Replace the state in one step."""
        self._write("state.json", asdict(state))

    def clear_state(self) -> None:
        """Forget what a supervisor that is gone had said."""
        (self.folder / "state.json").unlink(missing_ok=True)

    def address(self) -> Address | None:
        """Where PostgreSQL listened last time, None before the first."""
        text = self._read("address.json")
        return None if text is None else Address(**json.loads(text))

    def write_address(self, address: Address) -> None:
        """Keep the address for the next start."""
        self._write("address.json", asdict(address))

    def owner(self) -> int:
        """The number of the user the folder belongs to."""
        return self.folder.stat().st_uid

    def place(self) -> Path:
        """The folder with everything PostgreSQL itself reads and writes: usually this one."""
        # Only root puts it elsewhere; root does not follow what somebody else wrote.
        text = self._read("place.json") if self.owner() == 0 else None
        return self.folder if text is None else Path(json.loads(text)["folder"])

    def write_place(self, folder: Path) -> None:
        """Keep where PostgreSQL's own files are, when they cannot be here."""
        self._write("place.json", {"folder": str(folder)})

    def secrets(self) -> Secrets | None:
        """The passwords, None before the first start."""
        text = self._read("secrets.json")
        return None if text is None else Secrets(**json.loads(text))

    def make_secrets(self) -> Secrets:
        """New random passwords, written before any cluster that uses them exists."""
        made = Secrets(*(secrets.token_hex(24) for _ in range(3)))
        self._write("secrets.json", asdict(made))
        return made

    def open_log(self, path: Path) -> int:
        """A descriptor that appends to a log; a log above 10 MB moves aside first."""
        try:
            if path.stat().st_size > 10_000_000:
                path.replace(path.with_suffix(".log.1"))
        except FileNotFoundError:
            pass
        return self._open(path, os.O_WRONLY | os.O_APPEND)

    def _open(self, path: Path, flags: int = os.O_RDWR) -> int:
        try:
            descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except PermissionError as problem:
            raise EmbeddedError(
                f"{path} belongs to another user; run as that user or choose another data folder."
            ) from problem
        if os.geteuid() == 0:
            # Root working in somebody's folder leaves it usable for its owner.
            owner = self.folder.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        return descriptor

    def _read(self, name: str) -> str | None:
        try:
            return (self.folder / name).read_text()
        except FileNotFoundError:
            return None

    def _write(self, name: str, content: dict[str, object]) -> None:
        draft = self.folder / f"{name}.{os.getpid()}"
        descriptor = self._open(draft, os.O_WRONLY | os.O_TRUNC)
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / name)


def wait_for(condition: Callable[[], T | None], seconds: float) -> T | None:
    """Poll until the condition gives something; None when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            return None
        time.sleep(POLL)


def private_folder(path: Path) -> bool:
    """Whether the path is a real folder only its owner can enter."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) and stat.S_IMODE(mode) == 0o700
