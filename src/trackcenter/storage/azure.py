"""Blobs in a container of Azure Blob Storage, each under its SHA-256."""

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import IO, Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import AzureStore

from trackcenter.storage.errors import NoContainer, StorageUnavailable
from trackcenter.storage.identity import Identity
from trackcenter.storage.keys import hash_at, key
from trackcenter.storage.sas import (
    VERSION,
    Grant,
    KeySigner,
    Signer,
    UserSigner,
    container_maker,
)

CHUNK = 4 * 1024 * 1024
"""Bytes of one request, up or down; each has a minute. 50,000 of them make the largest blob."""

_REQUEST = timedelta(seconds=60)
_CONNECT = timedelta(seconds=5)
_PATIENCE = timedelta(seconds=20)
_RETRIES = 4
_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Account:
    """A container, and how we prove that we may use it.

    `endpoint` is a stand-in or another cloud, without the container; None: the public cloud. With
    `key` we sign by the account's key, else as the managed identity `identity` (`system`, or the
    client id of a user-assigned one).
    """

    name: str
    container: str
    endpoint: str | None = None
    key: str | None = field(default=None, repr=False)
    identity: str = "system"

    @property
    def address(self) -> str:
        """Where the account's blob service is, without slash at its end.

        A host that does not begin with the account's name serves several accounts, as Azurite
        does: then the account is the first part of the path.
        """
        if self.endpoint is None:
            return f"https://{self.name}.blob.core.windows.net"
        parts = urlsplit(self.endpoint)
        named = (parts.hostname or "").startswith(f"{self.name}.")
        if named or parts.path.rstrip("/").endswith(f"/{self.name}"):
            return self.endpoint
        return f"{self.endpoint}/{self.name}"


