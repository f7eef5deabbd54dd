"""A POST to the whole WSGI application, as the web server hands it over."""

import io
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http.response import ResponseHeaders

from trackcenter.config.wsgi import application


@dataclass
class Answer:
    """What came back."""

    status_code: int
    headers: ResponseHeaders
    content: bytes

    def __getitem__(self, name: str) -> str:
        return str(self.headers[name])

    def json(self) -> Any:
        return json.loads(self.content)


def post(
    path: str,
    body: str | bytes,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
    application: Any = application,
    **more: str,
) -> Answer:
    """Send a body; the path's query is taken as it stands, `more` is put into the environment."""
    content = body.encode() if isinstance(body, str) else body
    place, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": place,
        "QUERY_STRING": query,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "testserver",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in (headers or {}).items():
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    environ |= more
    said: dict[str, Any] = {}

    def start_response(status: str, lines: list[tuple[str, str]], _: object = None) -> None:
        said.update(status=int(status.split()[0]), headers=ResponseHeaders(dict(lines)))

    # As in Django's own test client: the test's transaction outlives the request.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        parts = application(environ, start_response)
        answer = b"".join(parts)
        if close := getattr(parts, "close", None):
            close()
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
    return Answer(said["status"], said["headers"], answer)
