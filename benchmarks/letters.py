"""Letters for a CPU-second, against WeasyPrint and against bare typst; and two processes at once.

Ours is all that makes a letter ready: its texts, barcodes and payment code, typesetting, the check
that reads it back, and its label. WeasyPrint sets the same content from HTML into the same kind of
PDF; bare typst compiles our template with the data ready. The goals: five times WeasyPrint, 0.4 of
bare typst, and two processes 1.7 times one. The worker's line is the whole job, with the database
and storage (PostgreSQL's own work not counted). `print-run` measures what becomes of the letters.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.hooks import ROOT, a_place
from benchmarks.peers import python_with

PEER = ("weasyprint==70.0",)
NEEDS = "apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
ISSUED_ON = date(2025, 10, 20)
WARM = 3
"""Letters made before the clock starts: fonts are read, caches are filled."""


@dataclass(frozen=True)
class Took:
    """One process's part of a round; memory is its peak in MB."""

    seconds: float
    cpu: float
    memory: float


def measured(make: Callable[[Any], object], things: Iterable[Any], warm: int = WARM) -> None:
    """In a process of its own: make some, say so, wait for the word, make the rest, say the cost.

    Shared with the peer, which runs in another environment.
    """
    every = list(things)
    for one in every[:warm]:
        make(one)
    print("ready", flush=True)
    sys.stdin.readline()
    begun, cpu = time.perf_counter(), time.process_time()
    for one in every[warm:]:
        make(one)
    seconds, used = time.perf_counter() - begun, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": used, "memory": peak}))


def at_once(commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> list[Took]:
    """Run processes that speak as `measured` does, all from the same moment."""
    children = [
        subprocess.Popen(
            command,
            env=dict(environment),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    try:
        for child in children:
            assert child.stdout is not None
            if child.stdout.readline().strip() != "ready":
                raise SystemExit(f"{child.args} did not start")
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        answers = [child.communicate()[0] for child in children]
        for child in children:
            if child.returncode:
                raise SystemExit(f"{child.args} ended with {child.returncode}")
    finally:
        for child in children:
            child.kill()
            child.wait()
    return [Took(**json.loads(answer.splitlines()[-1])) for answer in answers]


# The candidates, each in a process of its own


def bills(count: int) -> list[Any]:
    """Snapshots that differ in all that a batch's differ in."""
    from tests.channels.samples import bill

    return [
        bill(
            unit=str(number),
            recipient=f"Jürgen Größer-{number}",
            street=f"Musterstraße {number}",
            balance=f"{200 + number}.70",
            prepaid=f"{1243 - number}.00",
            total="1443.70",
        )
        for number in range(count)
    ]


def one_letter(snapshot: Any) -> Any:
    """A letter as the worker makes it, checked and labelled."""
    from tests.channels.samples import SENDER
    from trackcenter.channels.letter import (
        SHEETS,
        Label,
        check_document,
        render_labels,
        render_letter,
    )

    letter = render_letter(snapshot, sender=SENDER, issued_on=ISSUED_ON)
    check_document(
        letter.pdf,
        document_code=letter.document_code,
        unit=snapshot.unit,
        recipient=snapshot.recipient,
    )
    render_labels(
        [Label(letter.address, letter.document_code)],
        issued_on=ISSUED_ON,
        sheet=SHEETS["SINGLE"],
        language=snapshot.language,
        author=SENDER.name,
    )
    return letter


def ours(count: int) -> None:
    """Ours, without database and storage."""
    measured(one_letter, bills(count + WARM))


def worker(count: int) -> None:
    """The whole job of a letter, from the claim to the event."""
    import django

    django.setup()
    from django.db import transaction

    from tests.channels.samples import ROW
    from tests.communications.factories import a_bill
    from trackcenter.communications.services import enqueue
    from trackcenter.delivery.services import deliver
    from trackcenter.queue.payloads import SendCommunicationJob

    building = f"B{os.getpid()}"
    with transaction.atomic():
        made = [
            a_bill(
                "LETTER",
                building=building,
                **{
                    **{key: ROW[key] for key in _OF_THE_ROW},
                    "unit": str(number),
                    "street": f"Musterstraße {number}",
                },
            )[0]
            for number in range(count + WARM)
        ]
        enqueue(made, user_id=None)
    measured(lambda one: deliver(SendCommunicationJob(one.id, "LETTER")), made)
    if any(type(one).objects.get(id=one.id).delivery_status != "SENT" for one in made):
        raise SystemExit("not every letter was made")


_OF_THE_ROW = (
    "recipient", "postcode", "city", "country", "language", "currency", "costs", "total",
    "prepaid", "balance", "dueDate", "iban", "payee", "timeZone",
)  # fmt: skip


def bare(count: int, file: Path) -> None:
    """typst alone: our template, its data ready."""
    import typst

    from trackcenter.channels.documents import fonts, typesetting

    faces = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts.FOLDER)]
    )
    folder = Path(typesetting.__file__).parent / "templates"
    compiler = typst.Compiler(root=str(folder), font_paths=faces)

    def compile_one(data: str) -> None:
        compiler.compile(
            input=folder / "letter.typ",
            format="pdf",
            sys_inputs={"data": data},
            pdf_standards=["a-3a", "ua-1"],
            timestamp=1_760_918_400,
        )

    contents = json.loads(file.read_text(encoding="utf-8"))[: count + WARM]
    measured(compile_one, [json.dumps(one, ensure_ascii=False) for one in contents])


