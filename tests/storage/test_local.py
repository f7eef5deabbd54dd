"""What only a folder of the local disk does; the rest stands in `test_contract.py`."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from trackcenter import storage
from trackcenter.storage.blobs import store_for

ABSENT = "0" * 64


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    folder = tmp_path / "kept files"
    settings.STORAGE_URL = folder.as_uri()
    return folder


def test_a_kill_in_the_middle_of_a_write_leaves_nothing_half_under_its_hash(folder: Path) -> None:
    size = 150_000_000
    writer = f"""
import django.conf
django.conf.settings.configure(STORAGE_URL={folder.as_uri()!r})
from trackcenter import storage
for letter in b"abcdefgh":
    storage.save(bytes([letter]) * {size}, content_type="text/plain")
"""
    child = subprocess.Popen([sys.executable, "-c", writer])
    deadline = time.monotonic() + 60
    seen_writing = False
    while not seen_writing and time.monotonic() < deadline and child.poll() is None:
        seen_writing = any(folder.glob("*/*/*#*"))
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert seen_writing

    for path in folder.glob("*/*/*"):
        if "#" not in path.name:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    sha256 = storage.save(b"a" * size, content_type="text/plain")
    assert storage.open(sha256) == b"a" * size


def test_the_folder_is_nobody_elses_to_read(folder: Path) -> None:
    storage.save(b"bill", content_type="text/plain")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_disk_that_cannot_be_written_is_an_os_error(folder: Path) -> None:
    storage.check_writable()
    (folder / "f0").write_text("in the way")
    content = next(
        text
        for text in (str(number).encode() for number in range(10_000))
        if hashlib.sha256(text).hexdigest().startswith("f0")
    )
    with pytest.raises(OSError, match="f0"):
        storage.save(content, content_type="text/plain")


@pytest.mark.parametrize(
    "url", ["ftp://host/folder", "/folder", "file://elsewhere/folder", "s3://bucket", "file:folder"]
)
def test_a_storage_url_that_means_nothing_is_named(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="TRACKCENTER_STORAGE_URL"):
        store_for(url)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ImproperlyConfigured, match="TRACKCENTER_STORAGE_URL"):
        store_for((tmp_path / "file" / "folder").as_uri())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_is_told_instead_of_waiting_for_ever() -> None:
    sha256 = storage.save(b"bill", content_type="text/plain")
    child = os.fork()
    if child == 0:
        try:
            storage.open(sha256)
        except RuntimeError:
            os._exit(7)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def arriving(folder: Path) -> list[Path]:
    return list((folder / "arriving").iterdir())


def test_what_a_killed_writer_of_a_stream_left_is_swept_up_by_the_next(folder: Path) -> None:
    writer = f"""
import itertools, django.conf
django.conf.settings.configure(STORAGE_URL={folder.as_uri()!r})
from trackcenter import storage
storage.save_stream(itertools.repeat(b"a" * 1_000_000, 100_000), content_type="text/csv")
"""
    child = subprocess.Popen([sys.executable, "-c", writer])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any(
        path.stat().st_size > 2_000_000 for path in folder.glob("arriving/*")
    ):
        assert child.poll() is None
    # A living writer's file is left alone.
    storage.save_stream([b"meanwhile"], content_type="text/csv")
    assert len(arriving(folder)) == 1
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert len(arriving(folder)) == 1
    sha256 = storage.save_stream([b"bill"], content_type="text/csv")
    assert storage.open(sha256) == b"bill"
    assert arriving(folder) == []
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2
