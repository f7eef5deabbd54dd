"""Blobs on the local disk, in folders fanned out by hash: `ab/cd/abcd…`."""

import os
from collections.abc import Iterable
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore

CHUNK = 1024 * 1024


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
            obstore.put(self._store, _key(sha256), content, mode="create")
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
            obstore.put(self._store, _key(sha256), content, mode="overwrite")
        except BaseError as error:
            raise _disk_error(error) from error
        self._flush(sha256)

    def size(self, sha256: str) -> int:
        """Bytes of the blob. Raises FileNotFoundError."""
        return int(obstore.head(self._store, _key(sha256))["size"])

    def read(self, sha256: str) -> bytes:
        """The whole blob. Raises FileNotFoundError."""
        return bytes(obstore.get(self._store, _key(sha256)).bytes())

    def stream(self, sha256: str) -> Iterable[bytes]:
        """The blob in chunks of about a megabyte. Raises FileNotFoundError at once."""
        stream = obstore.get(self._store, _key(sha256)).stream(min_chunk_size=CHUNK)
        return (bytes(chunk) for chunk in stream)

    def _flush(self, sha256: str) -> None:
        """Wait until the file and its name, in each folder above it, are on the disk."""
        path = self._folder / _key(sha256)
        for place in (path, path.parent, path.parent.parent, self._folder):
            descriptor = os.open(place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _disk_error(error: BaseError) -> OSError:
    """obstore's own errors say the same as the system's, followed by pages of debug text."""
    return OSError(str(error).partition("\n")[0])


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
