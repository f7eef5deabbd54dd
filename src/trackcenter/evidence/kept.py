"""Seals that are kept outside the database, which the log must still contain.

One is this machine's own, a file beside the keys: whoever may do everything in the database cannot
reach it, so seals that vanish there are missed here. It is written after the seal is committed; it
may be behind the database by some seals, and is ahead of it only when the database lost some. Each
machine has its own. Others are kept by people, as `audit seal` printed them or a bundle holds them.
"""

import logging
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from trackcenter.evidence.notes import (
    Checkpoint,
    NotSigned,
    VerifierKey,
    open_note,
    read_checkpoint,
)
from trackcenter.kit.errors import TrackCenterError

FILE = "newest_seal"
"""In `DATA/keys`. No backup holds it: it would be put back beside a database older than it."""

log = logging.getLogger(__name__)


class LogChanged(TrackCenterError):
    """The log in the database is not the one that was sealed. Nothing is sealed over it."""

    status = 503
    title = "The log is not the one that was sealed"


@dataclass(frozen=True, slots=True)
class KeptSeal:
    """What a seal said (`size` events have this root), and the file that it is kept in."""

    path: Path
    size: int
    root: bytes


def own_seal() -> KeptSeal | None:
    """The newest seal that this machine knows of. Raises `LogChanged` when it cannot be read.

    Read it before the database is asked: a seal made in between is then in both.
    """
    path = _path()
    try:
        note = path.read_text(encoding="utf-8")
        said = _said(note)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        raise LogChanged(
            f"{path}, the newest seal that this machine knows of, cannot be read: {problem}. "
            f"{mend(path)}"
        ) from problem
    return KeptSeal(path, said.size, said.root)


def read_seal(path: Path, keys: Iterable[VerifierKey]) -> KeptSeal:
    """A seal that somebody kept. Raises ValueError unless one of these keys signed it."""
    try:
        # It may have travelled by mail or clipboard, which change the ends of lines.
        note = path.read_text(encoding="utf-8").strip() + "\n"
        said = read_checkpoint(open_note(note, keys))
    except (OSError, NotSigned) as problem:
        raise ValueError(str(problem)) from problem
    return KeptSeal(path, said.size, said.root)


def keep(note: str) -> None:
    """Keep a seal that is committed in this machine's file, unless a later one is there."""
    path = _path()
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        before = own_seal()
        if before and before.size >= _said(note).size:
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except (OSError, LogChanged) as problem:
        # The seal stands, and the file is only behind: the next one is kept again.
        log.warning("the newest seal is not kept in a file", extra={"why": str(problem)})


def mend(path: Path) -> str:
    """What to do about a log that is not the one this machine knows of."""
    return (
        "If the database was restored from a backup or begun anew on purpose, move "
        f"{path} away, and keep it: it shows what was sealed before. If not, events or seals were "
        "removed: the operations guide says what then (Audit)."
    )


def _path() -> Path:
    return settings.DATA / "keys" / FILE


def _said(note: str) -> Checkpoint:
    """What a note of our own says, whoever signed it. Raises ValueError."""
    return read_checkpoint(note.rpartition("\n\n")[0] + "\n")
