"""A real Azurite for the tests, on a free port of the loopback, and a way in past our own door."""

import base64
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import obstore
import requests
from obstore.store import AzureStore

from tools import chromium, web
from trackcenter.storage.azure import Account, AzureBlobs

ACCOUNT = "trackfiles"
PROGRAM = "node_modules/azurite/dist/src/blob/main.js"


@dataclass(frozen=True)
class Azurite:
    """A running one: its address, and the key of its only account."""

    endpoint: str
    key: str

    def container(self) -> str:
        """The STORAGE_URL of a new container."""
        name = f"files-{secrets.token_hex(6)}"
        made = AzureBlobs(Account(ACCOUNT, name, self.endpoint, self.key)).prepare()
        assert made
        return f"az://{ACCOUNT}/{name}"

    def settings(self, url: str) -> dict[str, str]:
        """As an operator would set them, without the prefix."""
        return {
            "STORAGE_URL": url,
            "AZURE_STORAGE_KEY": self.key,
            "AZURE_STORAGE_ENDPOINT": self.endpoint,
        }

    def opened(self, url: str) -> AzureStore:
        """The container by obstore itself."""
        return AzureStore(
            url.rpartition("/")[2],
            account_name=ACCOUNT,
            account_key=self.key,
            endpoint=f"{self.endpoint}/{ACCOUNT}",
            client_options={"allow_http": True},
        )

    def names(self, url: str) -> list[str]:
        """Every blob that can be seen."""
        return sorted(item["path"] for batch in obstore.list(self.opened(url)) for item in batch)


@contextmanager
def running_azurite(*arguments: str, certificate: Path | None = None) -> Iterator[Azurite]:
    """Azurite with one account, in memory."""
    web.install(chromium.NPM)
    key = base64.b64encode(secrets.token_bytes(64)).decode()
    options = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--silent"]
    options += ["--disableTelemetry", "--skipApiVersionCheck", *arguments]
    process = subprocess.Popen(
        [web.node(), PROGRAM, *options],
        cwd=chromium.NPM,
        env={**web.environment(), "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"successfully listens on (\S+)", line):
                break
        else:
            raise AssertionError("".join(said))
        endpoint = found[1].rstrip("/")
        assert requests.get(endpoint, timeout=20, verify=str(certificate or True)).status_code
        yield Azurite(endpoint, key)
    finally:
        process.terminate()
        process.wait(20)
