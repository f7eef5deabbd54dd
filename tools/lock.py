"""Pin what is installed: `requirements/*.txt` from `*.in`, and npm's package-lock.json files.

Run `python -m tools.lock` with the private environment's Python after editing an `.in` file or a
package.json; `--upgrade` also moves what these leave open to its newest version. The results hold
for every platform, carry hashes and name no registry.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import web

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = "3.11"
# In this order: each file is constrained by those before it, so that all of them fit together.
FILES = ("uv", "runtime", "build", "dev")
NPM_FOLDERS = (ROOT / "web", ROOT / "tests" / "npm", ROOT / "deploy" / "compose" / "azurite")


def uv() -> str:
    """The pinned uv that ./track installed, else the one on PATH."""
    pinned = sorted(ROOT.glob(".track/uv-*/bin/uv"))
    return str(pinned[-1]) if pinned else "uv"


def lock_python(name: str, *, upgrade: bool) -> None:
    """Resolve one `.in` file into its `.txt` for every platform and Python from 3.11 on."""
    command = [uv(), "pip", "compile", f"{name}.in", f"--output-file={name}.txt"]
    command += [f"--python-version={OLDEST_PYTHON}", "--universal", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--quiet"]
    command += ["--annotation-style=line", *(["--upgrade"] if upgrade else [])]
    env = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    subprocess.run(command, cwd=ROOT / "requirements", env=env, check=True)
    print(f"requirements/{name}.txt")


def lock_npm(folder: Path, *, upgrade: bool) -> None:
    """Resolve one package.json for every platform.

    In a folder of its own: beside a node_modules, npm leaves the versions of other platforms'
    packages out of a lock that has no addresses, and then refuses it.
    """
    names = ["package.json", ".npmrc", *([] if upgrade else ["package-lock.json"])]
    with tempfile.TemporaryDirectory() as apart:
        for name in names:
            if (folder / name).exists():
                shutil.copy(folder / name, apart)
        web.npm("install", "--package-lock-only", "--ignore-scripts", folder=Path(apart))
        shutil.copy(Path(apart, "package-lock.json"), folder)
    print((folder / "package-lock.json").relative_to(ROOT))


if __name__ == "__main__":
    to_newest = "--upgrade" in sys.argv[1:]
    for each in FILES:
        lock_python(each, upgrade=to_newest)
    for each_folder in NPM_FOLDERS:
        lock_npm(each_folder, upgrade=to_newest)
