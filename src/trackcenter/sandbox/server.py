"""The server: one aiohttp process on loopback, its middleware, its start and its end."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
from aiohttp import web

from trackcenter.sandbox import (
    acs,
    event_grid,
    graph,
    inbox,
    listing,
    mailbox,
    subscriptions,
    tokens,
    uploads,
)
from trackcenter.sandbox.context import SANDBOX, Sandbox
from trackcenter.sandbox.faults import Faults
from trackcenter.sandbox.options import SandboxOptions
from trackcenter.sandbox.schedule import Schedule
from trackcenter.sandbox.state import Store
from trackcenter.sandbox.wire import (
    WireError,
    acs_answer,
    graph_answer,
    is_loopback_host,
    new_guid,
    problem,
)

HOST = "127.0.0.1"
_LARGEST_REQUEST = 16 * 1024 * 1024
_LOST_PATHS = frozenset({"/sms", "/emails:send"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)


def serve(
    port: int = 0,
    options: SandboxOptions | None = None,
    *,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serves on 127.0.0.1 until SIGINT or SIGTERM; blocks.

    `on_ready` is called with the base URL once requests are answered; port 0 takes a free one.

    Raises:
        OSError: the port is taken, or the state file cannot be opened.
    """
    asyncio.run(_serve(port, options or SandboxOptions(), on_ready))


async def _serve(
    port: int, options: SandboxOptions, on_ready: Callable[[str], None] | None
) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Signals reach the main thread only; elsewhere the caller cancels instead.
        with contextlib.suppress(RuntimeError, ValueError):
            loop.add_signal_handler(number, stopped.set)
    async with running(port, options) as base_url:
        if on_ready is not None:
            on_ready(base_url)
        await stopped.wait()


@contextlib.asynccontextmanager
async def running(port: int, options: SandboxOptions) -> AsyncIterator[str]:
    """A sandbox inside a running event loop; yields its base URL."""
    app = web.Application(middlewares=[_middleware], client_max_size=_LARGEST_REQUEST)
    for part in (listing, graph, uploads, acs, event_grid, inbox):
        app.add_routes(part.routes())
    # Last: its first segment is a tenant and fits anything.
    app.add_routes(tokens.routes())
    runner = web.AppRunner(
        app, access_log=None, handle_signals=False, shutdown_timeout=1.0, keepalive_timeout=75.0
    )
    store = Store(options.state)
    faults = Faults(store)
    schedule = Schedule(store, faults, speed=options.speed)
    try:
        async with aiohttp.ClientSession(
            headers={"User-Agent": "sandbox"}, trust_env=False
        ) as client:
            # The port is known only after binding, the application is frozen by setup().
            sock = _bind(port)
            base_url = f"http://{HOST}:{sock.getsockname()[1]}"
            box = Sandbox(options, store, faults, schedule, client, base_url)
            app[SANDBOX] = box
            schedule.on_step("mail-step", lambda job: mailbox.happen(box, job))
            for registering in (acs, event_grid, subscriptions):
                registering.register(box)
            event_grid.add_targets(box, options.event_grid)
            await runner.setup()
            await web.SockSite(runner, sock, backlog=1024).start()
            loop_of_jobs = asyncio.create_task(schedule.run())
            loop_of_jobs.add_done_callback(_report_end)
            try:
                yield base_url
            finally:
                loop_of_jobs.cancel()
                await schedule.stop()
                await runner.cleanup()
    finally:
        store.close()


def _bind(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError:
        sock.close()
        raise
    return sock


def _report_end(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("the schedule stopped", exc_info=error)


@web.middleware
async def _middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Loopback names only; faults; errors in each service's words; lost replies."""
    if not is_loopback_host(request.url.host):
        return problem(421, "The sandbox answers to loopback names only.")
    path = request.path
    is_graph = path.startswith(("/v1.0/", "/upload/"))
    is_acs = path.startswith(("/sms", "/deliveryReports/", "/emails"))
    if not is_graph and not is_acs:
        return await handler(request)
    box = request.app[SANDBOX]
    request_id = new_guid()
    client_request_id = request.headers.get("client-request-id", request_id)
    try:
        await _trouble(box, is_graph=is_graph)
        reply = await handler(request)
    except WireError as error:
        reply = (
            graph_answer(error, request_id, client_request_id) if is_graph else acs_answer(error)
        )
    except web.HTTPException as error:
        if error.status < 400:
            raise
        named = WireError(error.status, "BadRequest", error.reason)
        reply = (
            graph_answer(named, request_id, client_request_id) if is_graph else acs_answer(named)
        )
    reply.headers["request-id" if is_graph else "x-ms-request-id"] = request_id
    if is_graph:
        reply.headers["client-request-id"] = client_request_id
    may_be_lost = path in _LOST_PATHS or request.get("handler") in graph.LOST_REPLIES
    if (
        may_be_lost
        and request.method == "POST"
        and reply.status < 300
        and box.faults.happens(box.faults.settings.lostReply)
        and request.transport is not None
    ):
        request.transport.abort()
    return reply


async def _trouble(box: Sandbox, *, is_graph: bool) -> None:
    """What the faults ask for before a request is looked at."""
    settings = box.faults.settings
    if settings.slowMs:
        await asyncio.sleep(settings.slowMs / 1000)
    if box.faults.happens(settings.rate429):
        raise WireError(
            429,
            "ApplicationThrottled" if is_graph else "TooManyRequests",
            "Application is over its MailboxConcurrency limit."
            if is_graph
            else "The request was throttled; wait as long as Retry-After says.",
            {"Retry-After": "1"},
        )
    if box.faults.happens(settings.rate503):
        raise WireError(
            503,
            "ServiceNotAvailable" if is_graph else "ServiceUnavailable",
            "The service is temporarily unavailable. Try again later.",
        )
