"""How many calls to Graph may be under way at once, counted over all processes.

Microsoft allows four a mailbox and application. A place is a session lock of PostgreSQL: it goes
with its connection, so a worker that dies gives it back, and no transaction stays open for it.
"""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache

from django.conf import settings

from trackcenter.delivery import pacing
from trackcenter.kit.clock import now
from trackcenter.kit.sql import prepared
from trackcenter.providers.base import ProviderFailure
from trackcenter.queue.retry import RetryAt

_FAMILY = 0x6772_6170  # 'grap': the first half of our locks' names
_PATIENCE_SECONDS = 10.0
_mine = threading.local()


@cache
def _threads(count: int) -> threading.BoundedSemaphore:
    """The threads of one process queue here first, so that only so many ask the database."""
    return threading.BoundedSemaphore(count)


@contextmanager
def graph_slot() -> Iterator[None]:
    """Hold one of GRAPH_CONCURRENCY places during the block; `RetryAt` when none came free.

    A thread that holds one already goes on with it.
    """
    if getattr(_mine, "held", False):
        yield
        return
    count: int = settings.GRAPH_CONCURRENCY
    ends = time.monotonic() + _PATIENCE_SECONDS
    threads = _threads(count)
    if not threads.acquire(timeout=_PATIENCE_SECONDS):
        raise _busy()
    try:
        number = _lock(count, ends)
        _mine.held = True
        try:
            yield
        finally:
            _mine.held = False
            # False when the connection, and the lock with it, was lost meanwhile.
            _ask("SELECT pg_advisory_unlock(%s::int, %s::int)", number)
    finally:
        threads.release()


@contextmanager
def mailbox_slot(mailbox: str) -> Iterator[None]:
    """A place for reading one mailbox, with the same pause as for sending from it.

    `RetryAt` while Microsoft wants the mailbox left alone; a refusal in the block that says for how
    long begins such a pause.
    """
    until = pacing.told_to_wait("EMAIL", mailbox)
    if until is not None:
        raise RetryAt(until, "Microsoft asked us to leave this mailbox alone for a while")
    try:
        with graph_slot():
            yield
    except ProviderFailure as failure:
        if failure.retry_after:
            pause = timedelta(seconds=failure.retry_after)
            pacing.hold(
                "EMAIL",
                mailbox,
                now() + pause,
                code=pacing.RETRY_AFTER,
                because=failure.message,
            )
        raise


def _lock(count: int, ends: float) -> int:
    numbers = random.sample(range(count), count)
    pause = threading.Event()
    while True:
        for number in numbers:
            if _ask("SELECT pg_try_advisory_lock(%s::int, %s::int)", number):
                return number
        if time.monotonic() > ends:
            raise _busy()
        pause.wait(random.uniform(0.01, 0.05))  # noqa: S311 - spreads the askers


def _ask(sql: str, number: int) -> bool:
    return bool(prepared(sql, [_FAMILY, number])[0][0])


def _busy() -> RetryAt:
    wait = timedelta(seconds=random.uniform(1, 3))  # noqa: S311
    return RetryAt(now() + wait, "every place for a call to Microsoft Graph is taken")
