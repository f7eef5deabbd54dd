"""Tokens for Azure Storage as the managed identity of the machine or container we run on."""

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trackcenter.storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from azure.identity import ManagedIdentityCredential
    from obstore.store import AzureBearerToken

SYSTEM = "system"
_SCOPE = "https://storage.azure.com/.default"
_SECONDS = 5


class Identity:
    """Gives a bearer token when called, as obstore wants it; Azure's own library gets it.

    That library knows how virtual machines, Container Apps and App Service each hand tokens out,
    and keeps a token until shortly before its end.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._credential: ManagedIdentityCredential | None = None
        self._lock = threading.Lock()
        self.trouble: StorageUnavailable | None = None
        """Why there was no token the last time, if there was none."""

    def __call__(self) -> "AzureBearerToken":
        """Raises StorageUnavailable, and keeps it: obstore passes on no more than its text."""
        from azure.core.exceptions import AzureError

        try:
            token = self._opened().get_token(_SCOPE)
        except AzureError as error:
            self.trouble = StorageUnavailable(
                "the managed identity that opens Azure Blob gets no token "
                "(TRACKCENTER_AZURE_STORAGE_KEY is unset)",
                "Give this machine a managed identity (TRACKCENTER_AZURE_STORAGE_IDENTITY names a "
                "user-assigned one), or set TRACKCENTER_AZURE_STORAGE_KEY. The token service says: "
                + str(error).partition("\n")[0],
            )
            raise self.trouble from error
        self.trouble = None
        return {"token": token.token, "expires_at": datetime.fromtimestamp(token.expires_on, UTC)}

    def bearer(self) -> str:
        """The token alone."""
        return self()["token"]

    def _opened(self) -> "ManagedIdentityCredential":
        # Imported here: it costs half a second that an account key or a folder never needs.
        from azure.identity import ManagedIdentityCredential

        with self._lock:
            if self._credential is None:
                client_id = None if self._name == SYSTEM else self._name
                self._credential = ManagedIdentityCredential(
                    client_id=client_id,
                    retry_total=2,
                    connection_timeout=_SECONDS,
                    read_timeout=_SECONDS,
                )
            return self._credential