class AzureBlobs:
    """A container of blobs, each under its SHA-256.

    What is small enough for one request is put with `If-None-Match: *`. What is larger goes up as
    blocks, which nobody sees until the list of them is committed under the hash; Azure forgets
    uncommitted blocks after a week. The hash of a stream is known at its end only, so a stream
    first goes into a nameless local file: writing it under a temporary name and copying it at the
    server is no way, as such a copy may be seen under the hash before it is complete.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        identity = None if account.key else Identity(account.identity)
        plain = account.address.startswith("http://")
        options: dict[str, Any] = (
            # Named in full: obstore would else take other credentials it finds in the environment.
            {"account_key": account.key, "credential_type": "access_key"}
            if account.key
            else {"credential_provider": identity}
        )
        self._identity = identity
        self._signer: Signer = (
            KeySigner(account.name, account.key)
            if identity is None and account.key
            else UserSigner(account.name, account.address, identity or Identity("system"))
        )
        self._store = AzureStore(
            account.container,
            account_name=account.name,
            endpoint=account.address,
            client_options={"allow_http": plain, "timeout": _REQUEST, "connect_timeout": _CONNECT},
            retry_config={"max_retries": _RETRIES, "retry_timeout": _PATIENCE},
            **options,
        )

    def create(self, sha256: str, content: bytes, *, content_type: str) -> bool:
        """Write once; False when there is a blob of that name already. StorageUnavailable."""
        if len(content) > CHUNK:
            with contextlib.suppress(FileNotFoundError):
                self.size(sha256)
                return False
            self.replace(sha256, content, content_type=content_type)
            return True
        try:
            with self._writing():
                obstore.put(
                    self._store,
                    key(sha256),
                    content,
                    mode="create",
                    attributes={"Content-Type": content_type},
                )
        except AlreadyExistsError:
            return False
        return True

    def replace(self, sha256: str, content: bytes, *, content_type: str) -> None:
        """Put sound content in the place of a damaged blob, in one step."""
        self._put(sha256, content, content_type)

    def receive(self, chunks: Iterable[bytes], *, content_type: str) -> str:
        """Write a stream and give its SHA-256; its name appears when the whole is there.

        Passes on what `chunks` raises, OSError if the local disk fails, StorageUnavailable.
        """
        digest = hashlib.sha256()
        with tempfile.SpooledTemporaryFile(max_size=CHUNK) as file:
            length = 0
            for chunk in chunks:
                digest.update(chunk)
                length += file.write(chunk)
            sha256 = digest.hexdigest()
            if not self._is_sound(sha256, length):
                file.seek(0)
                content = file if length > CHUNK else file.read()
                self._put(sha256, content, content_type)
        return sha256

    def size(self, sha256: str) -> int:
        """Bytes of the blob. Raises FileNotFoundError."""
        with self._reading():
            return int(obstore.head(self._store, key(sha256))["size"])

    def read(self, sha256: str) -> bytes:
        """The whole blob. Raises FileNotFoundError."""
        with self._reading():
            return bytes(obstore.get(self._store, key(sha256)).bytes())

    def stream(self, sha256: str) -> Iterable[bytes]:
        """The blob in chunks of a few megabytes. Raises FileNotFoundError at once."""
        return self._ranges(sha256, self.size(sha256))

    def names(self) -> Iterator[tuple[str, int]]:
        """Every blob that can be seen: its hash, and its length in bytes. StorageUnavailable."""
        with self._writing():
            for batch in obstore.list(self._store, chunk_size=_LISTED):
                for item in batch:
                    if sha256 := hash_at(item["path"]):
                        yield sha256, int(item["size"])

    def prepare(self) -> bool:
        """Make the container, private, unless it is there; True when it was made.

        An identity may be allowed to use a container but not to make one, so it is looked at
        first. Raises StorageUnavailable.
        """
        try:
            with contextlib.suppress(FileNotFoundError):
                # Not by `size`: its answer has no body, and so does not say what is missing.
                self.read("0" * 64)
        except NoContainer:
            return self._create_container()
        return False

    def _create_container(self) -> bool:
        import requests

        headers = {"x-ms-version": VERSION}
        query = "restype=container"
        try:
            if self._identity is not None:
                headers["Authorization"] = f"Bearer {self._identity.bearer()}"
            else:
                query += f"&{container_maker(self._account.name, self._account.key or '')}"
            answer = requests.put(
                f"{self._account.address}/{self._account.container}?{query}",
                headers=headers,
                timeout=_REQUEST.total_seconds(),
            )
        except requests.RequestException as error:
            raise self._no_answer() from error
        if answer.status_code not in (HTTPStatus.CREATED, HTTPStatus.CONFLICT):
            raise self._refused(_code(answer.text))
        return answer.status_code == HTTPStatus.CREATED

    def address(self, sha256: str, grant: Grant) -> str:
        """An address at the store itself that opens the blob until the grant's end (a SAS)."""
        path = f"{self._account.container}/{key(sha256)}"
        with self._reading():
            query = self._signer.sign(path, grant, plain=self._account.address.startswith("http:"))
        return f"{self._account.address}/{path}?{query}"

    def _ranges(self, sha256: str, length: int) -> Iterator[bytes]:
        # A request for each, so that one that breaks off is repeated and none outlasts its time.
        for start in range(0, length, CHUNK):
            with self._reading():
                end = min(start + CHUNK, length)
                chunk = bytes(obstore.get_range(self._store, key(sha256), start=start, end=end))
            yield chunk

    def _put(self, sha256: str, content: bytes | IO[bytes], content_type: str) -> None:
        with self._writing():
            obstore.put(
                self._store,
                key(sha256),
                content,
                mode="overwrite",
                chunk_size=CHUNK,
                max_concurrency=3,
                attributes={"Content-Type": content_type},
            )

    def _is_sound(self, sha256: str, length: int) -> bool:
        """Whether the whole content is there already."""
        with contextlib.suppress(FileNotFoundError):
            if self.size(sha256) == length:
                digest = hashlib.sha256()
                for chunk in self._ranges(sha256, length):
                    digest.update(chunk)
                return digest.hexdigest() == sha256
        return False

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Azure's refusals in plain words; a blob that is not there stays FileNotFoundError."""
        try:
            yield
        except FileNotFoundError as error:
            if _code(error) == "ContainerNotFound":
                raise self._no_container() from error
            raise
        except AlreadyExistsError:
            raise
        except BaseError as error:
            raise self._unavailable(error) from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """As `_reading`; and whoever writes a blob misses no blob, but its container or account."""
        try:
            with self._reading():
                yield
        except FileNotFoundError as error:
            raise self._no_account() from error

    def _unavailable(self, error: BaseError) -> StorageUnavailable:
        if self._identity and self._identity.trouble:
            return self._identity.trouble
        if isinstance(error, PermissionDeniedError | UnauthenticatedError):
            return self._refused(_code(error))
        if _code(error) == "ContainerNotFound":  # of a list
            return self._no_container()
        return self._no_answer()

    def _refused(self, code: str) -> StorageUnavailable:
        account = self._account
        if code == "KeyBasedAuthenticationNotPermitted":
            return StorageUnavailable(
                "the account of Azure Blob allows no keys (TRACKCENTER_AZURE_STORAGE_KEY)",
                "Unset TRACKCENTER_AZURE_STORAGE_KEY and use a managed identity.",
            )
        if account.key is None:
            return StorageUnavailable(
                "Azure Blob refuses the managed identity",
                "Give it the roles Storage Blob Data Contributor on the container "
                f"{account.container} and Storage Blob Delegator on the account {account.name}; "
                "see that the account's firewall lets this machine in.",
            )
        if code == "ResourceNotFound":
            return self._no_account()
        return StorageUnavailable(
            "Azure Blob refuses the account key (TRACKCENTER_AZURE_STORAGE_KEY)",
            f"Copy the key of the account {account.name} from the portal again; see that the clock "
            "is right and that the account's firewall lets this machine in.",
        )

    def _no_answer(self) -> StorageUnavailable:
        account = self._account
        return StorageUnavailable(
            "Azure Blob does not answer: the account in TRACKCENTER_STORAGE_URL may not exist, or "
            "cannot be reached",
            f"Check that there is an account {account.name}, and that this machine reaches "
            f"{urlsplit(account.address).netloc}.",
        )

    def _no_container(self) -> NoContainer:
        account = self._account
        return NoContainer(
            "there is no such container at Azure Blob (TRACKCENTER_STORAGE_URL)",
            f"Run `trackcenter migrate`, which makes it, or make the container "
            f"{account.container} in the account {account.name} yourself, private.",
        )

    def _no_account(self) -> StorageUnavailable:
        return StorageUnavailable(
            "there is no such account at Azure Blob (TRACKCENTER_STORAGE_URL)",
            f"Check that {self._account.address} is the account {self._account.name}.",
        )


def account_at(
    url: str, endpoint: str | None, storage_key: str | None, identity: str | None
) -> Account | None:
    """The account and container of `az://account/container`; None for anything else."""
    found = re.fullmatch(r"az://([a-z0-9]{3,24})/([a-z0-9](?:-?[a-z0-9]){2,62})/?", url)
    if found is None:
        return None
    name, container = found.groups()
    return Account(name, container, endpoint, storage_key, identity or "system")


def _code(answer: object) -> str:
    """Azure's own word for what is wrong, from the body of its answer."""
    found = re.search(r"<Code>(\w+)</Code>", str(answer))
    return found[1] if found else ""
