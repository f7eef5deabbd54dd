"""Workers that die, or are overtaken, at a chosen step of one send.

A step is everything that leaves the process: each statement to the database and each request to a
provider, counted once before it is done and once after.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from django.db import connection

from trackcenter.communications.models import Attempt, AttemptOutcome, Communication
from trackcenter.delivery.services import deliver
from trackcenter.kit.clock import now
from trackcenter.providers.wire import Pool
from trackcenter.queue.payloads import SendCommunicationJob
from trackcenter.queue.retry import RetryAt

Fate = Literal["dies", "is overtaken"]


class Crash(BaseException):
    """The end of a process."""


@dataclass
class Plan:
    """What happens to a worker at which step; `second` is the worker that overtakes it."""

    fates: Mapping[int, Fate] = field(default_factory=dict)
    second: "Plan | None" = None
    passed: int = 0


_running = threading.local()


def _step() -> None:
    """Called by whatever leaves the process."""
    run: Run | None = getattr(_running, "run", None)
    if run is None:
        return
    run.plan.passed += 1
    fate = run.plan.fates.get(run.plan.passed)
    if fate == "dies":
        raise Crash
    # Inside a transaction the first worker holds the row: nobody could overtake it there.
    if fate == "is overtaken" and not connection.in_atomic_block:
        run.lease_runs_out()
        Run(run.one, run.plan.second or Plan()).work()


class Run:
    """One worker's run of a communication's job, in a thread and a connection of its own."""

    def __init__(self, one: Communication, plan: Plan | None = None) -> None:
        self.one = one
        self.plan = plan or Plan()

    def work(self) -> None:
        """Run the job to its end, or to the worker's."""
        failed: list[BaseException] = []
        thread = threading.Thread(target=self._in_thread, args=(failed,))
        thread.start()
        thread.join(60)
        assert not thread.is_alive(), "the worker hangs"
        if failed:
            raise failed[0]

    def lease_runs_out(self) -> None:
        """Time passes: neither a lease nor a pause is left."""
        _elsewhere(
            lambda: Attempt.objects.filter(communication=self.one).update(
                lease_until=now() - timedelta(seconds=1), next_try_at=now()
            )
        )

    def _in_thread(self, failed: list[BaseException]) -> None:
        _running.run = self
        job = SendCommunicationJob(self.one.id, self.one.channel)  # type: ignore[arg-type]
        try:
            with connection.execute_wrapper(_around_sql):
                deliver(job)
            # The queue forgets the job of a run that ends like this, whoever works it by now.
            assert not is_open(self.one), "nobody is left to work the attempt"
        except (Crash, RetryAt):
            pass
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failed.append(error)
        finally:
            _running.run = None
            connection.close()


def is_open(one: Communication) -> bool:
    """Whether its attempt is still to be worked."""
    return Attempt.objects.get(communication=one).outcome == AttemptOutcome.OPEN


def _elsewhere(action: Callable[[], Any]) -> None:
    """Do something on a connection of its own."""

    def run() -> None:
        try:
            action()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)


def _around_sql(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
    _step()
    result = execute(sql, params, many, context)
    _step()
    return result


@contextmanager
def requests_are_steps() -> Iterator[None]:
    """Count the requests of every pool, too."""
    call = Pool.call

    def counted(self: Pool, *arguments: Any, **options: Any) -> Any:
        _step()
        reply = call(self, *arguments, **options)
        _step()
        return reply

    Pool.call = counted  # type: ignore[method-assign]
    try:
        yield
    finally:
        Pool.call = call  # type: ignore[method-assign]
