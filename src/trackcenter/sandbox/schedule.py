"""What is still to happen, kept in the store until it is done.

Two sorts of jobs: *steps* (a message is delivered, fails, is opened …), run at once on the event
loop, and *pushes* (to a webhook), grouped by target so that one request carries several. A push
that fails is tried again with growing pauses; a job is deleted only when it is done, so a
restart goes on where it was and nothing is lost. Deliveries are at least once, as in life.
"""

import asyncio
import json
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto

from trackcenter.sandbox.faults import Faults
from trackcenter.sandbox.state import Json, Row, Store

log = logging.getLogger(__name__)

_AT_MOST_AT_ONCE = 100
_PUSHES_AT_ONCE = 8
_GATHER = 0.02
"""How long the loop waits for company before it looks: pushes then travel together."""


class Answer(Enum):
    """What a webhook's reply means for the push."""

    DONE = auto()
    AGAIN = auto()
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do; `body` is decoded JSON."""

    id: int
    kind: str
    target: str
    body: Json
    tries: int
    since: float


StepHandler = Callable[[Job], None]
PushHandler = Callable[[str, list[Job]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class _Push:
    handler: PushHandler
    together: int
    give_up_after: float
    longest_pause: float


class Schedule:
    """The jobs and the loop that does them."""

    def __init__(self, store: Store, faults: Faults, *, speed: float) -> None:
        self._store = store
        self._faults = faults
        self._speed = speed
        self._steps: dict[str, StepHandler] = {}
        self._pushes: dict[str, _Push] = {}
        self._wake = asyncio.Event()
        self._under_way: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(_PUSHES_AT_ONCE)

    def on_step(self, kind: str, handler: StepHandler) -> None:
        """Names what does a step."""
        self._steps[kind] = handler

    def on_push(
        self,
        kind: str,
        handler: PushHandler,
        *,
        together: int,
        give_up_after: float,
        longest_pause: float = 10.0,
    ) -> None:
        """Names what pushes: so many jobs in one request, tried for so many seconds.

        Pauses between tries double from a quarter of a second up to the longest; the real
        services wait longer, a demo should not.
        """
        self._pushes[kind] = _Push(handler, together, give_up_after, longest_pause)

    def later(self, seconds: tuple[float, float], kind: str, target: str, body: Json) -> None:
        """Plans a step some time from now; the pause is divided by the speed."""
        self._add(time.time() + self._faults.spread(*seconds) / self._speed, kind, target, body)

    def push(self, kind: str, target: str, body: Json) -> None:
        """Plans a push for now; the faults may double it or hold it back."""
        now = time.time()
        settings = self._faults.settings
        due = now
        if self._faults.happens(settings.shufflePush):
            due += self._faults.spread(0.2, 3.0) / self._speed
        self._add(due, kind, target, body)
        if self._faults.happens(settings.duplicatePush):
            self._add(now + self._faults.spread(0.0, 2.0) / self._speed, kind, target, body)

    def _add(self, due: float, kind: str, target: str, body: Json) -> None:
        self._store.run(
            "INSERT INTO jobs (due, kind, target, body, since) VALUES (?, ?, ?, ?, ?)",
            (due, kind, target, json.dumps(body), time.time()),
        )
        self._wake.set()

    def drop_target(self, target: str) -> None:
        """Forgets every push to a target that exists no more."""
        self._store.run("DELETE FROM jobs WHERE target = ?", (target,))

    def waiting(self) -> int:
        """How many jobs are left."""
        return self._store.number("SELECT COUNT(*) FROM jobs")

    async def run(self) -> None:
        """Does jobs until cancelled."""
        while True:
            self._wake.clear()
            if self._start_due():
                await asyncio.sleep(0)
                continue
            next_due = self._next_due()
            try:
                async with asyncio.timeout(next_due):
                    await self._wake.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(_GATHER)

    async def stop(self) -> None:
        """Cancels pushes under way; their jobs stay in the store."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _next_due(self) -> float:
        row = self._store.one(
            "SELECT due FROM jobs WHERE due > ? ORDER BY due LIMIT 1", (time.time(),)
        )
        if row is None:
            return 5.0
        return min(5.0, max(_GATHER, float(row["due"]) - time.time()))

    def _start_due(self) -> bool:
        """Starts what is due; true when there was more than one round takes."""
        limit = _AT_MOST_AT_ONCE + len(self._under_way)
        rows = self._store.all(
            "SELECT * FROM jobs WHERE due <= ? ORDER BY due LIMIT ?",
            (time.time(), limit),
        )
        pushes: dict[tuple[str, str], list[Job]] = defaultdict(list)
        for row in rows:
            if row["id"] in self._under_way:
                continue
            job = _job(row)
            if job.kind in self._steps:
                with self._store.transaction():
                    self._store.run("DELETE FROM jobs WHERE id = ?", (job.id,))
                    self._steps[job.kind](job)
            elif job.kind in self._pushes:
                pushes[job.kind, job.target].append(job)
            else:
                # A state file of another version; nobody is left who could do this.
                self._store.run("DELETE FROM jobs WHERE id = ?", (job.id,))
        for (kind, target), jobs in pushes.items():
            together = self._pushes[kind].together
            for start in range(0, len(jobs), together):
                batch = jobs[start : start + together]
                self._under_way.update(job.id for job in batch)
                task = asyncio.create_task(self._push(kind, target, batch))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return len(rows) == limit

    async def _push(self, kind: str, target: str, jobs: list[Job]) -> None:
        push = self._pushes[kind]
        ids = [job.id for job in jobs]
        try:
            async with self._places:
                answer = await push.handler(target, jobs)
            now = time.time()
            with self._store.transaction():
                for job in jobs:
                    too_old = now - job.since > push.give_up_after
                    if answer is Answer.AGAIN and not too_old:
                        pause = min(push.longest_pause, 0.25 * 2 ** min(job.tries, 16))
                        self._store.run(
                            "UPDATE jobs SET due = ?, tries = tries + 1 WHERE id = ?",
                            (now + pause * self._faults.spread(0.8, 1.2), job.id),
                        )
                    else:
                        self._store.run("DELETE FROM jobs WHERE id = ?", (job.id,))
            if answer is Answer.NEVER:
                log.warning("a webhook refused %d of its pushes for good", len(jobs))
        finally:
            self._under_way.difference_update(ids)
            self._wake.set()


def _job(row: Row) -> Job:
    return Job(
        id=row["id"],
        kind=row["kind"],
        target=row["target"],
        body=json.loads(row["body"]),
        tries=row["tries"],
        since=row["since"],
    )
