"""Write `requirements/*.txt` from `requirements/*.in`: universal, hashed, naming no registry.

Run `python -m tools.lock` with the private environment's Python after editing an `.in` file;
`--upgrade` also moves what the `.in` files leave open to its newest version.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = "3.11"
# In this order: each file is constrained by those before it, so that all three fit together.
FILES = ("uv", "runtime", "build", "dev")


def uv() -> str:
    """The pinned uv that ./track installed, else the one on PATH."""
    pinned = sorted(ROOT.glob(".track/uv-*/bin/uv"))
    return str(pinned[-1]) if pinned else "uv"


def lock(name: str, *options: str) -> None:
    """Resolve one `.in` file into its `.txt` for every platform and Python from 3.11 on."""
    subprocess.run(
        [
            uv(),
            "pip",
            "compile",
            f"{name}.in",
            f"--output-file={name}.txt",
            f"--python-version={OLDEST_PYTHON}",
            "--universal",
            "--generate-hashes",
            "--no-emit-index-url",
            "--no-emit-find-links",
            "--no-header",
            "--annotation-style=line",
            "--quiet",
            *options,
        ],
        cwd=ROOT / "requirements",
        env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
        check=True,
    )
    print(f"requirements/{name}.txt")


if __name__ == "__main__":
    for each in FILES:
        lock(each, *sys.argv[1:])
