"""One sandbox process for these tests, emptied before each."""

from collections.abc import Iterator

import pytest

from tests.sandbox.fixture import RunningSandbox, running_sandbox
from tests.sandbox.webhook import Webhook, running_webhook


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(speed=20) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: RunningSandbox) -> RunningSandbox:
    shared_sandbox.clear()
    shared_sandbox.forget_webhooks()
    return shared_sandbox


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with running_webhook() as webhook:
        yield webhook
