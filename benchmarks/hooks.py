"""What the two ingest benchmarks share: servers, reports, and eight connections that push them."""

import hashlib
import hmac
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.export import a_server
from benchmarks.peers import python_with

CONNECTIONS = 8
SECRET = "bench-secret"  # noqa: S105
SIGNING_KEY = "signing-key"
ROOT = Path(__file__).resolve().parents[1]
PEER = (
    "django>=5.2,<5.3",
    "django-anymail[mailgun]==15.2",
    "granian==2.8.7",
    "psycopg[binary]==3.3.9",
)


@dataclass(frozen=True)
class Round:
    """One candidate's run: reports a second, and the server's CPU milliseconds a report."""

    per_second: float
    cpu_ms: float


@dataclass
class Place:
    """A migrated database, and the environment that leads to it."""

    url: str
    environment: dict[str, str]


@contextmanager
def a_place() -> Iterator[Place]:
    """Everything in a folder and a database that are thrown away afterwards."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(a_server(folder))
        name = f"bench_{os.getpid()}"
        parts = conninfo_to_dict(server)
        password = f":{parts['password']}" if "password" in parts else ""
        url = (
            f"postgresql://{parts['user']}{password}@/{name}"
            f"?host={parts['host']}&port={parts.get('port', 5432)}"
        )
        control = stack.enter_context(psycopg.connect(server, autocommit=True))
        control.execute(f"CREATE DATABASE {name}".encode())
        stack.callback(control.execute, f"DROP DATABASE {name} WITH (FORCE)".encode())
        kept = {key: word for key, word in os.environ.items() if not key.startswith("TRACKCENTER_")}
        environment = {
            **kept,
            "DJANGO_SETTINGS_MODULE": "trackcenter.config.settings",
            "TRACKCENTER_DATABASE_URL": url,
            "TRACKCENTER_DATA": str(folder / "data"),
            "TRACKCENTER_EVENTGRID_SECRETS": SECRET,
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        }
        migrate = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, env=environment, check=True)
        yield Place(url, environment)


@contextmanager
def a_web_server(
    python: str | Path, application: str, environment: dict[str, str]
) -> Iterator["Server"]:
    """granian as `trackcenter serve` runs it, for either side."""
    from trackcenter.cli.web import PROCESSES, THREADS

    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [
        str(python), "-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-log",
        "--workers", str(PROCESSES), "--blocking-threads", str(THREADS),
        # A worker that still starts does not hear that it shall stop.
        "--workers-kill-timeout", "5", application,
    ]  # fmt: skip
    process = subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(frozen=True)
class Server:
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Of the process and its children, so far."""
        ticks = 0
        for pid in [self.pid, *_children(self.pid)]:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
            ticks += sum(int(number) for number in fields.split()[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(each) for each in found]


def _wait_for(port: int) -> None:
    ends = time.monotonic() + 120  # a busy machine
    while time.monotonic() < ends:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.05)
    raise SystemExit("the server does not start")


# Reports


def sms_event(key: str) -> dict[str, Any]:
    """An SMS delivery report as Event Grid pushes it."""
    return {
        "id": key,
        "topic": "/subscriptions/s/resourceGroups/g/providers/microsoft.communication/c",
        "subject": "/phonenumber/+4930123456",
        "eventType": "Microsoft.Communication.SMSDeliveryReportReceived",
        "eventTime": "2026-01-05T10:00:00.123Z",
        "dataVersion": "1.0",
        "metadataVersion": "1",
        "data": {
            "messageId": f"Outgoing_{key}",
            "from": "+4930999999",
            "to": "+4930123456",
            "deliveryStatus": "Delivered",
            "deliveryStatusDetails": "No error.",
            "deliveryAttempts": [
                {"timestamp": "2026-01-05T10:00:00Z", "segmentsSucceeded": 1, "segmentsFailed": 0}
            ],
            "receivedTimestamp": "2026-01-05T10:00:00Z",
            "tag": key,
        },
    }


