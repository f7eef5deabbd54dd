"""A peer on loopback that answers as a test scripts it, for what no well-meaning server does."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import responses


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What is written back; `then_close` drops the connection, `raw` replaces all of it."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    then_close: bool = False
    raw: bytes | None = None

    def encoded(self) -> bytes:
        if self.raw is not None:
            return self.raw
        head = {"Content-Length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} {responses.get(self.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in head.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


Script = Callable[[Asked], Answer | None]


@dataclass
class Peer:
    """Where it listens and what it was asked. A script that answers None hangs until the end."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def peer(script: Script, *, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """A peer until the end of the block; `tls` makes it an https one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Peer(f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=_accept, args=(listener, made, script, tls), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            made.over.set()
            # A blocked accept() is woken by a connection, not by a close().
            socket.create_connection(listener.getsockname()).close()
            thread.join()


def _accept(
    listener: socket.socket, made: Peer, script: Script, tls: ssl.SSLContext | None
) -> None:
    while True:
        connection, _ = listener.accept()
        if made.over.is_set():
            connection.close()
            return
        threading.Thread(target=_serve, args=(connection, made, script, tls), daemon=True).start()


def _serve(
    connection: socket.socket, made: Peer, script: Script, tls: ssl.SSLContext | None
) -> None:
    # Callers drop connections and speak TLS to us; that ends the connection, not the test.
    with suppress(OSError, ValueError), ExitStack() as stack:
        stack.enter_context(connection)
        if tls is not None:
            connection = stack.enter_context(tls.wrap_socket(connection, server_side=True))
        reader = stack.enter_context(connection.makefile("rb"))
        while (line := reader.readline().decode("latin-1").strip()) != "":
            method, target, _ = line.split(" ", 2)
            headers: dict[str, str] = {}
            while (header := reader.readline().decode("latin-1").strip()) != "":
                name, _, value = header.partition(":")
                headers[name.strip().lower()] = value.strip()
            asked = Asked(
                method, target, headers, reader.read(int(headers.get("content-length", "0")))
            )
            made.asked.append(asked)
            answer = script(asked)
            if answer is None:
                made.over.wait(60)
                return
            connection.sendall(answer.encoded())
            if answer.then_close or answer.raw is not None:
                return
