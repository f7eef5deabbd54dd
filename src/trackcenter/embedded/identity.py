"""Who PostgreSQL runs as: it refuses root, and its initdb refuses a user without a name.

An ordinary user runs it as themself. Root runs it as the owner of the data folder; where that is
root too, inside a user namespace in which root goes by an ordinary user's number; where the
kernel forbids namespaces (many containers), as an existing unprivileged account.
"""

import ctypes
import os
import pwd
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trackcenter.embedded.errors import EmbeddedError

ACCOUNTS = ("postgres", "nobody")

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1

# Loaded before any fork: a child between fork and exec should not search for libraries.
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Myself:
    """The ordinary user that runs this."""

    uid: int
    gid: int

    def become(self) -> None:
        """Nothing to do."""

    def __str__(self) -> str:
        return f"user {self.uid}"


@dataclass(frozen=True)
class Namespace:
    """This very user, going by another number in a user namespace of its own.

    Files made inside belong to `uid` outside; root's power over other people's files is gone.
    """

    uid: int
    gid: int
    inside_uid: int
    inside_gid: int

    def become(self) -> None:
        """Enter the namespace; the next exec drops every capability. Raises OSError."""
        if _libc.unshare(CLONE_NEWUSER) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        # The kernel wants setgroups given up before it lets the group map be written.
        for name, line in (
            ("setgroups", "deny"),
            ("uid_map", f"{self.inside_uid} {self.uid} 1"),
            ("gid_map", f"{self.inside_gid} {self.gid} 1"),
        ):
            Path("/proc/self", name).write_text(line)

    def __str__(self) -> str:
        return f"user {self.inside_uid} of a user namespace"


@dataclass(frozen=True)
class Account:
    """An existing account root may turn into."""

    uid: int
    gid: int
    name: str

    def become(self) -> None:
        """Give up root for good. Raises OSError."""
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)

    def __str__(self) -> str:
        return f"account {self.name}"


Identity = Myself | Namespace | Account


def choose(folder: Path, account: str | None = None) -> Identity:
    """Who is to run PostgreSQL on this folder; `account` asks for one account (root only).

    Raises EmbeddedError when PostgreSQL can run as nobody here.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        if account is not None:
            raise EmbeddedError(
                f"Only root can let PostgreSQL run as another account ('{account}')."
            )
        if _name(uid) is not None:
            return Myself(uid, gid)
        # A bare number, as in `docker run --user 12345`: initdb insists on a name.
        namespace = _namespace(uid, gid)
        if namespace is not None:
            return namespace
        raise EmbeddedError(
            f"User number {uid} has no entry in /etc/passwd, which PostgreSQL's initdb needs; "
            "add one, run as another user, or set TRACKCENTER_DATABASE_URL to a PostgreSQL "
            "server of your own."
        )
    if account is not None:
        chosen = _account(account)
        if chosen is None:
            raise EmbeddedError(
                f"PostgreSQL cannot run as the account '{account}': it does not exist here, is "
                "root, or may not be used."
            )
        return chosen
    owner = _name(folder.stat().st_uid)
    if owner is not None and owner != _name(0):
        chosen = _account(owner)
        if chosen is not None:
            return chosen
    namespace = _namespace(uid, gid)
    if namespace is not None:
        return namespace
    for name in ACCOUNTS:
        chosen = _account(name)
        if chosen is not None:
            return chosen
    raise EmbeddedError(
        "PostgreSQL refuses to run as root, this system allows no user namespace, and neither "
        f"{' nor '.join(ACCOUNTS)} can be used instead: run as an ordinary user, or set "
        "TRACKCENTER_DATABASE_URL to a PostgreSQL server of your own."
    )


def before_exec(identity: Identity, signal_with_parent: signal.Signals) -> Callable[[], None]:
    """What a child does between fork and exec: become the identity and die with its parent.

    Only for a parent with one thread, which the supervisor is.
    """
    parent = os.getpid()

    def prepare() -> None:
        identity.become()
        # Last, since the kernel forgets it when the user changes. Linux only; elsewhere the next
        # supervisor ends what an old one left behind.
        if hasattr(_libc, "prctl"):
            _libc.prctl(PR_SET_PDEATHSIG, int(signal_with_parent), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def can_enter(identity: Identity, path: Path) -> bool:
    """Whether the identity can reach a folder or file, by the mode of everything on its way."""
    path = path.resolve()
    for step in (path, *path.parents):
        mode = step.stat()
        if mode.st_uid == identity.uid:
            allowed = mode.st_mode & 0o100
        elif mode.st_gid == identity.gid:
            allowed = mode.st_mode & 0o010
        else:
            allowed = mode.st_mode & 0o001
        if not allowed:
            return False
    return True


def _name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _account(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    if entry.pw_uid == 0:
        return None
    account = Account(entry.pw_uid, entry.pw_gid, name)
    return account if _works(account) else None


def _namespace(uid: int, gid: int) -> Namespace | None:
    if not hasattr(_libc, "unshare"):
        return None
    # Any named user but root will do; 65534 is also what the kernel shows for unmapped owners.
    for entry in pwd.getpwall():
        if entry.pw_uid not in (0, 65534):
            namespace = Namespace(uid, gid, entry.pw_uid, entry.pw_gid)
            return namespace if _works(namespace) else None
    return None


def _works(identity: Namespace | Account) -> bool:
    """Try it in a child that does nothing else: permission depends on kernel and container."""
    child = os.fork()
    if child == 0:
        try:
            identity.become()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