def mailgun_event(key: str) -> bytes:
    """The same news as Mailgun pushes it, signed."""
    stamp, token = str(int(time.time())), uuid4().hex
    signature = hmac.new(SIGNING_KEY.encode(), f"{stamp}{token}".encode(), hashlib.sha256)
    body = {
        "signature": {"timestamp": stamp, "token": token, "signature": signature.hexdigest()},
        "event-data": {
            "event": "delivered",
            "id": key,
            "timestamp": 1767607200.123,
            "recipient": "resident@example.org",
            "tags": [],
            "message": {"headers": {"message-id": f"{key}@example.org"}},
            "delivery-status": {"code": 250, "message": "OK", "attempt-no": 1},
            "user-variables": {},
        },
    }
    return json.dumps(body).encode()


def keys(count: int, *, duplicates: float = 0.0, misplaced: float = 0.0) -> list[str]:
    """Identities of reports; some come again, and some out of their order."""
    chance = random.Random(3)
    made = [uuid4().hex for _ in range(count)]
    again = [chance.choice(made) for _ in range(round(count * duplicates))]
    for one in again:
        made.insert(chance.randrange(len(made)), one)
    for _ in range(round(count * misplaced)):
        made.insert(chance.randrange(len(made)), made.pop(chance.randrange(len(made))))
    return made


# Pushing


def push(server: Server, target: str, bodies: Sequence[bytes], headers: str = "") -> Round:
    """Push bodies over eight connections; each waits for its answer, which must be a 200."""
    shares = [bodies[start::CONNECTIONS] for start in range(CONNECTIONS)]
    head = (
        f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{headers}"
    )

    def work(share: Sequence[bytes]) -> None:
        with closing(socket.create_connection(("127.0.0.1", server.port))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reader = connection.makefile("rb")
            for body in share:
                connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                status, length = reader.readline(), 0
                while (line := reader.readline().strip().lower()) != b"":
                    if line.startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                answer = reader.read(length)
                if b" 200 " not in status:
                    raise SystemExit(f"{target}: {status!r} {answer[:300]!r}")

    cpu, seconds = server.cpu_seconds(), together(work, shares)
    used = server.cpu_seconds() - cpu
    return Round(len(bodies) / seconds, 1000 * used / len(bodies))


def together(work: Callable[[Any], None], shares: Sequence[Any]) -> float:
    """Run all shares at once, a thread each; the seconds until the last one ended."""
    failed: list[BaseException] = []

    def guarded(share: Any) -> None:
        try:
            work(share)
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(share,)) for share in shares]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return time.perf_counter() - begun


def our_server(place: Place) -> Any:
    """The product's web server."""
    return a_web_server(sys.executable, "trackcenter.config.wsgi:application", place.environment)


def anymail_server(place: Place) -> Any:
    """The peer's."""
    python = python_with("anymail", *PEER)
    environment = {**os.environ, "PEER_DATABASE": place.url, "PYTHONPATH": str(ROOT)}
    return a_web_server(python, "benchmarks.peer_anymail:application", environment)


OURS = "/api/track/providers/msgraph/sms"
OUR_HEADERS = f"aeg-sas-key: {SECRET}\r\naeg-event-type: Notification\r\n"
ANYMAIL = "/anymail/mailgun/tracking/"


def show(name: str, rounds: Sequence[Round], what: str = "reports") -> None:
    """One candidate's line."""
    speed = statistics.median(each.per_second for each in rounds)
    cpu = statistics.median(each.cpu_ms for each in rounds)
    cost = f"{cpu:7.2f} CPU-ms each" if cpu else ""
    print(f"  {name:22}{speed:9,.0f} {what}/s {cost}")


def ratio(ours: Sequence[Round], theirs: Sequence[Round]) -> float:
    """The median over the rounds of our speed by theirs."""
    return statistics.median(
        one.per_second / other.per_second for one, other in zip(ours, theirs, strict=True)
    )
