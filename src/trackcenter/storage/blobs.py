"""Save and open blobs by the SHA-256 of their content (FIPS 180-4), wherever they are kept."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from trackcenter.kit.errors import NotFound
from trackcenter.storage.azure import AzureBlobs, account_at
from trackcenter.storage.errors import DamagedBlob
from trackcenter.storage.local import LocalBlobs
from trackcenter.storage.sas import Grant

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PROBE = b"Track Center storage probe\n"


class BlobStore(Protocol):
    """What a place for blobs must do.

    Absent blobs are FileNotFoundError; a full disk is OSError, a store out of reach the
    StorageUnavailable among them.
    """

    def create(self, sha256: str, content: bytes, *, content_type: str) -> bool: ...
    def replace(self, sha256: str, content: bytes, *, content_type: str) -> None: ...
    def receive(self, chunks: Iterable[bytes], *, content_type: str) -> str: ...
    def size(self, sha256: str) -> int: ...
    def read(self, sha256: str) -> bytes: ...
    def stream(self, sha256: str) -> Iterable[bytes]: ...
    def names(self) -> Iterator[tuple[str, int]]: ...
    def prepare(self) -> bool: ...
    def address(self, sha256: str, grant: Grant) -> str | None: ...


def store_for(url: str) -> BlobStore:
    """The store of a `STORAGE_URL`. Raises ImproperlyConfigured, naming the setting."""
    parts = urlsplit(url)
    if parts.scheme == "az":
        return _azure(url)
    if parts.scheme != "file":
        raise ImproperlyConfigured(
            f"TRACKCENTER_STORAGE_URL: {parts.scheme or url!r} is no kind of storage known here; "
            "write file:///folder or az://account/container"
        )
    folder = Path(unquote(parts.path))
    if parts.netloc not in ("", "localhost") or not folder.is_absolute():
        raise ImproperlyConfigured(
            f"TRACKCENTER_STORAGE_URL: {url!r} must name a folder from the root: file:///folder"
        )
    try:
        return LocalBlobs(folder)
    except OSError as error:
        raise ImproperlyConfigured(
            f"TRACKCENTER_STORAGE_URL: {folder} cannot be used: {error.strerror}"
        ) from error


def _azure(url: str) -> BlobStore:
    account = account_at(url, *_azure_settings())
    if account is None:
        raise ImproperlyConfigured(
            f"TRACKCENTER_STORAGE_URL: {url!r} must be az://account/container"
        )
    return AzureBlobs(account)


def _azure_settings() -> tuple[str | None, str | None, str | None]:
    return (
        settings.AZURE_STORAGE_ENDPOINT,
        settings.AZURE_STORAGE_KEY,
        settings.AZURE_STORAGE_IDENTITY,
    )


@lru_cache
def _opened(url: str, *_changed: str | None) -> tuple[BlobStore, int]:
    return store_for(url), os.getpid()


def _store() -> BlobStore:
    """The configured store.

    obstore's threads do not survive a fork, and a call in the child would wait for ever; so the
    child is told instead.
    """
    url = settings.STORAGE_URL
    store, process = _opened(url, *(_azure_settings() if url.startswith("az:") else ()))
    if process != os.getpid():
        raise RuntimeError("storage was used before this process was forked: spawn it instead")
    return store


def prepare() -> bool:
    """Make the place of the configured store if it is not there; True when it was made.

    A folder is made by whoever uses it first; a container of Azure Blob is made here alone.
    Raises StorageUnavailable.
    """
    return _store().prepare()


def save(content: bytes, *, content_type: str) -> str:
    """Keep the content and return its SHA-256 in hex; on return it is kept for good.

    The same content again changes nothing, unless what is stored turns out to be damaged: then
    it is made whole. Raises OSError when it cannot be written.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    store = _store()
    if not store.create(sha256, content, content_type=content_type) and not is_sound(
        store.read(sha256), sha256
    ):
        store.replace(sha256, content, content_type=content_type)
    return sha256


def save_stream(chunks: Iterable[bytes], *, content_type: str) -> str:
    """Keep what comes, in bounded memory, and return its SHA-256 in hex; on return it is kept.

    Nothing is seen under the hash before the last chunk is there: when `chunks` raises, or this
    process dies, it is as if it had never begun. The same content again changes nothing, as with
    `save`. Raises OSError when it cannot be written, and whatever `chunks` raises.
    """
    return _store().receive(chunks, content_type=content_type)


def open_blob(sha256: str) -> bytes:
    """The whole content. Raises NotFound, or DamagedBlob when it is not what was saved."""
    try:
        content = _store().read(_checked(sha256))
    except FileNotFoundError as error:
        raise _absent(sha256) from error
    if not is_sound(content, sha256):
        raise DamagedBlob(sha256)
    return content


def open_stream(sha256: str) -> Iterator[bytes]:
    """The content in chunks of about a megabyte, for what is too large to hold.

    Raises NotFound at once. The last chunk is given out only when the whole has proved sound, so
    a reader never takes a damaged file for a complete one: DamagedBlob comes instead of its end.
    """
    try:
        chunks = _store().stream(_checked(sha256))
    except FileNotFoundError as error:
        raise _absent(sha256) from error
    return verified(chunks, sha256)


def size(sha256: str) -> int:
    """Bytes of the stored content. Raises NotFound."""
    try:
        return _store().size(_checked(sha256))
    except FileNotFoundError as error:
        raise _absent(sha256) from error


def exists(sha256: str) -> bool:
    """Whether there is a blob of that hash; whether it is sound, only reading it tells."""
    try:
        size(sha256)
    except NotFound:
        return False
    return True


def address(sha256: str, grant: Grant) -> str | None:
    """Where the store itself opens the blob until the grant's end; None if it has no addresses."""
    return _store().address(_checked(sha256), grant)


def check_writable() -> None:
    """For readiness checks: write and read something small. Raises OSError or DamagedBlob."""
    open_blob(save(_PROBE, content_type="text/plain"))


def verified(chunks: Iterable[bytes], sha256: str) -> Iterator[bytes]:
    """The chunks, the last one only if the whole has that hash; else DamagedBlob comes instead."""
    digest = hashlib.sha256()
    held: bytes | None = None
    for chunk in chunks:
        digest.update(chunk)
        if held is not None:
            yield held
        held = chunk
    if digest.hexdigest() != sha256:
        raise DamagedBlob(sha256)
    if held is not None:
        yield held


def is_sound(content: bytes, sha256: str) -> bool:
    """Whether the content is what its name says."""
    return hashlib.sha256(content).hexdigest() == sha256


def _checked(sha256: str) -> str:
    """A hash is also a path below the store, so nothing else may pass."""
    if not _SHA256.fullmatch(sha256):
        raise _absent(sha256)
    return sha256


def _absent(sha256: str) -> NotFound:
    return NotFound(f"there is no stored file {sha256!r}")
