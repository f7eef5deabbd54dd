"""`./track demo`: everything on this machine, a year of bills going out, receipts coming back.

Three processes besides this one (sandbox, web, worker), all on one data folder, all running the
production code. Each step looks at what is there already, so a demo that was stopped anywhere,
however rudely, goes on from there.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from trackcenter import embedded
from trackcenter.cli.start import application, console, migrate, stop
from trackcenter.config.environment import PREFIX
from trackcenter.kit.processes import end_with_parent

CLIENT_ID = "5f2c9f0e-4d53-4a4e-9f0b-6f6b0e3a7d11"
MAILBOX = "billing@landlord.example"
SMS_SENDER = "+4930567890"
USER = "admin"
PATIENCE = 60.0


@dataclass
class Facts:
    """`demo.json`, as the contract names it; written with the owner's eyes only."""

    url: str
    username: str
    password: str
    apiToken: str  # noqa: N815 - the file's names
    sandboxUrl: str  # noqa: N815
    databaseUrl: str  # noqa: N815
    adminDatabaseUrl: str  # noqa: N815


@dataclass
class Keys:
    """Secrets the processes share; kept so that a later start goes on with the same ones."""

    client_secret: str
    client_state: str
    event_grid: str
    acs_access_key: str
    password: str
    sandbox_port: int


def run(*, port: int, data: Path, fresh: bool) -> None:
    """Run the demo until Ctrl-C, SIGTERM or the end of one of its parts."""
    started = time.monotonic()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    if fresh:
        _forget(data)
    if not _free(port):
        stop(f"Port {port} is taken; use --port with another one.")
    data.mkdir(parents=True, exist_ok=True)
    keys = _keys(data)
    url, sandbox_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{keys.sandbox_port}"
    _configure(data, url, sandbox_url, keys)
    with ExitStack() as stack:
        console.print("Starting the database …")
        try:
            server = stack.enter_context(embedded.running(data))
        except embedded.EmbeddedError as error:
            stop(str(error))
        os.environ["_TRACKCENTER_EMBEDDED_APP_URL"] = server.app_url
        os.environ["_TRACKCENTER_EMBEDDED_OWNER_URL"] = server.owner_url
        stack.enter_context(application())
        migrate()
        console.print("Starting the sandbox, the web server and a worker …")
        parts = {
            "sandbox": _sandbox(data, url, keys),
            "web server": ["serve", "--port", str(port)],
            "worker": ["worker"],
        }
        processes = {
            name: stack.enter_context(_process(data, name, arguments))
            for name, arguments in parts.items()
        }
        _wait_until_ready(processes, (f"{sandbox_url}/healthz", f"{url}/readyz"), stopped)
        if stopped.is_set():
            return
        facts = _people(data, url, sandbox_url, keys, server)
        console.print(
            f"\nTrack Center is at [bold]{url}[/bold]   ({time.monotonic() - started:.1f} s)\n"
            f"  user      {facts.username}\n"
            f"  password  {facts.password}\n"
            f"  what the recipients got: {sandbox_url}\n"
            f"  for programs: {data / 'demo.json'}\n"
            "Ctrl-C stops everything.\n"
        )
        _send_bills(stopped)
        _watch(processes, stopped)
    console.print("Stopped.")


def _configure(data: Path, url: str, sandbox_url: str, keys: Keys) -> None:
    """The settings of all processes: the contract's, pointed at the sandbox."""
    settings = {
        "DATA": str(data),
        "PUBLIC_URL": url,
        "SENDER_NAME": "Hausverwaltung Lindenhof",
        "SENDER_ADDRESS": "Lindenallee 1, 10115 Berlin",
        "PAYEE_NAME": "Hausverwaltung Lindenhof",
        "TIME_ZONE": "Europe/Berlin",
        "S10_RANGE": "RR100000000-RR199999999DE",
        "EMAIL_PROVIDER": "msgraph",
        "GRAPH_BASE_URL": f"{sandbox_url}/v1.0",
        "GRAPH_AUTHORITY": sandbox_url,
        "GRAPH_TENANT_ID": "demo",
        "GRAPH_CLIENT_ID": CLIENT_ID,
        "GRAPH_CLIENT_SECRET": keys.client_secret,
        "GRAPH_MAILBOX": MAILBOX,
        "GRAPH_CLIENT_STATE": keys.client_state,
        "ACS_ENDPOINT": sandbox_url,
        "ACS_ACCESS_KEY": keys.acs_access_key,
        "SMS_FROM": SMS_SENDER,
        "EVENTGRID_SECRETS": keys.event_grid,
    }
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        if name.removeprefix(PREFIX) not in ("LEASE_SECONDS", "WORKER_CONCURRENCY", "LOG_LEVEL"):
            del os.environ[name]
    os.environ.update({f"{PREFIX}{name}": value for name, value in settings.items()})


def _sandbox(data: Path, url: str, keys: Keys) -> list[str]:
    options = {
        "port": keys.sandbox_port,
        "state": data / "sandbox.state",
        "client-id": CLIENT_ID,
        "client-secret": keys.client_secret,
        "acs-access-key": keys.acs_access_key,
        "event-grid-url": f"{url}/api/track/providers/msgraph/sms",
        "event-grid-email-url": f"{url}/api/track/providers/acs/email",
        "event-grid-secret": keys.event_grid,
        "event-grid-schema": "alternate",
    }
    # In one word each: a secret may begin with a dash, and would be taken for another option.
    return ["sandbox", *(f"--{name}={value}" for name, value in options.items())]


