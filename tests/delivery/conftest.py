from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.sandbox.fixture import MAILBOX, RunningSandbox, running_sandbox
from trackcenter.providers import registry
from trackcenter.sandbox.options import ACS_ACCESS_KEY, CLIENT_ID, CLIENT_SECRET, TENANT_ID


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(speed=20) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: RunningSandbox, settings: Settings) -> RunningSandbox:
    """A sandbox without messages or faults, and the settings that lead to it."""
    shared_sandbox.clear()
    registry.forget()
    for name, value in {
        "EMAIL_PROVIDER": "msgraph",
        "GRAPH_BASE_URL": f"{shared_sandbox.url}/v1.0",
        "GRAPH_AUTHORITY": shared_sandbox.url,
        "GRAPH_TENANT_ID": TENANT_ID,
        "GRAPH_CLIENT_ID": CLIENT_ID,
        "GRAPH_CLIENT_SECRET": CLIENT_SECRET,
        "GRAPH_MAILBOX": MAILBOX,
        "ACS_ENDPOINT": shared_sandbox.url,
        "ACS_ACCESS_KEY": ACS_ACCESS_KEY,
        "SMS_FROM": "+4930123456",
        "EMAIL_FROM": "bills@example.org",
        "LEASE_SECONDS": 30,
    }.items():
        setattr(settings, name, value)
    return shared_sandbox
