import io
import json
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from pytest_django import Settings

from tests.delivery_records.files import a_pdf, a_picture, uploaded
from trackcenter import storage
from trackcenter.delivery_records import opening, proofs
from trackcenter.delivery_records.proofs import LARGEST, accept
from trackcenter.delivery_records.scanning import ScannerAway
from trackcenter.kit.errors import InputError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.STORAGE_URL = tmp_path.as_uri()
    settings.CLAMD = None
    return tmp_path


KINDS: dict[str, tuple[Callable[[], bytes], str]] = {
    "application/pdf": (a_pdf, ".pdf"),
    "image/jpeg": (lambda: a_picture("JPEG"), ".jpg"),
    "image/png": (lambda: a_picture("PNG"), ".png"),
    "image/heic": (lambda: a_picture("HEIF"), ".heic"),
    "image/tiff": (lambda: a_picture("TIFF"), ".tif"),
}


@pytest.mark.parametrize("content_type", KINDS)
def test_each_accepted_kind_is_known_by_its_content_and_gets_a_thumbnail(content_type: str):
    make, ending = KINDS[content_type]
    content = make()
    proof = accept(uploaded(content, "C:\\scans\\Beleg.exe"), "body", "proofFile")
    assert (proof.content_type, proof.file_name) == (content_type, f"Beleg.exe{ending}")
    assert storage.open(proof.sha256) == content
    with Image.open(io.BytesIO(storage.open(proof.thumbnail_sha256))) as thumbnail:
        assert thumbnail.format == "JPEG"
        assert max(thumbnail.size) <= 320


def refusal(content: bytes, name: str = "proof.pdf") -> str:
    with pytest.raises(InputError) as caught:
        accept(uploaded(content, name), "body", "files", 0)
    (problem,) = caught.value.problems
    assert problem.loc == ("body", "files", 0)
    return problem.msg


def test_another_kind_is_refused_whatever_it_is_called(folder: Path):
    script = b"<html><script>alert(1)</script></html>"
    for content in (script, b"MZ\x90\x00" + b"\0" * 100, b"GIF89a" + b"\0" * 20, b"plain"):
        assert refusal(content) == "this is no PDF, JPEG, PNG, HEIC or TIFF"
    assert refusal(b"") == "the file is empty"
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_file_that_is_too_large_is_refused_before_it_is_read():
    assert refusal(b"%PDF-1.7" + b"\0" * LARGEST) == "a proof may have 20 MB"


@pytest.mark.parametrize(
    "content", [b"%PDF-1.7 and nothing more", a_picture("PNG")[:200], a_picture("JPEG")[:300]]
)
def test_a_damaged_file_is_refused_in_words(content: bytes):
    assert "cannot be opened" in refusal(content)


def test_a_picture_that_would_fill_the_memory_is_refused():
    header = a_picture("PNG", (8, 8))
    huge = header[:16] + struct.pack("!II", 100_000, 100_000) + header[24:]
    assert "cannot be opened" in refusal(huge)


def test_a_file_that_keeps_its_opener_busy_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    busy = tmp_path / "busy.py"
    busy.write_text("while True: pass")
    monkeypatch.setattr(proofs, "_OPENER", busy)
    monkeypatch.setattr(proofs, "_PATIENCE", 1)
    assert refusal(a_pdf()) == "the file cannot be opened safely"


def test_the_opener_can_open_neither_files_nor_sockets_nor_take_much_memory():
    attempts = """
import json, os, socket, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import opening
opening.warm_up()
opening.limit()
def refused(act):
    try:
        act()
    except (OSError, MemoryError):
        return True
    return False
print(json.dumps([
    refused(lambda: open("/etc/passwd")),
    refused(lambda: open("/tmp/written-by-the-opener", "w")),
    refused(socket.socket),
    refused(os.pipe),
    refused(lambda: bytearray(4 * 1024**3)),
]))
"""
    done = subprocess.run(
        [sys.executable, "-c", attempts, str(Path(opening.__file__).parent)],
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert json.loads(done.stdout) == [True] * 5


def test_the_opener_gets_none_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    spy = tmp_path / "spy.py"
    spy.write_text(
        "import json, os, sys\n"
        "sys.stdin.buffer.read()\n"
        "print(json.dumps({'refused': ' '.join(sorted(os.environ))}))\n"
    )
    monkeypatch.setattr(proofs, "_OPENER", spy)
    monkeypatch.setenv("TRACKCENTER_SECRET_KEY", "a secret")
    assert "TRACKCENTER" not in refusal(a_pdf())


@contextmanager
def a_clamd(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A peer that speaks clamd's INSTREAM once; its address, and what it was sent."""
    received: list[bytes] = []

    def serve() -> None:
        peer, _ = listener.accept()
        with peer, peer.makefile("rb") as stream:
            assert stream.read(10) == b"zINSTREAM\0"
            while length := struct.unpack("!I", stream.read(4))[0]:
                received.append(stream.read(length))
            peer.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", received
        thread.join(10)


def test_a_virus_scanner_sees_the_whole_file_and_lets_a_clean_one_pass(settings: Settings):
    content = a_picture("TIFF", (500, 500))
    with a_clamd(b"stream: OK\0") as (settings.CLAMD, received):
        accept(uploaded(content), "body")
    assert b"".join(received) == content


def test_what_the_virus_scanner_finds_is_named(settings: Settings, folder: Path):
    with a_clamd(b"stream: Eicar-Test-Signature FOUND\0") as (settings.CLAMD, _):
        assert refusal(a_pdf()) == "the virus scanner found Eicar-Test-Signature"
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_virus_scanner_that_gives_no_verdict_shuts_the_door(settings: Settings, tmp_path: Path):
    for verdict, words in (
        (b"INSTREAM size limit exceeded. ERROR\0", "StreamMaxLength"),
        (b"", "could not look"),
    ):
        with a_clamd(verdict) as (settings.CLAMD, _), pytest.raises(ScannerAway, match=words):
            accept(uploaded(a_pdf()), "body")
    for address in ("127.0.0.1:1", str(tmp_path / "clamd.sock")):
        settings.CLAMD = address
        with pytest.raises(ScannerAway, match="cannot be reached"):
            accept(uploaded(a_pdf()), "body")
