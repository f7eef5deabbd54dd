"""Run the steps of `./track check` and `./track test`, one neat line each."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Step:
    """One program to run, or one function that gives its complaints (none: passed)."""

    name: str
    command: Sequence[str] = ()
    function: Callable[[], Sequence[str]] | None = None
    folder: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> tuple[bool, str]:
        """Whether it passed, and everything it had to say."""
        if self.function is not None:
            complaints = self.function()
            return not complaints, "\n".join(complaints)
        done = subprocess.run(
            self.command,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode == 0, done.stdout


def run_all(steps: Sequence[Step], *, at_once: int) -> bool:
    """Run every step, `at_once` at a time; prints a line each, and the words of the failed."""
    printing = threading.Lock()

    def one(step: Step) -> bool:
        started = time.monotonic()
        passed, words = step.run()
        seconds = time.monotonic() - started
        with printing:
            print(f"{'ok  ' if passed else 'FAIL'}  {step.name:<40} {seconds:6.1f} s", flush=True)
            if not passed:
                print(_indented(words), flush=True)
        return passed

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        return all(list(pool.map(one, steps)))


def _indented(words: str) -> str:
    return "\n".join(f"      {line}" for line in words.rstrip().splitlines())
