"""A sandbox process as Graph, and a webhook for its handshakes."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.sandbox.fixture import MAILBOX, RunningSandbox, running_sandbox
from trackcenter.providers import registry
from trackcenter.sandbox.options import CLIENT_ID, CLIENT_SECRET, TENANT_ID


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(speed=20) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: RunningSandbox, settings: Settings) -> RunningSandbox:
    """An empty sandbox that the settings point at."""
    shared_sandbox.clear()
    registry.forget()
    shared_sandbox.forget_webhooks()
    settings.GRAPH_BASE_URL = f"{shared_sandbox.url}/v1.0"
    settings.GRAPH_AUTHORITY = shared_sandbox.url
    settings.GRAPH_TENANT_ID = TENANT_ID
    settings.GRAPH_CLIENT_ID = CLIENT_ID
    settings.GRAPH_CLIENT_SECRET = CLIENT_SECRET
    settings.GRAPH_MAILBOX = MAILBOX
    settings.GRAPH_CLIENT_STATE = "our state"
    return shared_sandbox
