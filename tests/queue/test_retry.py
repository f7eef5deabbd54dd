from datetime import timedelta

import pytest
from procrastinate.jobs import Job

from trackcenter.kit.clock import now
from trackcenter.providers.base import ProviderFailure
from trackcenter.queue.payloads import MalformedMessage
from trackcenter.queue.retry import LONGEST_PAUSE, MAX_RUNS, ByPermanence, RetryAt, counted, pause


def a_job(attempts: int = 0) -> Job:
    return Job(
        id=1,
        status="doing",
        queue="email",
        lock=None,
        queueing_lock=None,
        task_name="deliver",
        attempts=attempts,
    )


def decide(error: Exception, attempts: int = 0, *, failures: int = 1) -> object:
    counted(error, failures)
    return ByPermanence().get_retry_decision(exception=error, job=a_job(attempts))


@pytest.mark.parametrize(
    "error", [MalformedMessage("not a message"), ProviderFailure("no", permanent=True)]
)
def test_a_permanent_error_kills_the_job_at_once(error: Exception) -> None:
    assert decide(error) is None


@pytest.mark.parametrize("error", [OSError("away"), ProviderFailure("busy"), ValueError("a bug")])
def test_another_error_gets_another_run(error: Exception) -> None:
    decision = decide(error)
    assert decision is not None
    assert timedelta(0) < decision.retry_at - now() < timedelta(seconds=2)  # type: ignore[attr-defined]


def test_a_provider_is_waited_for_as_long_as_it_asks() -> None:
    decision = decide(ProviderFailure("busy", retry_after=90))
    assert decision is not None
    assert timedelta(seconds=85) < decision.retry_at - now() <= timedelta(seconds=90)  # type: ignore[attr-defined]


def test_patience_ends() -> None:
    assert decide(OSError("away"), failures=MAX_RUNS) is not None
    assert decide(OSError("away"), failures=MAX_RUNS + 1) is None


def test_waiting_its_turn_costs_a_job_no_patience() -> None:
    decision = decide(OSError("away"), attempts=MAX_RUNS * 10)
    assert decision is not None
    assert decision.retry_at - now() < timedelta(seconds=2)  # type: ignore[attr-defined]


def test_whoever_knows_when_help_comes_is_believed_however_often() -> None:
    at = now() + timedelta(hours=3)
    decision = decide(RetryAt(at, "pace"), MAX_RUNS * 10)
    assert decision.retry_at == at  # type: ignore[union-attr]


def test_pauses_double_up_to_five_minutes() -> None:
    for runs in range(40):
        expected = min(LONGEST_PAUSE, 2.0**runs)
        assert 0.75 * expected <= pause(runs) <= 1.25 * expected
    assert pause(10_000) <= 1.25 * LONGEST_PAUSE
