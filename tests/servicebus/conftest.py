from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.delivery.conftest import sandbox as sandbox
from tests.delivery.conftest import shared_sandbox as shared_sandbox
from tests.servicebus.standin import StandIn, running_stand_in


@pytest.fixture
def bus(settings: Settings) -> Iterator[StandIn]:
    """An empty Service Bus of this test's own, and the settings that lead to it."""
    with running_stand_in(lockSeconds=3) as running:
        settings.QUEUE = "servicebus"
        settings.SERVICEBUS_CONNECTION_STRING = running.connection_string
        settings.LEASE_SECONDS = 3
        yield running
