"""Environments of their own for the programs we are measured against, straight from PyPI."""

import subprocess
import sys
from pathlib import Path

PLACE = Path(__file__).resolve().parents[1] / "var" / "bench-peers"


def python_with(name: str, *packages: str) -> Path:
    """The interpreter of an environment that holds these packages; made on first use."""
    folder = PLACE / name
    python = folder / "bin" / "python"
    stamp = folder / "packages.txt"
    wanted = "\n".join(packages)
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
        subprocess.run([str(python), "-m", "pip", "install", *quiet, *packages], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return python
