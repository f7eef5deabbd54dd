from collections.abc import Iterator

import pytest

from tests.contracts.rigs import RIGS, Rig
from tests.sandbox.fixture import RunningSandbox, running_sandbox


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(speed=20) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: RunningSandbox) -> RunningSandbox:
    """A sandbox without messages or faults."""
    shared_sandbox.clear()
    return shared_sandbox


@pytest.fixture(params=RIGS, ids=lambda rig: rig.name)
def rig(request: pytest.FixtureRequest, sandbox: RunningSandbox) -> Rig:
    made: Rig = request.param(sandbox)
    return made
