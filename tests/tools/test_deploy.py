"""What is written for operators in other languages says what the program says."""

import os
import re
import runpy
import subprocess
from pathlib import Path

import pytest

from tools.steps import ROOT
from trackcenter.config.environment import NAMES, PREFIX, read_environment
from trackcenter.queue.publish import TOPICS

DEPLOY = ROOT / "deploy"
TERRAFORM = sorted((DEPLOY / "azure").glob("*.tf"))


@pytest.mark.parametrize(
    "file", [ROOT / "Dockerfile", ROOT / "compose.yaml", *TERRAFORM, *DEPLOY.rglob("*.py")]
)
def test_every_setting_named_is_one(file: Path) -> None:
    named = set(re.findall(rf"\b{PREFIX}([A-Z][A-Z_]+[A-Z])\b", file.read_text(encoding="utf-8")))
    assert named <= set(NAMES)


def test_terraform_makes_the_topics_that_are_used() -> None:
    text = (DEPLOY / "azure" / "main.tf").read_text(encoding="utf-8")
    made = re.search(r"topics = toset\(\[(.*?)\]\)", text)
    assert made is not None
    assert set(re.findall(r'"([^"]+)"', made[1])) == set(TOPICS)


def test_the_settings_for_compose_are_readable_secret_and_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "settings.py"
    script.write_bytes((DEPLOY / "compose" / "settings.py").read_bytes())
    runpy.run_path(str(script), run_name="__main__")
    written = {path.name: path.read_text(encoding="ascii") for path in tmp_path.glob("*.env")}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.glob("*.env"))
    with pytest.raises(SystemExit, match="nothing was written"):
        runpy.run_path(str(script), run_name="__main__")
    for files in (["trackcenter.env"], ["trackcenter.env", "owner.env"]):
        settings = dict(line.split("=", 1) for name in files for line in written[name].splitlines())
        read = read_environment({**settings, "_TRACKCENTER_SERVE_HOST": "0.0.0.0"})  # noqa: S104
        assert read.production
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert {Path(name).name for name in re.findall(r"[\w/]+\.env\b", compose)} == set(written)


def test_systemd_and_the_shell_read_the_guide_s_settings_alike(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    sample = re.search(r"```\n(# /etc/trackcenter.env\n.*?)```", guide, re.DOTALL)
    assert sample is not None
    lines = [line for line in sample[1].splitlines() if not line.startswith("#")]
    # systemd.exec(5): quotes around the whole value are taken off, and nothing else is special
    # in single ones; what follows them would be part of the value.
    for_systemd = dict(re.fullmatch(r"(\w+)='([^'\\]*)'", line).groups() for line in lines)  # type: ignore[union-attr]
    file = tmp_path / "trackcenter.env"
    file.write_text(sample[1], encoding="utf-8")
    shell = subprocess.run(
        ["/bin/sh", "-euc", 'set -a; . "$0"; set +a; exec env -0', str(file)],
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not shell.stderr
    pairs = dict(pair.split("=", 1) for pair in shell.stdout.split("\0") if pair)
    for_shell = {name: value for name, value in pairs.items() if name.startswith(PREFIX)}
    assert for_shell == for_systemd
    assert read_environment(for_shell).production
