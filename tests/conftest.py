"""What all tests share."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import settings as hypothesis_settings
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

from trackcenter.evidence.kept import FILE

# The same examples in every run, and no clock: a busy machine must not turn a test red.
hypothesis_settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis_settings.load_profile("steady")

_sql_flush = DatabaseOperations.sql_flush


def _flush_history_too(self: DatabaseOperations, *arguments: Any, **options: Any) -> list[str]:
    """Emptying the tables after a transactional test needs what nobody may do otherwise."""
    statements = _sql_flush(self, *arguments, **options)
    if not statements:
        return statements
    role = "SET session_replication_role = "
    # The queue's tables are not Django's to empty.
    queue = "TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE;"
    return [f"{role}replica;", *statements, queue, f"{role}origin;"]


DatabaseOperations.sql_flush = _flush_history_too  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _no_seal_is_left() -> Iterator[None]:
    """The newest seal goes with the database it is of: a worker that a test runs at minute 11 of
    an hour makes one, and the next test begins with an empty log."""
    yield
    (settings.DATA / "keys" / FILE).unlink(missing_ok=True)


class _FilesTogether(LoadFileScheduling):
    """A file is tested by one process, and those of the browser one after the other by the same:
    they share an installation that takes half a minute to start."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "tests/browser" if file.startswith("tests/browser/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """How `./track test` spreads the tests over its processes."""
    return _FilesTogether(config, log)
