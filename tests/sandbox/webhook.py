"""A webhook on loopback that writes down what it gets and answers as a test wants."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = Any


@dataclass
class Call:
    """One request that came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: Message
    content: bytes

    @property
    def json(self) -> Json:
        return json.loads(self.content)


@dataclass
class Webhook:
    """What came in, and how to answer: `statuses` are used up one a call, then `status`."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    handshakes: list[Call] = field(default_factory=list)
    status: int = 202
    statuses: list[int] = field(default_factory=list)
    passes_handshakes: bool = True

    def notifications(self) -> list[Json]:
        """Every Graph notification received."""
        return [item for call in list(self.calls) for item in call.json["value"]]

    def events(self) -> list[Json]:
        """Every Event Grid event received, of both schemas."""
        found = []
        for call in list(self.calls):
            body = call.json
            found += body if isinstance(body, list) else [body]
        return found


@contextmanager
def running_webhook() -> Iterator[Webhook]:
    """Serves a webhook on a free port."""
    webhook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_OPTIONS(self) -> None:
            webhook.handshakes.append(self.call())
            passed = webhook.passes_handshakes
            headers = {"WebHook-Allowed-Origin": "eventgrid.azure.net"} if passed else {}
            self.reply(200, b"", "text/plain", {**headers, "WebHook-Allowed-Rate": "120"})

        def do_POST(self) -> None:
            call = self.call()
            token = call.query.get("validationToken")
            if token is not None:
                webhook.handshakes.append(call)
                answer = token if webhook.passes_handshakes else "no"
                self.reply(200, answer.encode(), "text/plain; charset=utf-8")
            elif call.headers.get("aeg-event-type") == "SubscriptionValidation":
                webhook.handshakes.append(call)
                code = call.json[0]["data"]["validationCode"]
                status = 200 if webhook.passes_handshakes else 202
                answer = json.dumps({"validationResponse": code})
                self.reply(status, answer.encode(), "application/json")
            else:
                status = webhook.statuses.pop(0) if webhook.statuses else webhook.status
                webhook.calls.append(call)
                self.reply(status, b"", "text/plain")

        def call(self) -> Call:
            parts = urlsplit(self.path)
            query = {name: value[0] for name, value in parse_qs(parts.query).items()}
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return Call(self.command, parts.path, query, self.headers, content)

        def reply(
            self, status: int, content: bytes, kind: str, headers: dict[str, str] | None = None
        ) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    webhook.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield webhook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
