"""A print run of 3,000 letters: CPU-seconds and peak memory of merging them, against bare pikepdf.

Each measure runs in a process of its own; memory is that process's peak. The labels of the same
letters, and a lodgement slip of a tenth of them, follow.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.hooks import ROOT
from benchmarks.letters import ISSUED_ON, Took, bills, measured

DISTINCT = 100
"""Letters that are really made; merging shares nothing between letters, so they come again."""


def letters(folder: Path, count: int) -> Iterator[bytes]:
    """So many archived letters, one at a time."""
    files = sorted(folder.glob("letter-*.pdf"))
    return (file.read_bytes() for file in islice(cycle(files), count))


def make(folder: Path) -> None:
    """The letters, in a process of its own."""
    from tests.channels.samples import SENDER
    from trackcenter.channels.letter import render_letter

    for number, snapshot in enumerate(bills(DISTINCT)):
        pdf = render_letter(snapshot, sender=SENDER, issued_on=ISSUED_ON).pdf
        (folder / f"letter-{number:03}.pdf").write_bytes(pdf)


def ours(folder: Path, count: int) -> None:
    """The product's merge."""
    from trackcenter.channels.documents.merge import merge

    measured(lambda _: merge(letters(folder, count), folder / "run.pdf"), [0], warm=0)


def pikepdf(folder: Path, count: int) -> None:
    """The usual way: every letter's pages into one document, then saved."""
    import io

    import pikepdf as library

    def join(_: object) -> None:
        with library.new() as whole:
            for letter in letters(folder, count):
                with library.open(io.BytesIO(letter)) as one:
                    whole.pages.extend(one.pages)
            whole.save(folder / "plain.pdf")

    measured(join, [0], warm=0)


def sheets(folder: Path, count: int) -> None:
    """Labels of all letters, seven rows of three on a sheet."""
    from trackcenter.channels.letter import Label, render_labels

    labels = [
        Label(("Jürgen Größer", f"Musterstraße {number}", "10115 Berlin"), "TC-0000-0000-0000")
        for number in range(count)
    ]
    file = folder / "labels.pdf"
    measured(lambda _: file.write_bytes(render_labels(labels, issued_on=ISSUED_ON)), [0], warm=0)


def slip(folder: Path, count: int) -> None:
    """The lodgement slip of every tenth."""
    from tests.channels.samples import SENDER
    from trackcenter.channels.documents.s10 import S10
    from trackcenter.channels.letter import SlipItem, render_slip

    items = [
        SlipItem(S10("RR", number, "DE"), ("Jürgen Größer", "Musterstraße 12", "10115 Berlin"))
        for number in range(count // 10)
    ]

    def write(_: object) -> None:
        content = render_slip(items, sender=SENDER, issued_on=ISSUED_ON, language="de")
        (folder / "slip.pdf").write_bytes(content)

    measured(write, [0], warm=0)


MEASURES: dict[str, Any] = {"merged": ours, "pikepdf": pikepdf, "labels": sheets, "slip": slip}


def main() -> None:
    """Measure one after the other and print."""
    parser = argparse.ArgumentParser(prog="trackcenter bench print-run", description=__doc__)
    parser.add_argument("--run", choices=("make", *MEASURES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--letters", type=int, default=3000)
    options = parser.parse_args()
    count: int = options.letters
    if options.run == "make":
        make(options.folder)
        return
    if options.run:
        MEASURES[options.run](options.folder, count)
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ, "RAYON_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        }  # fmt: skip
        own = [sys.executable, "-m", "benchmarks.print_run", "--folder", folder]
        own += ["--letters", str(count), "--run"]
        subprocess.run([*own, "make"], env=environment, cwd=ROOT, check=True)
        print(f"{count:,} letters")
        for name in MEASURES:
            done = subprocess.run(
                [*own, name], env=environment, cwd=ROOT, check=True, input="go\n",
                stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            took = Took(**json.loads(done.stdout.splitlines()[-1]))
            print(f"  {name:10}{took.cpu:8.1f} CPU-seconds {took.memory:8.0f} MB at the most")


if __name__ == "__main__":
    main()
