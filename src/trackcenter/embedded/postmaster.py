"""One run of PostgreSQL's main process, and the end of whatever an earlier run left behind."""

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from trackcenter.embedded.cluster import SETTINGS, environment
from trackcenter.embedded.home import Address, Home, private_folder, wait_for
from trackcenter.embedded.identity import Identity, before_exec
from trackcenter.embedded.programs import Programs

# Below the range from which systems take the ports of outgoing connections: an application that
# keeps knocking while PostgreSQL restarts must not be given PostgreSQL's own port.
PORTS = range(20000, 32000)

# Time, process and session of a line in the log.
PREFIX = re.compile(r"^[-\d]+ [:.\d]+ UTC \[\d+\] (\S+@\S* )?")


class Postmaster:
    """A started `postgres`, child of this process."""

    def __init__(
        self, programs: Programs, cluster: Path, address: Address, identity: Identity, home: Home
    ) -> None:
        """Start it, its messages going to the home's log; SIGINT reaches it when we die."""
        self._cluster = cluster
        self._log = home.postgres_log
        log = home.open_log(self._log)
        self._log_from = os.fstat(log).st_size
        options = SETTINGS | {
            "port": str(address.port),
            "unix_socket_directories": f'"{address.socket_folder}"',
        }
        self._process = subprocess.Popen(
            [
                programs.path("postgres"),
                "-D",
                str(cluster),
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(),
            cwd=cluster.parent,
            start_new_session=True,
            preexec_fn=before_exec(identity, signal.SIGINT),
        )
        os.close(log)

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def running(self) -> bool:
        """Whether it has not ended; an ended one is reaped by this."""
        return self._process.poll() is None

    def accepts_connections(self) -> bool:
        """Whether it says so itself, in the eighth line of its lock file."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def stop(self, patience: float = 60) -> None:
        """End it, if it has not ended: sessions are cut off, everything committed is on disk.

        After `patience` seconds it is killed, which costs the next start a recovery, no data.
        """
        for request, seconds in ((signal.SIGINT, patience), (signal.SIGQUIT, 5.0)):
            self._process.send_signal(request)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
                return
        self._process.kill()
        self._process.wait()

    def last_words(self) -> str:
        """The messages of this run that say why it ended."""
        with self._log.open("rb") as file:
            file.seek(self._log_from)
            lines = file.read().decode(errors="replace").splitlines()
        fatal = [
            number for number, line in enumerate(lines) if "FATAL: " in line or "PANIC: " in line
        ]
        # The line before says what was wrong, when it was a setting; the one after may be a hint.
        telling = lines[max(fatal[0] - 1, 0) : fatal[0] + 2] if fatal else lines[-3:]
        return " ".join(PREFIX.sub("", line) for line in telling)


def end_leftovers(cluster: Path, address: Address | None) -> None:
    """End every process of an earlier run on this data directory and wait until it is gone.

    A postmaster that outlived its supervisor stops in order; server processes that outlived their
    postmaster still hold its shared memory, which a new one must not meet. The caller holds the
    supervisor's lock, so nobody else starts anything here.
    """
    for request, seconds in ((signal.SIGINT, 60.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 10.0)):
        postmaster = _recorded_postmaster(cluster)
        left = processes_of(cluster)
        if not left:
            break
        if request == signal.SIGINT and postmaster not in left:
            # Without their postmaster they end by themselves, or never.
            continue
        targets = [postmaster] if request == signal.SIGINT else left
        for pid in targets:
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, request)
        if wait_for(lambda: None if processes_of(cluster) else True, seconds):
            break
    if not processes_of(cluster):
        # The number in its lock files may by now be a zombie nobody collects, or another
        # program's: PostgreSQL would take either for a living postmaster.
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        if address is not None:
            name = f".s.PGSQL.{address.port}"
            for file in (f"{name}.lock", name):
                Path(address.socket_folder, file).unlink(missing_ok=True)


def processes_of(cluster: Path) -> list[int]:
    """Living processes of PostgreSQL that work in this data directory.

    They all have it as working directory. Without /proc (macOS) only the recorded postmaster can
    be found.
    """
    proc = Path("/proc")
    if not (proc / "self").exists():
        recorded = _recorded_postmaster(cluster)
        return [] if recorded is None or not _exists(recorded) else [recorded]
    found = []
    for entry in proc.iterdir():
        if entry.name.isdecimal():
            try:
                same = (entry / "cwd").samefile(cluster)
                name = (entry / "comm").read_text().strip()
            except OSError:
                continue  # gone, a zombie, or somebody else's
            if same and name == "postgres":
                found.append(int(entry.name))
    return found


def find_address(place: Path, identity: Identity, last: Address | None) -> Address:
    """Where to listen: as last time when that is still free, else a free port.

    The socket goes to `place`/run; to a new private folder in the system's temporary folder when
    the path is too long for a socket (107 bytes) or the file system has none.
    """
    port = last.port if last is not None and _free(last.port) else _free_port()
    folder = place / "run"
    folder.mkdir(mode=0o700, exist_ok=True)
    _give(folder, identity)
    if not _holds_sockets(folder):
        folder = Path(last.socket_folder) if last is not None else folder
        if (
            not private_folder(folder)
            or folder.stat().st_uid != identity.uid
            or not _holds_sockets(folder)
        ):
            folder = Path(tempfile.mkdtemp(prefix="trackcenter-"))
            _give(folder, identity)
    return Address(port, str(folder))


def _give(path: Path, identity: Identity) -> None:
    if os.geteuid() == 0:
        os.chown(path, identity.uid, identity.gid, follow_symlinks=False)


def _holds_sockets(folder: Path) -> bool:
    trial = folder / ".s.PGSQL.trial"  # as long as PostgreSQL's own name
    trial.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(str(trial))
        except OSError:
            return False
    trial.unlink()
    return True


def _free_port() -> int:
    chosen = secrets.SystemRandom()
    while True:
        port = chosen.choice(PORTS)
        if _free(port):
            return port


def _free(port: int) -> bool:
    with socket.socket() as listener:
        # As PostgreSQL does: connections of the last run that still fade away do not matter.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _recorded_postmaster(cluster: Path) -> int | None:
    try:
        first = (cluster / "postmaster.pid").read_text().partition("\n")[0]
    except FileNotFoundError:
        return None
    return int(first) if first.isdecimal() else None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
