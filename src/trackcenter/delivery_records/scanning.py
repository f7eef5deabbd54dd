"""Ask a clamd, where one is set, what it thinks of a file. No answer is a no."""

import socket
import struct
from contextlib import closing, suppress

from django.conf import settings

from trackcenter.kit.errors import Sentence, TrackCenterError

_PATIENCE = 30.0
_CHUNK = 256 * 1024


class ScannerAway(TrackCenterError):
    """A scanner is set but gives no verdict: nothing is taken until it does."""

    status = 503
    title = "The virus scanner does not answer"

    def __init__(self, words: str) -> None:
        super().__init__(Sentence(words, "scannerAway"))


class Infected(Exception):
    """The scanner named something; the message is its name."""


def scan(content: bytes) -> None:
    """Return when the content is clean or no scanner is set. Raises Infected or ScannerAway.

    The protocol is clamd's INSTREAM (clamd(8)): lengths in network order, nought at the end.
    """
    if not settings.CLAMD:
        return
    try:
        with closing(_connect(settings.CLAMD)) as clamd:
            with suppress(BrokenPipeError, ConnectionResetError):  # it heard enough, and says why
                _send(clamd, content)
            verdict = _read(clamd)
    except OSError as error:
        raise ScannerAway(f"the virus scanner cannot be reached: {error}") from error
    if verdict.endswith(" FOUND"):
        raise Infected(verdict.removeprefix("stream: ").removesuffix(" FOUND"))
    if "size limit" in verdict:
        raise ScannerAway("the virus scanner takes no file of this size (its StreamMaxLength)")
    if verdict != "stream: OK":
        raise ScannerAway("the virus scanner could not look at the file")


def answers(address: str, *, patience: float = 5.0) -> bool:
    """Whether the scanner at that address says that it is there, within so many seconds a step."""
    try:
        with closing(_connect(address, patience)) as clamd:
            clamd.sendall(b"zPING\0")
            return _read(clamd) == "PONG"
    except OSError:
        return False


def _send(clamd: socket.socket, content: bytes) -> None:
    clamd.sendall(b"zINSTREAM\0")
    for start in range(0, len(content), _CHUNK):
        chunk = content[start : start + _CHUNK]
        clamd.sendall(struct.pack("!I", len(chunk)) + chunk)
    clamd.sendall(struct.pack("!I", 0))


def _connect(address: str, patience: float = _PATIENCE) -> socket.socket:
    if address.startswith("/"):
        clamd = socket.socket(socket.AF_UNIX)
        clamd.settimeout(patience)
        try:
            clamd.connect(address)
        except OSError:
            clamd.close()
            raise
        return clamd
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=patience)


def _read(clamd: socket.socket) -> str:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < 10_000:
        more = clamd.recv(4096)
        if not more:
            break
        answer += more
    return answer.rstrip(b"\0").decode(errors="replace").strip()
