"""The places that pass the contract, each with a way in past our own door."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import obstore
from obstore.store import AzureStore

from tests.storage.azurite import Azurite
from trackcenter.storage.keys import key


class Place(Protocol):
    """Where blobs are kept, looked at from behind."""

    settings: dict[str, str]

    def names(self) -> list[str]:
        """Every blob that can be seen, by its path."""
        ...

    def raw(self, sha256: str) -> bytes: ...
    def damage(self, sha256: str, content: bytes) -> None: ...
    def remove(self, sha256: str) -> None: ...
    def written(self, sha256: str) -> object:
        """Different when it was written again."""
        ...


class Folder:
    """A folder of the local disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings = {"STORAGE_URL": path.as_uri()}

    def names(self) -> list[str]:
        files = (path for path in self.path.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.path)) for path in files)

    def raw(self, sha256: str) -> bytes:
        return (self.path / key(sha256)).read_bytes()

    def damage(self, sha256: str, content: bytes) -> None:
        (self.path / key(sha256)).write_bytes(content)

    def remove(self, sha256: str) -> None:
        (self.path / key(sha256)).unlink()

    def written(self, sha256: str) -> object:
        seen = (self.path / key(sha256)).stat()
        return seen.st_ino, seen.st_mtime_ns, seen.st_nlink


class Container:
    """A new container of a real Azurite."""

    def __init__(self, azurite: Azurite) -> None:
        self.url = azurite.container()
        self.azurite = azurite
        self.settings = azurite.settings(self.url)
        self.store: AzureStore = azurite.opened(self.url)

    def names(self) -> list[str]:
        return self.azurite.names(self.url)

    def raw(self, sha256: str) -> bytes:
        return bytes(obstore.get(self.store, key(sha256)).bytes())

    def damage(self, sha256: str, content: bytes) -> None:
        obstore.put(self.store, key(sha256), content)

    def remove(self, sha256: str) -> None:
        obstore.delete(self.store, key(sha256))

    def written(self, sha256: str) -> object:
        return obstore.head(self.store, key(sha256))["e_tag"]

    def content_type(self, sha256: str) -> str:
        return str(obstore.get(self.store, key(sha256)).attributes["Content-Type"])


def chunks_of(content: bytes, size: int = 1_000_000) -> Iterator[bytes]:
    """A content piece by piece."""
    for start in range(0, len(content), size):
        yield content[start : start + size]
