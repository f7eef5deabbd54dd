"""What `./track check` says about files, and how it says it."""

import json
import sys
from pathlib import Path

import pytest

from tools.check import REGISTRIES, lock_file_faults, registries_named
from tools.steps import Step, run_all


@pytest.mark.parametrize("host", REGISTRIES)
def test_a_named_registry_is_found(tmp_path: Path, host: str) -> None:
    file = tmp_path / "notes.md"
    file.write_text(f"first\nsee https://{host}/simple\n")
    assert registries_named([file]) == [f"{file}:2: names the registry {host}"]


def test_pictures_and_plain_words_name_no_registry(tmp_path: Path) -> None:
    picture, words = tmp_path / "a.png", tmp_path / "a.md"
    picture.write_bytes(b"\x89PNG\xff\xfe")
    words.write_text("from PyPI and npm")
    assert registries_named([picture, words]) == []


def faults(folder: Path, **package: object) -> list[str]:
    lock = folder / "package-lock.json"
    complete = {"version": "1.0.0", "integrity": "sha512-x"}
    packages = {"": {"name": "a"}, "node_modules/b": complete | package}
    lock.write_text(json.dumps({"packages": packages}))
    return lock_file_faults([lock])


def test_a_complete_lock_without_addresses_is_fine(tmp_path: Path) -> None:
    assert faults(tmp_path) == []


def test_a_lock_with_an_address_is_found(tmp_path: Path) -> None:
    assert "records an address" in faults(tmp_path, resolved="http://mirror.example/b.tgz")[0]


def test_a_lock_that_lacks_another_platform_is_found(tmp_path: Path) -> None:
    assert "lacks b-darwin" in faults(tmp_path, optionalDependencies={"b-darwin": "1.0.0"})[0]


def test_only_a_failing_step_is_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Step("good", [sys.executable, "-c", "print('all is well')"])
    loud = Step("bad", [sys.executable, "-c", "raise SystemExit('line 3 is wrong')"])
    told = Step("rules", function=lambda: ["a.py:1: no"])
    assert not run_all([quiet, loud, told], at_once=2)
    printed = capsys.readouterr().out
    assert "ok    good" in printed
    assert "all is well" not in printed
    assert "FAIL  bad" in printed
    assert "line 3 is wrong" in printed
    assert "a.py:1: no" in printed


def test_all_steps_passing_is_a_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_all([Step("good", function=list)], at_once=1)
    assert "FAIL" not in capsys.readouterr().out