def record(count: int, file: Path) -> None:
    """What our template is given for each letter: the peers' input."""
    from tests.channels.samples import SENDER
    from trackcenter.channels.documents import fonts
    from trackcenter.channels.documents.typesetting import typeset
    from trackcenter.channels.letter import render

    contents = []

    def listening(template: Any, data: Mapping[str, object], *, made_on: date) -> bytes:
        contents.append({**data, "fonts": fonts.FAMILIES})
        return typeset(template, data, made_on=made_on)

    vars(render)["typeset"] = listening
    for snapshot in bills(count + WARM):
        render.render_letter(snapshot, sender=SENDER, issued_on=ISSUED_ON)
    file.write_text(json.dumps(contents), encoding="utf-8")


# The rounds


def weasyprint_python() -> Path:
    """The peer's interpreter, once it can load the libraries it needs."""
    python = python_with("weasyprint", *PEER)
    done = subprocess.run(
        [str(python), "-c", "import weasyprint"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1]
        raise SystemExit(f"WeasyPrint needs Pango ({reason}). On Debian and Ubuntu: {NEEDS}")
    return python


def measure(count: int, rounds: int) -> None:
    """Everything in turns."""
    from trackcenter.channels.documents.fonts import FOLDER

    own = [sys.executable, "-m", "benchmarks.letters", "--letters", str(count), "--run"]
    with a_place() as place, tempfile.TemporaryDirectory() as folder:
        environment = {
            **place.environment,
            "RAYON_NUM_THREADS": "1",
            "TRACKCENTER_LOG_LEVEL": "WARNING",
        }
        file = Path(folder) / "contents.json"
        subprocess.run([*own, "record", "--file", str(file)], env=environment, cwd=ROOT, check=True)
        font = FOLDER / "NotoSans[wght].ttf"
        candidates = {
            "Track Center": [*own, "ours"],
            "in the worker": [*own, "worker"],
            "bare typst": [*own, "bare", "--file", str(file)],
            "WeasyPrint": [
                str(weasyprint_python()), "-m", "benchmarks.peer_weasyprint",
                str(count), str(file), str(font),
            ],
        }  # fmt: skip
        taken: dict[str, list[Took]] = {name: [] for name in candidates}
        speedup = []
        for _ in range(rounds):
            for name, command in candidates.items():
                taken[name] += at_once([command], environment)
            both = at_once([candidates["Track Center"]] * 2, environment)
            speedup.append(2 * taken["Track Center"][-1].seconds / max(one.seconds for one in both))
    print(f"{count:,} letters each, {rounds} rounds")
    for name, some in taken.items():
        cpu = statistics.median(one.cpu for one in some) / count
        memory = statistics.median(one.memory for one in some)
        print(
            f"  {name:16}{1 / cpu:8.1f} letters a CPU-second {1000 * cpu:8.1f} CPU-ms each"
            f" {memory:6.0f} MB"
        )

    def against(name: str) -> float:
        pairs = zip(taken[name], taken["Track Center"], strict=True)
        return statistics.median(theirs.cpu / mine.cpu for theirs, mine in pairs)

    print(f"  ours / WeasyPrint   {against('WeasyPrint'):5.2f}×   (goal 5×)")
    print(f"  ours / bare typst   {against('bare typst'):5.2f}×   (goal 0.4×)")
    print(f"  two processes / one {statistics.median(speedup):5.2f}×   (goal 1.7×, by the clock)")


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(prog="trackcenter bench letters", description=__doc__)
    parser.add_argument(
        "--run", choices=("ours", "worker", "bare", "record"), help=argparse.SUPPRESS
    )
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--letters", type=int, default=100, help="of each candidate, each round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    count: int = options.letters
    if options.run == "ours":
        ours(count)
    elif options.run == "worker":
        worker(count)
    elif options.run == "bare":
        bare(count, options.file)
    elif options.run == "record":
        record(count, options.file)
    else:
        measure(count, options.rounds)


if __name__ == "__main__":
    main()
