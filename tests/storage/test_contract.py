"""What every place for files does, whether a folder of the local disk or a container at Azure."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
from django.test import Client
from pytest_django import Settings

from tests.storage.places import Place, chunks_of
from trackcenter import storage
from trackcenter.kit.errors import NotFound
from trackcenter.storage.keys import key

ABSENT = "0" * 64
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def everywhere(place: Place, settings: Settings) -> None:
    """Each test runs at each place."""
    assert place.settings["STORAGE_URL"] == settings.STORAGE_URL
    settings.ROOT_URLCONF = "trackcenter.storage.urls"


def test_what_is_saved_is_found_by_the_hash_of_its_content(place: Place) -> None:
    sha256 = storage.save(b"bill", content_type="text/plain")
    assert sha256 == hashlib.sha256(b"bill").hexdigest()
    assert storage.open(sha256) == b"bill"
    assert storage.size(sha256) == 4
    assert storage.exists(sha256)
    assert place.names() == [key(sha256)]
    assert place.raw(sha256) == b"bill"


@pytest.mark.parametrize("size", [0, 1, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1, 10_000_000])
def test_content_of_any_size_comes_back_whole(size: int) -> None:
    content = os.urandom(size)
    sha256 = storage.save(content, content_type="application/octet-stream")
    assert storage.save_stream(chunks_of(content), content_type="text/csv") == sha256
    assert storage.size(sha256) == size
    assert storage.open(sha256) == content
    chunks = list(storage.open_stream(sha256))
    assert b"".join(chunks) == content
    assert len(chunks) > 1 or size < 5_000_000


@pytest.mark.parametrize("size", [4, 6_000_000])
def test_the_same_content_twice_is_written_once(place: Place, size: int) -> None:
    content = os.urandom(size)
    sha256 = storage.save(content, content_type="text/plain")
    before = place.written(sha256)
    assert storage.save(content, content_type="text/plain") == sha256
    assert storage.save_stream(chunks_of(content), content_type="text/csv") == sha256
    assert place.written(sha256) == before
    assert place.names() == [key(sha256)]


@pytest.mark.parametrize("name", [ABSENT, "", "..", "../../etc/passwd", "A" * 64, "0" * 63])
def test_what_is_not_there_is_not_found(name: str) -> None:
    assert not storage.exists(name)
    for question in (storage.open, storage.open_stream, storage.size):
        with pytest.raises(NotFound):
            question(name)


def test_a_damaged_file_is_never_taken_for_a_sound_one(place: Place) -> None:
    content = os.urandom(9_000_000)
    sha256 = storage.save(content, content_type="application/octet-stream")
    place.damage(sha256, content[:-1] + b"\x00\x00")
    with pytest.raises(storage.DamagedBlob, match=sha256):
        storage.open(sha256)
    received: list[bytes] = []
    with pytest.raises(storage.DamagedBlob):
        received.extend(storage.open_stream(sha256))
    assert sum(map(len, received)) < len(content)


@pytest.mark.parametrize("size", [4, 6_000_000])
def test_saving_again_mends_a_damaged_file(place: Place, size: int) -> None:
    content = os.urandom(size)
    sha256 = storage.save(content, content_type="text/plain")
    place.damage(sha256, b"")
    assert storage.save(content, content_type="text/plain") == sha256
    assert storage.open(sha256) == content
    place.damage(sha256, content[:-1] + bytes([content[-1] ^ 1]))
    assert storage.save_stream(chunks_of(content), content_type="text/plain") == sha256
    assert storage.open(sha256) == content


def test_two_writers_of_the_same_content_agree() -> None:
    content = os.urandom(2_000_000)
    with ThreadPoolExecutor(8) as pool:
        saved = list(
            pool.map(lambda _: storage.save(content, content_type="text/plain"), range(16))
        )
        streamed = pool.map(
            lambda _: storage.save_stream(chunks_of(content), content_type="a/b"), range(8)
        )
        assert {*saved, *streamed} == {hashlib.sha256(content).hexdigest()}
    assert storage.open(saved[0]) == content


def test_nothing_of_a_stream_is_seen_before_its_end(place: Place) -> None:
    seen: list[list[str]] = []

    def watched() -> Iterator[bytes]:
        for chunk in chunks_of(os.urandom(12_000_000)):
            seen.append([name for name in place.names() if "arriving" not in name])
            yield chunk

    sha256 = storage.save_stream(watched(), content_type="text/csv")
    assert seen == [[]] * 12
    assert place.names() == [key(sha256)]


def test_a_stream_that_breaks_off_leaves_nothing(place: Place) -> None:
    def breaking() -> Iterator[bytes]:
        yield os.urandom(6_000_000)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        storage.save_stream(breaking(), content_type="text/csv")
    assert place.names() == []


def test_a_stream_of_any_length_needs_little_memory(place: Place) -> None:
    writer = f"""
