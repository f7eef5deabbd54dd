from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.delivery.conftest import sandbox as sandbox
from tests.delivery.conftest import shared_sandbox as shared_sandbox
from tests.servicebus.standin import StandIn, running_stand_in
from trackcenter.queue.servicebus import dead, receive
from trackcenter.queue.servicebus.broker import senders


@pytest.fixture(scope="session")
def shared_bus() -> Iterator[StandIn]:
    with running_stand_in(lockSeconds=3) as running:
        yield running


@pytest.fixture
def bus(shared_bus: StandIn, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """An empty Service Bus, and the settings that lead to it. It answers at once, so that silence
    need not be listened to for long."""
    shared_bus.reset()
    monkeypatch.setattr(dead, "_QUIET_SECONDS", 0.1)
    monkeypatch.setattr(receive, "_IDLE_SECONDS", 0.2)
    settings.QUEUE = "servicebus"
    settings.SERVICEBUS_CONNECTION_STRING = shared_bus.connection_string
    return shared_bus


@pytest.fixture(scope="session", autouse=True)
def _no_sender_is_left() -> Iterator[None]:
    yield
    senders.close()
