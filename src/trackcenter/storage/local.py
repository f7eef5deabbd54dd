"""Blobs on the local disk, in folders fanned out by hash."""

import contextlib
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore

from trackcenter.storage.keys import hash_at, key
from trackcenter.storage.sas import Grant

CHUNK = 1024 * 1024
ARRIVING = "arriving"
"""The folder of streams whose end, and so whose hash, is not yet known."""


class LocalBlobs:
    """A folder of blobs, each under its SHA-256.

    obstore writes beside the name (`…#1`) and links the finished file to it, so a process killed
    in the middle leaves nothing under a hash. It does not wait for the disk; that is done here,
    because an event that names a blob may be committed right after.
    """

    def __init__(self, folder: Path) -> None:
        # Bills are personal data: the folder is nobody else's to list.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._store = LocalStore(folder)

    def create(self, sha256: str, content: bytes, *, content_type: str) -> bool:  # noqa: ARG002
        """Write once; False when there is a blob of that name already. OSError if the disk fails.

        `content_type` is for stores that keep one with the blob; a folder has no place for it.
        """
        try:
            obstore.put(self._store, key(sha256), content, mode="create")
        except AlreadyExistsError:
            self._flush(sha256)  # its writer may not have come to this yet
            return False
        except BaseError as error:
            raise _disk_error(error) from error
        self._flush(sha256)
        return True

    def replace(self, sha256: str, content: bytes, *, content_type: str) -> None:  # noqa: ARG002
        """Put sound content in the place of a damaged blob, in one step."""
        try:
            obstore.put(self._store, key(sha256), content, mode="overwrite")
        except BaseError as error:
            raise _disk_error(error) from error
        self._flush(sha256)

    def receive(self, chunks: Iterable[bytes], *, content_type: str) -> str:  # noqa: ARG002
        """Write a stream and give its SHA-256; its name appears when the whole is on the disk.

        Passes on what `chunks` raises, and OSError if the disk fails; either leaves nothing.
        """
        digest = hashlib.sha256()
        with self._arriving() as (file, path):
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
            sha256 = digest.hexdigest()
            place = self._folder / key(sha256)
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, place)
            except FileExistsError:
                if _hash_of(place) != sha256:
                    path.replace(place)
        self._flush(sha256)
        return sha256

    @contextlib.contextmanager
    def _arriving(self) -> Iterator[tuple[BinaryIO, Path]]:
        """A new file that is gone afterwards, and first everything that dead writers left.

        A writer holds its file locked, and the system lets go of a dead one's lock: what can be
        locked is nobody's any more.
        """
        folder = self._folder / ARRIVING
        folder.mkdir(mode=0o700, exist_ok=True)
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError, BlockingIOError), path.open("rb") as left:
                fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
        file, path = _new_file(folder)
        with file:
            try:
                yield file, path
            finally:
                path.unlink(missing_ok=True)

    def size(self, sha256: str) -> int:
        """Bytes of the blob. Raises FileNotFoundError."""
        return int(obstore.head(self._store, key(sha256))["size"])

    def read(self, sha256: str) -> bytes:
        """The whole blob. Raises FileNotFoundError."""
        return bytes(obstore.get(self._store, key(sha256)).bytes())

    def stream(self, sha256: str) -> Iterable[bytes]:
        """The blob in chunks of about a megabyte. Raises FileNotFoundError at once."""
        stream = obstore.get(self._store, key(sha256)).stream(min_chunk_size=CHUNK)
        return (bytes(chunk) for chunk in stream)

    def names(self) -> Iterator[tuple[str, int]]:
        """Every whole blob: its hash, and its length in bytes. Raises OSError."""
        try:
            for batch in obstore.list(self._store, chunk_size=1000):
                for item in batch:
                    if sha256 := hash_at(item["path"]):
                        yield sha256, int(item["size"])
        except BaseError as error:
            raise _disk_error(error) from error

    def prepare(self) -> bool:
        """A folder is there since it was opened."""
        return False

    def address(self, sha256: str, grant: Grant) -> None:  # noqa: ARG002
        """A folder has no addresses of its own."""
        return

    def _flush(self, sha256: str) -> None:
        """Wait until the file and its name, in each folder above it, are on the disk."""
        path = self._folder / key(sha256)
        for place in (path, path.parent, path.parent.parent, self._folder):
            descriptor = os.open(place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _new_file(folder: Path) -> tuple[BinaryIO, Path]:
    """A new file, open and locked."""
    while True:
        path = folder / secrets.token_hex(16)
        file = path.open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file, path
        # Swept up by somebody in the instant before it was locked.
        file.close()


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _disk_error(error: BaseError) -> OSError:
    """obstore's own errors say the same as the system's, followed by pages of debug text."""
    return OSError(str(error).partition("\n")[0])
