"""Copying every blob of one place to another, each verified at both ends.

Nothing at the target is ever written over, and a blob appears there whole or not at all; so a copy
that was interrupted is simply done again, and what is there already is only read. What is copied
may go on being written meanwhile: a second run takes what the first had not seen.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial
from itertools import islice
from pathlib import Path
from urllib.parse import unquote, urlsplit

from trackcenter.kit.errors import Conflict, NotFound
from trackcenter.storage.blobs import BlobStore, is_sound, store_for, verified
from trackcenter.storage.errors import DamagedBlob

_AT_ONCE = 8
_BATCH = 256
_HELD = 4 * 1024 * 1024
"""Bytes; a blob up to this size is read as a whole, a larger one streamed."""

CONTENT_TYPE = "application/octet-stream"
"""A folder keeps no content types, and links say their own."""


class Fate(Enum):
    """What became of one blob."""

    COPIED = "copied"
    THERE = "there already"
    DAMAGED_SOURCE = "damaged at the source: restore it there from a backup"
    DAMAGED_TARGET = "damaged at the target: remove it there, then copy again"


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did. `faults` are blobs that are now not sound at the target, and why."""

    copied: int
    bytes: int
    there: int
    faults: tuple[tuple[str, Fate], ...]


def place_at(url: str, *, must_exist: bool) -> BlobStore:
    """The store of `file:///folder` or `az://account/container`.

    Raises ImproperlyConfigured for what is neither, NotFound for a folder that is not there where
    it must be: opening it would make it.
    """
    parts = urlsplit(url)
    if must_exist and parts.scheme == "file" and not Path(unquote(parts.path)).is_dir():
        raise NotFound(f"there is no folder {unquote(parts.path)}")
    return store_for(url)


def count(source: BlobStore) -> int:
    """How many blobs there are, by listing them."""
    return sum(1 for _ in source.names())


def copy(
    source: BlobStore, target: BlobStore, progress: Callable[[int], None] = lambda _: None
) -> Copied:
    """Copy every blob that is not there yet, and read each back. Makes the target's container.

    Raises OSError (StorageUnavailable among them) when a place fails as such.
    """
    target.prepare()
    copied = there = size = done = 0
    faults: list[tuple[str, Fate]] = []
    names = source.names()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while batch := list(islice(names, _BATCH)):
            fates = _in_parallel(pool, partial(_bring, source, target), batch)
            for (sha256, length), fate in zip(batch, fates, strict=True):
                if fate is Fate.COPIED:
                    copied, size = copied + 1, size + length
                elif fate is Fate.THERE:
                    there += 1
                else:
                    faults.append((sha256, fate))
                done += 1
                progress(done)
    return Copied(copied, size, there, tuple(faults))


def refuse_same(source: str, target: str) -> None:
    """Raises Conflict when both addresses mean the same place."""
    if _plain(source) == _plain(target):
        raise Conflict("source and target are the same place")


def _plain(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return str(Path(unquote(parts.path)).resolve())
    return url.rstrip("/")


def _in_parallel(
    pool: ThreadPoolExecutor,
    bring: Callable[[tuple[str, int]], Fate],
    batch: list[tuple[str, int]],
) -> Iterator[Fate]:
    try:
        yield from pool.map(bring, batch)
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise


def _bring(source: BlobStore, target: BlobStore, named: tuple[str, int]) -> Fate:
    sha256, length = named
    try:
        return Fate.THERE if _reads_sound(target, sha256, length) else Fate.DAMAGED_TARGET
    except FileNotFoundError:
        pass
    if not _put(source, target, sha256, length):
        return Fate.DAMAGED_SOURCE
    return Fate.COPIED if _reads_sound(target, sha256, length) else Fate.DAMAGED_TARGET


def _put(source: BlobStore, target: BlobStore, sha256: str, length: int) -> bool:
    """False when the source's own is damaged; then nothing is written."""
    if length <= _HELD:
        content = source.read(sha256)
        if not is_sound(content, sha256):
            return False
        target.create(sha256, content, content_type=CONTENT_TYPE)
        return True
    try:
        target.receive(verified(source.stream(sha256), sha256), content_type=CONTENT_TYPE)
    except DamagedBlob:
        return False
    return True


def _reads_sound(store: BlobStore, sha256: str, length: int) -> bool:
    """Whether the blob has its hash; read to its end. Raises FileNotFoundError."""
    if length <= _HELD:
        return is_sound(store.read(sha256), sha256)
    try:
        for _ in verified(store.stream(sha256), sha256):
            pass
    except DamagedBlob:
        return False
    return True
