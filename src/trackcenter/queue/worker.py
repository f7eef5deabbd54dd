"""The worker process: takes jobs, keeps its heartbeat, and rescues the jobs of dead workers."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import psycopg
from django.conf import settings
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from trackcenter.queue.publish import TOPICS, service_bus_in_use

log = logging.getLogger(__name__)


def run(queues: Sequence[str], *, concurrency: int) -> None:
    """Work on these queues until SIGTERM or SIGINT, then finish what is under way and return.

    A database that goes away is waited for. Jobs left by a worker that died are taken up again
    once its heartbeat is older than `settings.LEASE_SECONDS`.
    """
    asyncio.run(_run(list(queues), concurrency))


async def _run(queues: list[str], concurrency: int) -> None:
    lease = float(settings.LEASE_SECONDS)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Every job runs in a thread of this pool, with a database connection of its own.
    loop.set_default_executor(ThreadPoolExecutor(concurrency + 2, "worker"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with _receiving(queues, concurrency, lease, stop):
        await _work(queues, concurrency, lease, stop)


@asynccontextmanager
async def _receiving(
    queues: list[str], concurrency: int, lease: float, stop: asyncio.Event
) -> AsyncIterator[None]:
    """Receive from the Service Bus meanwhile, where it is in use; both stop at once."""
    if not service_bus_in_use():
        yield
        return
    from trackcenter.queue.servicebus.broker import senders
    from trackcenter.queue.servicebus.receive import Receivers

    topics = [queue for queue in queues if queue in TOPICS]
    receivers = Receivers(topics, concurrency=concurrency, lease=lease)
    receivers.start()

    async def stop_too() -> None:
        await stop.wait()
        receivers.stop()

    stopping = asyncio.create_task(stop_too())
    try:
        yield
    finally:
        stopping.cancel()
        receivers.stop()
        await asyncio.to_thread(receivers.join)
        await asyncio.to_thread(senders.close)


async def _work(queues: list[str], concurrency: int, lease: float, stop: asyncio.Event) -> None:
    while not stop.is_set():
        connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
        try:
            with app.replace_connector(connector) as live:
                async with live.open_async():
                    await _until_stopped(live, queues, concurrency, lease, stop)
        except (ConnectorException, psycopg.Error, OSError) as error:
            log.warning("the queue is out of reach, trying again", extra={"error": repr(error)})
            await _wait(stop, 1.0)


async def _until_stopped(
    live: App, queues: list[str], concurrency: int, lease: float, stop: asyncio.Event
) -> None:
    worker = asyncio.create_task(
        live.run_worker_async(
            queues=queues,
            concurrency=concurrency,
            fetch_job_polling_interval=min(5.0, lease / 2),
            update_heartbeat_interval=lease / 4,
            stalled_worker_timeout=lease,
            shutdown_graceful_timeout=lease,
            install_signal_handlers=False,
            delete_jobs="successful",
        )
    )
    rescuer = asyncio.create_task(_rescue_for_ever(live, lease))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({worker, rescuer, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (rescuer, stopping, worker):
            task.cancel()
        results = await asyncio.gather(worker, rescuer, stopping, return_exceptions=True)
    for result in results[:2]:
        if isinstance(result, Exception):
            raise result


async def _rescue_for_ever(live: App, lease: float) -> None:
    while True:
        await rescue(live, lease)
        await asyncio.sleep(lease / 3)


async def rescue(live: App, lease: float) -> int:
    """Put the jobs of workers without a heartbeat for `lease` seconds back in the queue."""
    manager = live.job_manager
    # Forgetting a dead worker leaves its jobs without one, which is what 'stalled' looks at too.
    await manager.prune_stalled_workers(lease)
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=lease))
    for job in stalled:
        await manager.retry_job(job)
    if stalled:
        log.warning("took up the jobs of a worker that died", extra={"jobs": len(stalled)})
    return len(stalled)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
