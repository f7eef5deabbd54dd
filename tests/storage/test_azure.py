"""What only Azure Blob does; the rest stands in `test_contract.py`."""

import hashlib
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import obstore
import pytest
import requests
from django.test import Client
from pytest_django import Settings

from tests.storage.azurite import Azurite
from tests.storage.places import Container
from trackcenter import storage
from trackcenter.config import doctor
from trackcenter.storage.keys import key

NOBODY_LISTENS = "http://127.0.0.1:9"


def test_a_kill_in_the_middle_of_an_upload_leaves_nothing_half(container: Container) -> None:
    size = 60_000_000
    writer = f"""
import django.conf
django.conf.settings.configure(AZURE_STORAGE_IDENTITY="system", **{container.settings!r})
from trackcenter import storage
storage.save(b"small", content_type="text/plain")
print("begins", flush=True)
for letter in range(256):
    storage.save(bytes([letter]) * {size}, content_type="text/plain")
"""
    child = subprocess.Popen([sys.executable, "-c", writer], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "begins\n"
    first = hashlib.sha256(bytes(size)).hexdigest()
    deadline = time.monotonic() + 30
    while not _blocks_wait(first) and time.monotonic() < deadline:
        assert child.poll() is None
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    child.stdout.close()

    whole = container.names()
    assert key(hashlib.sha256(b"small").hexdigest()) in whole
    for name in whole:
        content = obstore.get(container.store, name).bytes()
        assert hashlib.sha256(bytes(content)).hexdigest() == name[-64:]
    assert storage.save(bytes(size), content_type="text/plain") == first
    assert storage.size(first) == size


def _blocks_wait(sha256: str) -> bool:
    """Whether parts of the blob are there that nobody has put together yet."""
    address = storage.sign_direct(
        sha256, file_name="x", content_type="text/plain", expires_in=timedelta(hours=1)
    )
    answer = requests.get(f"{address}&comp=blocklist&blocklisttype=uncommitted", timeout=20)
    return "<Block>" in answer.text


def trouble_at(settings: Settings, **changes: object) -> tuple[str, str, str]:
    """What /readyz says to anybody; what the doctor says to the administrator, and to be done."""
    for name, value in changes.items():
        setattr(settings, name, value)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    [found] = [
        finding
        for finding in doctor.examine_installation()
        if finding.state == "fail" and "Azure Blob" in finding.what
    ]
    return answer.json()["checks"]["storage"], found.what, found.mend


@pytest.mark.django_db
def test_readiness_and_the_doctor_say_what_is_wrong_and_what_to_do(
    container: Container, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA = tmp_path
    assert Client().get("/readyz").json()["checks"]["storage"] == "ok"
    good = container.settings
    wrong = [
        ({"AZURE_STORAGE_KEY": "d3Jvbmc="}, "refuses the account key", "from the portal again"),
        (
            {"STORAGE_URL": good["STORAGE_URL"].replace("trackfiles", "trackfile")},
            "no such account",
            "is the account trackfile",
        ),
        (
            {"STORAGE_URL": good["STORAGE_URL"] + "-other"},
            "no such container",
            "trackcenter migrate",
        ),
        ({"AZURE_STORAGE_ENDPOINT": NOBODY_LISTENS}, "does not answer", "reaches 127.0.0.1:9"),
    ]
    for changes, what, mend in wrong:
        said, found, todo = trouble_at(settings, **{**good, **changes})
        assert said == found
        assert what in said
        assert mend in todo
        assert "127.0.0.1" not in said
        assert "trackfile" not in said


def test_a_container_that_is_not_there_is_made(azurite: Azurite, settings: Settings) -> None:
    place = Container(azurite)
    settings.AZURE_STORAGE_KEY = azurite.key
    settings.AZURE_STORAGE_ENDPOINT = azurite.endpoint
    settings.STORAGE_URL = f"{place.url}-made"
    with pytest.raises(storage.StorageUnavailable, match="no such container"):
        storage.check_writable()
    assert storage.prepare()
    assert not storage.prepare()
    storage.check_writable()
    assert len(azurite.names(settings.STORAGE_URL)) == 1
