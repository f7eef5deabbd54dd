"""The tests' surroundings, made before Django reads its settings: an empty data folder and a real
PostgreSQL (the embedded one, unless TRACKCENTER_TEST_DATABASE_URL names another).

Loaded by `-p tests.environment` in pyproject.toml: a conftest would come too late.
"""

import os
import shutil
import tempfile
from pathlib import Path

from trackcenter import embedded
from trackcenter.config.environment import PREFIX

_KEPT = ("TEST_DATABASE_URL", "TEST_CHROMIUM")
_IS_HELPER = "PYTEST_XDIST_WORKER" in os.environ  # everything is there already
_server: embedded.Server | None = None
_folder: Path | None = None


def _prepare() -> None:
    global _server, _folder
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        if name.removeprefix(PREFIX) not in _KEPT:
            del os.environ[name]
    # Some tests use the system's own tools (sh, unshare), wherever PATH may point.
    os.environ["PATH"] = os.pathsep.join((os.environ.get("PATH", ""), os.defpath))
    _folder = Path(tempfile.mkdtemp(prefix="trackcenter-tests-"))
    url = os.environ.pop(f"{PREFIX}TEST_DATABASE_URL", None)
    if url is None:
        _server = embedded.acquire(_folder)
        url = _server.superuser_url
    os.environ[f"{PREFIX}DATABASE_URL"] = url
    os.environ[f"{PREFIX}DATA"] = str(_folder / "data")


def pytest_unconfigure() -> None:
    """Stop the database and forget the files."""
    if _server is not None:
        _server.release()
    if _folder is not None:
        shutil.rmtree(_folder, ignore_errors=True)


if not _IS_HELPER:
    _prepare()
