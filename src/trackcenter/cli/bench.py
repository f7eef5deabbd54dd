"""`trackcenter bench`: the benchmarks of the repository, one script a figure."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from trackcenter.cli.start import stop

ROOT = Path(__file__).resolve().parents[3]


def benchmarks() -> Iterator[tuple[str, str]]:
    """Every benchmark that can be run, with the first line of what it says about itself."""
    for file in sorted((ROOT / "benchmarks").glob("*.py")):
        module = ast.parse(file.read_text(encoding="utf-8"))
        runs = any(
            isinstance(node, ast.FunctionDef) and node.name == "main" for node in module.body
        )
        if runs:
            yield file.stem.replace("_", "-"), (ast.get_docstring(module) or "").partition("\n")[0]


def run(name: str, arguments: list[str]) -> int:
    """Run one in a process of its own, so that it measures nothing but itself; its exit code."""
    known = [known_as for known_as, _ in benchmarks()]
    if not known:
        stop("The benchmarks come with the repository, not with the installed package.")
    if name not in known:
        stop(f"There is no benchmark {name}: use {', '.join(known)}.", 2)
    command = [sys.executable, "-m", f"benchmarks.{name.replace('-', '_')}", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode
