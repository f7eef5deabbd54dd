"""A real sandbox process for tests: `with running_sandbox() as sandbox: …`.

Clients for its wire are here too, small and strict on purpose: they are how the tests look at
the sandbox, not how the product talks to it.
"""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

from trackcenter.sandbox.options import ACS_ACCESS_KEY, CLIENT_ID, CLIENT_SECRET, TENANT_ID

Json = Any
MAILBOX = "billing@example.org"
PROPERTY = "String {6f2d9c1e-5b57-4c43-9a3d-2f1d4a7c8e10} Name TrackCenterAttempt"
SOURCES = Path(__file__).parents[2] / "src"


def wait_for(condition: Callable[[], Any], *, seconds: float = 15.0, what: str = "") -> Any:
    """Waits until the condition is truthy and returns its value; fails after so many seconds."""
    ends = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > ends:
            raise AssertionError(f"waited {seconds} s for {what or condition}; last: {value!r}")
        pause.wait(0.02)


@dataclass
class RunningSandbox:
    """A sandbox process and plain ways to talk to it."""

    url: str
    process: "subprocess.Popen[str]"
    http: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(
            retries=False, maxsize=16, timeout=urllib3.Timeout(30)
        )
    )
    _token: str = ""

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`."""
        return self.url.removeprefix("http://")

    def request(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """A plain request; `body` is sent as JSON. `path` may be a whole URL."""
        headers = dict(headers or {})
        if body is not None:
            content = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        url = path if path.startswith("http") else self.url + path
        return self.http.request(method, url, body=content, headers=headers, redirect=False)

    def token(self) -> str:
        """A bearer token, asked for once."""
        if not self._token:
            reply = self.http.request(
                "POST",
                f"{self.url}/{TENANT_ID}/oauth2/v2.0/token",
                fields={
                    "grant_type": "client_credentials",
                    "client_id": CLIENT_ID,
                    "client_secret": CLIENT_SECRET,
                    "scope": "https://graph.microsoft.com/.default",
                },
                encode_multipart=False,
            )
            assert reply.status == 200, reply.data
            self._token = reply.json()["access_token"]
        return self._token

    def graph(
        self, method: str, path: str, body: Json = None, *, immutable: bool = True, **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """A Graph request under `/v1.0` with our token."""
        given = {"Authorization": f"Bearer {self.token()}", **headers}
        if immutable:
            given["Prefer"] = ", ".join(
                [*([given["Prefer"]] if "Prefer" in given else []), 'IdType="ImmutableId"']
            )
        where = path if path.startswith("http") else "/v1.0" + path
        return self.request(method, where, body, headers=given)

    def acs(
        self, method: str, path: str, body: Json = None, **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """A signed ACS request; `path` with its query."""
        content = b"" if body is None else json.dumps(body).encode()
        signed = sign(method, path, self.host, content)
        if body is not None:
            signed["Content-Type"] = "application/json"
        return self.request(method, path, content=content, headers={**signed, **headers})

    def draft(self, to: str, *, attempt: str | None = None, **extra: Json) -> dict[str, Json]:
        """A new draft that asks for both receipts; answers the Graph message."""
        attempt = attempt or str(uuid.uuid4())
        body = {
            "subject": "Abrechnung 2025 – Einheit 7",
            "body": {"contentType": "html", "content": "<p>Guten Tag</p>"},
            "toRecipients": [{"emailAddress": {"address": to, "name": "Tenant"}}],
            "isDeliveryReceiptRequested": True,
            "isReadReceiptRequested": True,
            "internetMessageHeaders": [{"name": "x-trackcenter-attempt", "value": attempt}],
            "singleValueExtendedProperties": [{"id": PROPERTY, "value": attempt}],
            **extra,
        }
        reply = self.graph("POST", f"/users/{MAILBOX}/messages", body)
        assert reply.status == 201, reply.data
        created: dict[str, Json] = reply.json()
        return created

    def send(self, message_id: str) -> urllib3.BaseHTTPResponse:
        """Sends a draft."""
        return self.graph("POST", f"/users/{MAILBOX}/messages/{quote(message_id)}/send")

    def mail(self, to: str, **extra: Json) -> dict[str, Json]:
        """Creates and sends a mail; answers the Graph message as it was created."""
        created = self.draft(to, **extra)
        reply = self.send(created["id"])
        assert reply.status == 202, reply.data
        return created

    def sms(
        self,
        to: str,
        *,
        repeat: str | None = None,
        first_sent: str | None = None,
        message: str = "Your bill is ready",
        tag: str | None = None,
    ) -> dict[str, Json]:
        """Sends one SMS; answers its item."""
        body = {
            "from": "+4930123456",
            "smsRecipients": [
                {
                    "to": to,
                    "repeatabilityRequestId": repeat or str(uuid.uuid4()),
                    "repeatabilityFirstSent": first_sent or formatdate(usegmt=True),
                }
            ],
            "message": message,
            "smsSendOptions": {"enableDeliveryReport": True, "tag": tag},
        }
        reply = self.acs("POST", "/sms?api-version=2026-01-23", body)
        assert reply.status == 202, reply.data
        item: dict[str, Json] = reply.json()["value"][0]
        return item

    def messages(self, **narrow: str) -> list[dict[str, Json]]:
        """`GET /messages`."""
        query = "?" + urlencode(narrow) if narrow else ""
        listed: list[dict[str, Json]] = self.request("GET", "/messages" + query).json()
        return listed

    def set_faults(self, **faults: Json) -> None:
        """`PUT /faults`; without arguments all are off."""
        reply = self.request("PUT", "/faults", faults)
        assert reply.status == 200, reply.data

    def inbox(self, mailbox: str = MAILBOX) -> list[dict[str, Json]]:
        """The inbox, newest first."""
        path = f"/users/{mailbox}/mailFolders('inbox')/messages?$top=1000"
        items: list[dict[str, Json]] = self.graph("GET", path).json()["value"]
        return items

    def mime(self, message_id: str, mailbox: str = MAILBOX) -> bytes:
        """The MIME of an item."""
        path = f"/users/{mailbox}/messages/{quote(message_id)}/$value"
        reply = self.graph("GET", path)
        assert reply.status == 200, reply.data
        return reply.data

    def subscribe(self, url: str, **extra: Json) -> urllib3.BaseHTTPResponse:
        """Asks for change notifications of our inbox for three days."""
        expires = datetime.now(UTC) + timedelta(days=3)
        body = {
            "changeType": "created",
            "notificationUrl": url,
            "lifecycleNotificationUrl": url,
            "resource": f"/users/{MAILBOX}/mailFolders('inbox')/messages",
            "expirationDateTime": expires.isoformat(),
            "clientState": "a-client-state",
            **extra,
        }
        return self.graph("POST", "/subscriptions", body)

    def forget_webhooks(self) -> None:
        """Removes every subscription and Event Grid webhook."""
        assert self.request("DELETE", "/eventgrid").status == 204
        for subscription in self.graph("GET", "/subscriptions").json()["value"]:
            assert self.graph("DELETE", f"/subscriptions/{subscription['id']}").status == 204

    def clear(self) -> None:
        """Forgets every message and fault."""
        self.set_faults()
        assert self.request("DELETE", "/messages").status == 204


def sign(
    method: str,
    path: str,
    host: str,
    content: bytes,
    *,
    key: str = ACS_ACCESS_KEY,
    date: str | None = None,
) -> dict[str, str]:
    """The three headers of ACS request signing."""
    date = date or formatdate(usegmt=True)
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    text = f"{method}\n{path}\n{date};{host};{digest}"
    signature = base64.b64encode(
        hmac.digest(base64.b64decode(key), text.encode(), "sha256")
    ).decode()
    return {
        "x-ms-date": date,
        "x-ms-content-sha256": digest,
        "Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256"
        f"&Signature={signature}",
    }


@contextmanager
def running_sandbox(
    *arguments: str, speed: float = 10.0, state: Path | None = None, port: int = 0
) -> Iterator[RunningSandbox]:
    """Starts `python -m trackcenter.sandbox` on a free port and ends it afterwards."""
    command = [sys.executable, "-m", "trackcenter.sandbox", "--port", str(port)]
    command += ["--speed", str(speed), *(["--state", str(state)] if state else []), *arguments]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(SOURCES), "PATH": "/usr/bin:/bin"},
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("Sandbox ready at "), f"the sandbox did not start: {line!r}"
        yield RunningSandbox(line.removeprefix("Sandbox ready at ").strip(), process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
