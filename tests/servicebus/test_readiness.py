"""What readiness and the doctor say about the Service Bus."""

import pytest
from pytest_django import Settings

from tests.servicebus.standin import StandIn, running_stand_in
from trackcenter.config.doctor import Finding, examine_service_bus
from trackcenter.config.health import queue_problem

pytestmark = pytest.mark.django_db


def test_a_service_bus_that_is_complete_is_fine(bus: StandIn) -> None:
    assert queue_problem() is None
    assert list(examine_service_bus()) == [
        Finding("ok", "every topic of the Service Bus can be used")
    ]


def test_what_is_missing_or_away_is_named(settings: Settings) -> None:
    settings.QUEUE = "servicebus"
    with running_stand_in(topics=["email", "sms", "letter", "export"]) as short:
        settings.SERVICEBUS_CONNECTION_STRING = short.connection_string
        (missing,) = examine_service_bus()
        assert missing.state == "fail"
        assert missing.what == "the topic letter-with-receipt of the Service Bus cannot be used"
        short.down()
        # Not the address that was asked just now: readiness keeps an answer for a while.
        settings.SERVICEBUS_CONNECTION_STRING = short.connection_string.replace(
            "127.0.0.1", "localhost"
        )
        assert queue_problem() == "the Service Bus does not answer"
        (away,) = examine_service_bus()
        assert (away.state, away.what) == ("fail", "the Service Bus does not answer")
