"""When a failed job runs again. The one place that reads `permanent`."""

import logging
from datetime import datetime, timedelta
from random import uniform

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from trackcenter.kit.clock import now

log = logging.getLogger(__name__)

MAX_RUNS = 30
LONGEST_PAUSE = 300.0


class RetryAt(Exception):
    """Run this job again at `at` (aware): raised by a task that knows when help may come."""

    def __init__(self, at: datetime, reason: str) -> None:
        self.at = at
        super().__init__(reason)


def counted(error: Exception, failures: int) -> None:
    """Say on an error how many runs of its job have failed by now, this one included."""
    error.failures = failures  # type: ignore[attr-defined]


def pause(runs: int) -> float:
    """Seconds until the next run: doubling from one second, at most five minutes, with jitter."""
    return float(min(LONGEST_PAUSE, 2.0 ** min(runs, 16)) * uniform(0.75, 1.25))  # noqa: S311


class ByPermanence(BaseRetryStrategy):
    """A permanent error kills the job at once; after MAX_RUNS failures, ever further apart, so
    does another one. Only failures count: a job that waited its turn a hundred times, or was cut
    off with the database, has lost no patience.

    A job that dies stays in the queue's table as failed: `trackcenter jobs dead` lists it with its
    reason, `trackcenter jobs requeue` runs it again.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, RetryAt):
            return RetryDecision(retry_at=exception.at)
        log.warning(
            "a job failed", extra={"task": job.task_name, "job": job.id}, exc_info=exception
        )
        failures: int = getattr(exception, "failures", 1)
        if getattr(exception, "permanent", False) or failures > MAX_RUNS:
            return None
        # What a provider wants to be waited for is no shorter than our own pause.
        named: float = getattr(exception, "retry_after", None) or 0.0
        wait = max(pause(failures - 1), named)
        return RetryDecision(retry_at=now() + timedelta(seconds=wait))
