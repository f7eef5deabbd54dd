"""How a task is declared, so that procrastinate is known to this folder only."""

from collections.abc import Callable
from typing import Any

from procrastinate import JobContext
from procrastinate.contrib.django import app

from trackcenter.queue.dead import remember_failure
from trackcenter.queue.periodic import forget_failed_runs
from trackcenter.queue.publish import MAINTENANCE
from trackcenter.queue.retry import ByPermanence, RetryAt, counted

HANDLERS: dict[str, Callable[..., Any]] = {}
"""What works a message, by the name of its task: for messages that come by the Service Bus."""


def task(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as the task `name`; it gets the message's keys as keyword arguments."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        # `context` may not be a key of the message: it is positional here.
        def run(context: JobContext, /, **message: Any) -> None:
            try:
                function(**message)
            except RetryAt:
                raise
            except Exception as error:
                counted(error, remember_failure(context.job.id, error))
                raise

        HANDLERS[name] = function
        app.task(name=name, retry=ByPermanence(), pass_context=True)(run)
        return function

    return register


def every(cron: str, name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Run a function on a schedule (cron, UTC; sixth field: seconds), once however many workers.

    A run that fails is logged and not repeated: the next one comes anyway.
    """

    def register(function: Callable[[], None]) -> Callable[[], None]:
        def run(timestamp: int) -> None:  # noqa: ARG001 - procrastinate passes it
            function()

        # The lock keeps two runs of one task from overlapping; the queueing lock, from piling up.
        declared = app.task(name=name, queue=MAINTENANCE, lock=name, queueing_lock=name)(run)
        app.periodic(cron=cron)(declared)
        return function

    return register


@every("41 4 * * 0", "forget-failed-runs")
def forget_failures() -> None:
    """Once a week."""
    forget_failed_runs()
