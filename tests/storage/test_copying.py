"""`trackcenter storage copy`: everything arrives, whole, once; whatever happens on the way."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.storage.conftest import configured
from tests.storage.places import Container, Folder, Place
from trackcenter import storage
from trackcenter.cli.copying import copy_command
from trackcenter.config.environment import PREFIX
from trackcenter.kit.errors import TrackCenterError
from trackcenter.storage.copying import CONTENT_TYPE, Copied, Fate, copy, place_at
from trackcenter.storage.keys import key

NOISE = random.Random(2024)
CONTENTS = [b"", b"bill", *(NOISE.randbytes(20_000) for _ in range(20)), NOISE.randbytes(9_000_000)]
HASHES = sorted(hashlib.sha256(content).hexdigest() for content in CONTENTS)


@pytest.fixture
def files(tmp_path: Path) -> Folder:
    """A folder with some of each size."""
    place = Folder(tmp_path / "files")
    for content in CONTENTS:
        path = place.path / key(hashlib.sha256(content).hexdigest())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return place


def url(place: Place) -> str:
    return place.settings["STORAGE_URL"]


def copied(source: Place, target: Place) -> Copied:
    return copy(place_at(url(source), must_exist=True), place_at(url(target), must_exist=False))


def test_a_folder_goes_to_azure_and_back_whole(
    files: Folder, container: Container, tmp_path: Path, settings: Settings
) -> None:
    done = copied(files, container)
    assert (done.copied, done.there, done.faults) == (len(CONTENTS), 0, ())
    assert done.bytes == sum(map(len, CONTENTS))
    assert container.names() == sorted(map(key, HASHES))
    assert container.content_type(HASHES[0]) == CONTENT_TYPE
    back = Folder(tmp_path / "back")
    assert copied(container, back).copied == len(CONTENTS)
    assert back.names() == files.names()
    configured(back, settings)
    assert all(len(storage.open(sha256)) == storage.size(sha256) for sha256 in HASHES)


def test_doing_it_again_copies_what_is_new_and_writes_nothing_over(
    files: Folder, container: Container
) -> None:
    copied(files, container)
    before = {sha256: container.written(sha256) for sha256 in HASHES}
    new = hashlib.sha256(b"a later bill").hexdigest()
    (files.path / key(new)).parent.mkdir(parents=True)
    (files.path / key(new)).write_bytes(b"a later bill")
    again = copied(files, container)
    assert (again.copied, again.there, again.faults) == (1, len(CONTENTS), ())
    assert {sha256: container.written(sha256) for sha256 in HASHES} == before


@pytest.mark.parametrize("sha256", [HASHES[0], hashlib.sha256(CONTENTS[-1]).hexdigest()])
def test_a_damaged_file_is_named_and_neither_spread_nor_written_over(
    files: Folder, container: Container, sha256: str
) -> None:
    sound = files.raw(sha256)
    files.damage(sha256, sound + b"!")
    done = copied(files, container)
    assert done.faults == ((sha256, Fate.DAMAGED_SOURCE),)
    assert done.copied == len(CONTENTS) - 1
    assert key(sha256) not in container.names()

    files.damage(sha256, sound)
    container.damage(sha256, sound + b"?")
    done = copied(files, container)
    assert done.faults == ((sha256, Fate.DAMAGED_TARGET),)
    assert container.raw(sha256) == sound + b"?"


def test_what_is_no_stored_file_is_left_behind(files: Folder, container: Container) -> None:
    (files.path / "arriving").mkdir()
    (files.path / "arriving" / "half").write_bytes(b"x")
    (files.path / "notes.txt").write_bytes(b"x")
    wrong = files.path / "00" / "00" / HASHES[5]
    wrong.parent.mkdir(parents=True, exist_ok=True)
    wrong.write_bytes(b"x")
    copied(files, container)
    assert container.names() == sorted(map(key, HASHES))


@pytest.mark.parametrize("to_azure", [True, False])
def test_killed_in_the_middle_and_done_again_it_is_complete(
    tmp_path: Path, container: Container, to_azure: bool
) -> None:
    folder = Folder(tmp_path / "files")
    number = 200
    for count in range(number):
        content = b"%d " % count * 10_000
        path = folder.path / key(hashlib.sha256(content).hexdigest())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    source: Place = folder
    target: Place = container
    if not to_azure:
        copied(folder, container)
        source, target = container, Folder(tmp_path / "back")
        target.path.mkdir()
    environment = {PREFIX + name: word for name, word in container.settings.items()}
    child = subprocess.Popen(
        [sys.executable, "-m", "trackcenter.cli", "storage", "copy", url(source), url(target)],
        env={**os.environ, **environment, f"{PREFIX}SECRET_KEY": "of the test"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while len(target.names()) < 20 and time.monotonic() < deadline:
        assert child.poll() is None
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    some = [name for name in target.names() if "#" not in name]
    assert 20 <= len(some) < number
    assert all(
        hashlib.sha256(target.raw(name[-64:])).hexdigest() == name[-64:] for name in some[::7]
    )
    done = copied(source, target)
    assert (done.copied + done.there, done.faults) == (number, ())
    assert done.there >= len(some)
    assert {name for name in target.names() if "#" not in name} == {
        name for name in source.names() if "#" not in name
    }


def test_the_command_makes_the_container_and_says_what_it_did(
    files: Folder, container: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    made = url(container) + "-new"
    said = copy_command(url(files), made)
    assert said.startswith(f"{len(CONTENTS)} files copied")
    assert "verified" in said
    assert container.azurite.names(made) == sorted(map(key, HASHES))
    files.damage(HASHES[3], b"bent")
    with pytest.raises(SystemExit, match="1"):
        copy_command(url(files), made + "-2")
    assert f"{HASHES[3]} is damaged at the source" in " ".join(capsys.readouterr().err.split())


def test_what_cannot_be_copied_is_said_in_a_sentence(
    files: Folder,
    container: Container,
    tmp_path: Path,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refused(source: str, target: str, said: str) -> None:
        with pytest.raises((SystemExit, TrackCenterError)) as stopped:
            copy_command(source, target)
        assert said in " ".join(f"{stopped.value} {capsys.readouterr().err}".split())

    nowhere = (tmp_path / "nowhere").as_uri()
    refused(nowhere, url(container), "there is no folder")
    refused("s3://bucket", url(container), "no kind of storage known here")
    refused(url(files), url(files) + "/", "the same place")
    refused(url(container) + "-x", (tmp_path / "new").as_uri(), "no such container")
    settings.AZURE_STORAGE_KEY = "d3Jvbmc="
    refused(url(files), url(container), "refuses the account key")
    assert not (tmp_path / "nowhere").exists()
    assert not container.names()
