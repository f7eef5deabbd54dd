"""Setting up on a fresh machine: what can be said without a network."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import bootstrap
from tools.fingerprint import fingerprint

ROOT = Path(__file__).resolve().parents[2]


def test_an_old_python_can_read_the_launcher_and_say_what_is_wrong() -> None:
    launcher = (ROOT / "track").read_text()
    ast.parse(launcher, feature_version=(3, 4))
    old = "import sys; sys.version_info = (3, 10, 4, 'final', 0)\n"
    done = subprocess.run(
        [sys.executable, "-c", old + launcher], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "is 3.10" in done.stderr


def test_a_fingerprint_changes_with_content_name_and_absence(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    first = fingerprint([one, two], root=tmp_path)
    assert fingerprint([two, one], root=tmp_path) == first

    two.write_text("")
    with_an_empty_file = fingerprint([one, two], root=tmp_path)
    one.write_text("b")
    with_other_content = fingerprint([one, two], root=tmp_path)
    one.rename(tmp_path / "three")
    renamed = fingerprint([tmp_path / "three", two], root=tmp_path)
    assert len({first, with_an_empty_file, with_other_content, renamed}) == 4


MIRRORS = "global.index-url='http://mirror.example/simple'\nglobal.cert='/etc/mirror.pem'\n"
NEARER = MIRRORS + ":env:.index-url='http://nearer.example/simple'\n"


@pytest.mark.parametrize(
    ("words_of_pip", "index"),
    [(MIRRORS, "http://mirror.example/simple"), (NEARER, "http://nearer.example/simple")],
)
def test_uv_is_told_of_the_mirror_and_certificates_that_pip_uses(
    monkeypatch: pytest.MonkeyPatch, words_of_pip: str, index: str
) -> None:
    for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(bootstrap, "_pip", lambda: a_pip_that_says(words_of_pip))
    assert bootstrap._uv_settings()["UV_DEFAULT_INDEX"] == index
    assert bootstrap._uv_settings()["SSL_CERT_FILE"] == "/etc/mirror.pem"


def test_what_uv_was_told_itself_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_pip", lambda: a_pip_that_says(MIRRORS))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://meant-for-uv.example/simple")
    assert bootstrap._uv_settings()["UV_DEFAULT_INDEX"] == "http://meant-for-uv.example/simple"


def test_uv_never_downloads_a_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_pip", lambda: a_pip_that_says(""))
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "automatic")
    assert bootstrap._uv_settings()["UV_PYTHON_DOWNLOADS"] == "never"


def a_pip_that_says(words: str) -> list[str]:
    """Prints what `pip config list` would: the environment that tests run in has no pip."""
    return [sys.executable, "-c", f"print({words!r})"]


def test_what_python_compiles_is_kept_apart_from_the_sources() -> None:
    forbidden = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    asked = "import sys; print(sys.dont_write_bytecode, sys.pycache_prefix)"
    handed_over = (
        "import os, sys; from tools import bootstrap; bootstrap._keep_compiled();"
        f"os.execv(sys.executable, [sys.executable, '-c', {asked!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", handed_over],
        cwd=ROOT,
        env=forbidden,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", str(ROOT / ".track" / "compiled")]
