"""Whatever dies, overtakes or fails, at whatever step: one message leaves for one attempt.

The full size is run by hand: CRASH_STRIDE=1 CRASH_EXAMPLES=500.
"""

import itertools
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.delivery.crashing import Fate, Plan, Run, is_open, requests_are_steps
from tests.delivery.jobs import waiting
from tests.sandbox.fixture import RunningSandbox, wait_for
from trackcenter.communications.models import Attempt, Communication
from trackcenter.evidence.verify import verify

STRIDE = int(os.environ.get("CRASH_STRIDE", "7"))
EXAMPLES = int(os.environ.get("CRASH_EXAMPLES", "15"))
STEPS = 140
"""No send takes more steps than this."""

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]
_units = itertools.count(1)


@pytest.fixture(autouse=True)
def _steps() -> Iterator[None]:
    with requests_are_steps():
        yield


def one_message(channel: str) -> Communication:
    number = next(_units)
    return waiting(
        channel, unit=str(number), email=f"silent.{number}@example.net", phone="+4930120002"
    )


def finish(sandbox: RunningSandbox, one: Communication) -> None:
    """Workers come and go until the attempt ends; the providers are well again."""
    sandbox.set_faults()

    def ended() -> bool:
        run = Run(one)
        run.lease_runs_out()
        run.work()
        return not is_open(one)

    wait_for(ended, seconds=30, what="the attempt to end")


def assert_sent_once(sandbox: RunningSandbox, one: Communication) -> None:
    attempt = Attempt.objects.get(communication=one)
    accepted = [
        message for message in sandbox.messages() if message["idempotencyKey"] == str(attempt.id)
    ]
    assert len(accepted) == 1, "lost" if not accepted else "sent twice"
    assert attempt.outcome == "ACCEPTED"
    assert attempt.provider_message_id in (
        accepted[0].get("internetMessageId"),
        accepted[0].get("messageId"),
    )
    assert one.events.filter(type="SENT").count() == 1
    one.refresh_from_db()
    assert one.delivery_status == "SENT"


@pytest.mark.slow
@pytest.mark.parametrize("fate", ["dies", "is overtaken"])
@pytest.mark.parametrize("channel", ["EMAIL", "SMS"])
def test_at_every_step(sandbox: RunningSandbox, channel: str, fate: Fate) -> None:
    whole = Run(one_message(channel))
    whole.work()
    assert 20 < whole.plan.passed < STEPS
    for step in range(1, whole.plan.passed + 1, STRIDE):
        one = one_message(channel)
        Run(one, Plan({step: fate})).work()
        if is_open(one):
            finish(sandbox, one)
        assert_sent_once(sandbox, one)
    assert verify().finding is None


@pytest.mark.slow
@pytest.mark.parametrize("channel", ["EMAIL", "SMS"])
def test_who_was_overtaken_leaves_the_job_to_the_other(
    sandbox: RunningSandbox, channel: str
) -> None:
    whole = Run(one_message(channel))
    whole.work()
    for step in range(1, whole.plan.passed + 1, 2 * STRIDE):
        one = one_message(channel)
        # The second worker meets trouble, and puts the message off.
        sandbox.set_faults(rate503=1)
        Run(one, Plan({step: "is overtaken"})).work()
        if is_open(one):
            finish(sandbox, one)
        assert_sent_once(sandbox, one)


fates = st.dictionaries(
    st.integers(1, STEPS), st.sampled_from(["dies", "is overtaken"]), max_size=3
)
trouble = st.fixed_dictionaries(
    {
        "rate429": st.sampled_from([0, 0.2]),
        "rate503": st.sampled_from([0, 0.3]),
        "lostReply": st.sampled_from([0, 0.5, 1]),
        "seed": st.integers(0, 1000),
    }
)


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    channel=st.sampled_from(["EMAIL", "SMS"]),
    first=st.lists(fates, min_size=1, max_size=3),
    second=fates,
    faults=trouble,
)
def test_two_workers_in_any_interleaving_with_crashes_and_faults(
    sandbox: RunningSandbox,
    channel: str,
    first: list[dict[int, Fate]],
    second: dict[int, Fate],
    faults: dict[str, float],
) -> None:
    one = one_message(channel)
    sandbox.set_faults(**faults)
    for number, plan in enumerate(first):
        if not is_open(one):
            break
        run = Run(one, Plan(plan, second=Plan(second)))
        if number:
            run.lease_runs_out()
        run.work()
    if is_open(one):
        finish(sandbox, one)
    assert_sent_once(sandbox, one)