import resource
import django.conf
django.conf.settings.configure(AZURE_STORAGE_IDENTITY="system", **{place.settings!r})
from trackcenter import storage
storage.save_stream([b"a"] * 10, content_type="text/csv")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sha256 = storage.save_stream((bytes([n]) * 2**20 for n in range(96)), content_type="text/csv")
for chunk in storage.open_stream(sha256): pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    megabytes = subprocess.run(
        [sys.executable, "-c", writer], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    assert int(megabytes) < 64


def opened(client: Client, address: str) -> tuple[int, dict[str, str], bytes]:
    """What a stranger without a session gets: status, headers, body."""
    if address.startswith("/"):
        response = client.get(address)
        return response.status_code, dict(response.headers), response.getvalue()
    answer = requests.get(address, timeout=20)
    headers = {name.title(): value for name, value in answer.headers.items()}
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize("sign", [storage.sign, storage.sign_direct])
@pytest.mark.parametrize(
    ("content_type", "download", "served", "disposition"),
    [
        ("application/pdf", False, "application/pdf", "inline"),
        ("application/pdf", True, "application/pdf", "attachment"),
        ("image/jpeg", False, "image/jpeg", "attachment"),
        ("image/svg+xml", False, "image/svg+xml", "attachment"),
        ("text/csv", True, "text/csv; charset=utf-8", "attachment"),
        ("text/html; charset=utf-8", True, "text/html; charset=utf-8", "attachment"),
    ],
)
def test_a_link_opens_the_file_under_its_name_and_type(
    client: Client, sign: object, content_type: str, download: bool, served: str, disposition: str
) -> None:
    sha256 = storage.save(b"content", content_type="application/octet-stream")
    address = sign(  # type: ignore[operator]
        sha256,
        file_name='Größe; "1".x',
        content_type=content_type,
        expires_in=HOUR,
        download=download,
    )
    status, headers, body = opened(client, address)
    assert (status, body) == (200, b"content")
    assert headers["Content-Type"] == served
    assert headers["Content-Length"] == "7"
    assert headers["Content-Disposition"] == (
        f"{disposition}; filename*=utf-8''Gr%C3%B6%C3%9Fe%3B%20%221%22.x"
    )
    assert headers["Cache-Control"] == "private, max-age=300"
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "TEXT/HTML"])
def test_html_is_only_ever_served_from_here_in_its_sandbox(
    client: Client, content_type: str
) -> None:
    sha256 = storage.save(b"<script>", content_type="text/html")
    address = storage.sign_direct(
        sha256, file_name="message.html", content_type=content_type, expires_in=HOUR
    )
    _, headers, _ = opened(client, address)
    assert address.startswith("/files/")
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("sign", [storage.sign, storage.sign_direct])
def test_an_altered_link_is_refused(client: Client, sign: object) -> None:
    sha256 = storage.save(b"mine", content_type="text/plain")
    other = storage.save(b"yours", content_type="text/plain")
    address = sign(  # type: ignore[operator]
        sha256, file_name="Bill.txt", content_type="text/plain", expires_in=HOUR
    )
    alterations = {
        address.replace(sha256, other).replace(key(sha256)[:5], key(other)[:5]),
        re.sub("se=20..", "se=2999", address),
        address.replace("attachment", "inline"),
        address.replace("text%2Fplain", "text%2Fhtml"),
        address.replace("sp=r", "sp=rwd"),
        *(address[:-n] + ("A" if address[-n] != "A" else "B") + address[-n:][1:] for n in (9, 30)),
    } - {address}
    assert opened(client, address)[0] == 200
    for altered in alterations:
        status, _, body = opened(client, altered)
        assert status == 403, altered
        assert body not in (b"mine", b"yours")


@pytest.mark.parametrize("sign", [storage.sign, storage.sign_direct])
def test_an_expired_link_is_refused(client: Client, sign: object) -> None:
    sha256 = storage.save(b"mine", content_type="text/plain")
    address = sign(  # type: ignore[operator]
        sha256,
        file_name="Bill.txt",
        content_type="text/plain",
        expires_in=timedelta(seconds=-2),
    )
    status, _, body = opened(client, address)
    assert status in (403, 410)
    assert body != b"mine"


def test_a_link_to_what_is_gone_finds_nothing(client: Client, place: Place) -> None:
    sha256 = storage.save(b"x", content_type="text/plain")
    addresses = [
        sign(sha256, file_name="x", content_type="text/plain", expires_in=HOUR)
        for sign in (storage.sign, storage.sign_direct)
    ]
    place.remove(sha256)
    assert [opened(client, address)[0] for address in addresses] == [404, 404]


def test_a_damaged_file_is_not_served_from_here(client: Client, place: Place) -> None:
    sha256 = storage.save(b"sound", content_type="text/plain")
    place.damage(sha256, b"hacks")
    address = storage.sign(sha256, file_name="x", content_type="text/plain", expires_in=HOUR)
    status, _, body = opened(client, address)
    assert status == 500
    assert b"hacks" not in body


def test_a_place_that_can_be_used_says_so() -> None:
    storage.check_writable()
    assert not storage.prepare()