def _keys(data: Path) -> Keys:
    path = data / "demo-keys.json"
    if path.exists():
        keys = Keys(**json.loads(path.read_text(encoding="utf-8")))
        if not _free(keys.sandbox_port):
            keys.sandbox_port = _free_port()
    else:
        keys = Keys(
            client_secret=secrets.token_urlsafe(24),
            client_state=secrets.token_urlsafe(24),
            event_grid=secrets.token_urlsafe(24),
            acs_access_key=_base64_key(),
            password=secrets.token_urlsafe(9),
            sandbox_port=_free_port(),
        )
    _write_private(path, asdict(keys))
    return keys


def _base64_key() -> str:
    import base64

    return base64.b64encode(secrets.token_bytes(32)).decode()


def _people(data: Path, url: str, sandbox_url: str, keys: Keys, server: embedded.Server) -> Facts:
    """The user, the token and `demo.json`; an earlier demo's token is kept while it is valid."""
    from trackcenter.access import commands
    from trackcenter.access.tokens import find_token

    commands.createadmin(USER, keys.password)
    path = data / "demo.json"
    token = ""
    with suppress(OSError, ValueError, KeyError):
        token = json.loads(path.read_text(encoding="utf-8"))["apiToken"]
    if not token or find_token(token) is None:
        token = commands.token_create(USER, role="admin")
    facts = Facts(
        url=url,
        username=USER,
        password=keys.password,
        apiToken=token,
        sandboxUrl=sandbox_url,
        databaseUrl=server.app_url,
        adminDatabaseUrl=server.superuser_url,
    )
    _write_private(path, asdict(facts))
    return facts


def _send_bills(stopped: threading.Event) -> None:
    """Import the sample and send it, the newest year first; what was sent before stays so."""
    from trackcenter.access.visible import EVERY_BUILDING
    from trackcenter.batches.services import fulfil, request_send
    from trackcenter.communications.models import Batch
    from trackcenter.imports.command import SAMPLE, import_command
    from trackcenter.providers.base import ProviderFailure
    from trackcenter.receipts.subscriptions import ensure

    patience = time.monotonic() + PATIENCE
    while not stopped.is_set():
        try:
            ensure()
            break
        except ProviderFailure as failure:
            # A machine that is still starting may be too slow for the handshake's ten seconds.
            if time.monotonic() > patience:
                stop(f"The sandbox refused the subscription: {failure}\n{failure.raw}")
            stopped.wait(1)
    import_command(SAMPLE, out=console, err=console)
    unsent = Batch.objects.filter(send_requested_at=None).select_related("building")
    for batch in unsent.order_by("-year", "building__name"):
        if stopped.is_set():
            return
        count = batch.communications.filter(delivery_status="PENDING").count()
        fulfil(request_send(EVERY_BUILDING, batch.id).id)  # unless the worker is quicker
        console.print(
            f"{batch.year}  {batch.building.name}: {count} messages on their way", markup=False
        )


@contextmanager
def _process(data: Path, name: str, arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A part of the demo, in its own process; stopped with SIGTERM, and killed if it will not."""
    log = data / "logs" / f"{name.replace(' ', '-')}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "trackcenter.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C is for this process alone, which then stops the others in order; and should
            # it be killed, they end too.
            start_new_session=True,
            preexec_fn=partial(end_with_parent, os.getpid()),
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(
    processes: dict[str, subprocess.Popen[bytes]], urls: tuple[str, ...], stopped: threading.Event
) -> None:
    deadline = time.monotonic() + PATIENCE
    waiting = list(urls)
    while waiting and not stopped.is_set():
        _stop_if_ended(processes)
        waiting = [url for url in waiting if not _answers(url)]
        if time.monotonic() > deadline:
            stop(f"{waiting[0]} does not answer; the logs are beside the data.")
        stopped.wait(0.1)


def _watch(processes: dict[str, subprocess.Popen[bytes]], stopped: threading.Event) -> None:
    """Wait for the end; meanwhile post the letters of earlier years as they become ready."""
    while not stopped.wait(2):
        _stop_if_ended(processes)
        _post_letters()


def _post_letters() -> None:
    """Print and post the letters of earlier years, so that the newest year's are what is to do."""
    from trackcenter.access.actor import actor_of
    from trackcenter.access.models import User
    from trackcenter.batches import printing
    from trackcenter.batches.models import PrintRun
    from trackcenter.communications.models import Batch

    admin = actor_of(User.objects.get(username=USER))
    years = sorted(set(Batch.objects.values_list("year", flat=True)))
    for batch in Batch.objects.filter(
        year__in=years[:-1], print_runs=None, completed_at__isnull=False
    ):
        if printing.ready_letters(batch).exists():
            printing.request_run(admin, batch.id)
    for run in PrintRun.objects.filter(status="READY", batch__year__in=years[:-1]):
        printing.mark_posted(admin, run.id, posted_on=printing.today(run))


def _stop_if_ended(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, process in processes.items():
        if process.poll() is not None:
            stop(f"The {name} ended by itself (exit {process.returncode}); see its log.")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    """One that stays free: below those that systems give to whoever asks for any (from 32768)."""
    while not _free(port := secrets.choice(range(20_000, 32_000))):
        pass
    return port


def _write_private(path: Path, content: dict[str, object]) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    part.replace(path)


def _forget(data: Path) -> None:
    """Remove what an earlier demo left in this folder, and nothing else."""
    import shutil

    embedded.discard(data)
    for name in ("files", "logs", "keys"):
        shutil.rmtree(data / name, ignore_errors=True)
    for name in ("demo.json", "demo-keys.json", "sandbox.state"):
        (data / name).unlink(missing_ok=True)
