"""How long trouble is borne: from its beginning, and only while somebody tries."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from tests.communications.factories import an_admin
from tests.delivery.jobs import waiting, work
from tests.sandbox.fixture import RunningSandbox
from trackcenter.communications import services
from trackcenter.communications.models import Attempt, Communication
from trackcenter.delivery.models import SenderPace
from trackcenter.delivery.record import GIVE_UP_AFTER, LOOK_FOR
from trackcenter.evidence.verify import verify
from trackcenter.kit.clock import now
from trackcenter.providers import registry

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def status(one: Communication) -> str:
    one.refresh_from_db()
    return one.delivery_status


def types(one: Communication) -> list[str]:
    return list(one.events.order_by("sequence").values_list("type", flat=True))


def due(*, planned: timedelta = timedelta(), **passed: timedelta) -> None:
    """Let so much have passed since these moments, and since the moment of the next try."""
    registry.forget()
    SenderPace.objects.all().delete()
    moments = {name: now() - ago for name, ago in passed.items()}
    Attempt.objects.update(next_try_at=now() - planned, **moments)


def a_lost_reply(sandbox: RunningSandbox) -> Communication:
    """A mail of which nobody knows whether it left, and that nobody has looked for yet."""
    one = waiting()
    sandbox.set_faults(rate503=1)
    work(one)
    Attempt.objects.update(send_started_at=now(), trouble_since=None, looking_since=None)
    sandbox.set_faults()
    due()
    return one


def test_the_first_trouble_after_days_in_a_queue_is_borne(sandbox: RunningSandbox) -> None:
    one = waiting()
    Attempt.objects.update(created_at=now() - GIVE_UP_AFTER - MINUTE)
    sandbox.set_faults(rate429=1)
    assert work(one) is not None
    assert types(one)[-1] == "DEFERRED"
    sandbox.set_faults()
    due()
    assert work(one) is None
    assert status(one) == "SENT"


def test_trouble_at_every_try_for_three_days_is_the_end(sandbox: RunningSandbox) -> None:
    one = waiting()
    sandbox.set_faults(rate503=1)
    assert work(one) is not None
    due(trouble_since=GIVE_UP_AFTER - MINUTE)
    assert work(one) is not None
    due(trouble_since=GIVE_UP_AFTER + MINUTE)
    assert work(one) is None
    assert status(one) == "FAILED"
    assert not one.outcome_unknown
    assert verify().finding is None


def test_days_in_which_no_worker_tried_are_no_trouble(sandbox: RunningSandbox) -> None:
    one = waiting()
    sandbox.set_faults(rate503=1)
    assert work(one) is not None
    due(trouble_since=4 * GIVE_UP_AFTER, planned=4 * GIVE_UP_AFTER - MINUTE)
    assert work(one) is not None
    attempt = one.attempts.get()
    assert attempt.trouble_since is not None
    assert MINUTE <= now() - attempt.trouble_since < 2 * MINUTE


def test_what_may_have_left_is_looked_for_after_a_crash_of_any_length(
    sandbox: RunningSandbox,
) -> None:
    one = a_lost_reply(sandbox)
    due(send_started_at=LOOK_FOR + MINUTE)
    sandbox.set_faults(rate429=1)
    assert work(one) is not None
    assert (status(one), types(one).count("FAILED")) == ("ENQUEUED", 0)
    due(looking_since=LOOK_FOR - MINUTE)
    assert work(one) is not None
    due(looking_since=LOOK_FOR + MINUTE)
    assert work(one) is None
    assert status(one) == "FAILED"
    assert one.outcome_unknown
    assert len(sandbox.messages()) == 0


def test_who_asks_to_look_again_has_it_looked_for_as_long_as_the_first_time(
    sandbox: RunningSandbox,
) -> None:
    one = a_lost_reply(sandbox)
    work(one)
    due(trouble_since=LOOK_FOR + MINUTE, looking_since=LOOK_FOR + MINUTE)
    assert work(one) is None
    one.refresh_from_db()
    assert one.outcome_unknown
    services.resolve(an_admin(), one.id, action="LOOK_AGAIN")
    assert work(one) is not None
    due(looking_since=LOOK_FOR - MINUTE)
    assert work(one) is not None
    assert sandbox.messages() == []


def test_a_wrong_key_is_borne_however_long_the_message_waited(
    sandbox: RunningSandbox, settings: Settings
) -> None:
    one = waiting("SMS")
    Attempt.objects.update(created_at=now() - GIVE_UP_AFTER - MINUTE)
    ours, settings.ACS_ACCESS_KEY = settings.ACS_ACCESS_KEY, "d3Jvbmc="
    assert work(one) is not None
    settings.ACS_ACCESS_KEY = ours
    due()
    assert work(one) is None
    assert status(one) == "SENT"
