"""`./track test [PYTEST ARGUMENTS]`: every test, the browser's too; nothing is ever skipped.

With arguments only pytest runs, with exactly these.
"""

import os
import subprocess
import sys
import tomllib

from tools import chromium, web
from tools.steps import ROOT, Step, run_all

ORDER = "--no-loadscope-reorder"
"""Files in their own order. pytest-xdist would begin with those of most tests, and leave the few
that kill workers and wait, a minute each, to one process alone at the end."""


SLOWEST = ("--durations=40", "--durations-min=3")
"""Said at the end, for the whole run is to stay under ten minutes."""


def main(arguments: list[str]) -> int:
    """Get the browser, run the web's unit tests, then pytest; the first bad exit code."""
    web.install()
    os.environ[chromium.VARIABLE] = str(chromium.executable())
    print(f"browser: {os.environ[chromium.VARIABLE]}", flush=True)
    if not arguments:
        unit = web.npm_command("run", "--silent", "test")
        step = Step("web unit tests", unit, folder=web.WEB, environment=web.environment())
        if not run_all([step], at_once=1):
            return 1
        arguments = _processes()
    return subprocess.call([sys.executable, "-m", "pytest", *arguments], cwd=ROOT)


def _processes() -> list[str]:
    """How pytest-xdist spreads the tests, from `[tool.trackcenter]` in pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["trackcenter"]
    count = int(settings["test_processes"])
    spread = [f"--numprocesses={count}", "--dist=loadfile", ORDER] if count > 1 else []
    return [*spread, *SLOWEST]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
