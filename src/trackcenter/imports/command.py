"""What `trackcenter import` does: a progress bar, a sentence, or the list of what is wrong."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from trackcenter.imports.services import ImportResult, import_file
from trackcenter.kit.errors import InputError

SAMPLE = Path(__file__).parent / "sample" / "billing.csv"
"""The billing file of the demo."""


def import_command(
    file: Path,
    *,
    dry_run: bool = False,
    out: Console | None = None,
    err: Console | None = None,
) -> int:
    """Import a file for the command line and say what came of it; the exit code, 0 or 1.

    The result goes to `out` (standard output), the progress bar and the problems to `err`.
    """
    out = out or Console()
    err = err or Console(stderr=True)
    try:
        result = _import_watched(file, dry_run, err)
    except InputError as error:
        _print_problems(error, file, err)
        return 1
    except OSError as error:
        err.print(f"{file}: {error.strerror or error}", style="red", markup=False)
        return 1
    out.print(sentence(result), highlight=False, markup=False, soft_wrap=True)
    return 0


def sentence(result: ImportResult) -> str:
    """`756 bills in 12 batches: 756 new, 0 changed, 0 as they were.`"""
    bills = result.created + result.updated + result.unchanged
    counts = (
        f"{bills:,} {_plural(bills, 'bill', 'bills')} in {result.batches:,} "
        f"{_plural(result.batches, 'batch', 'batches')}: {result.created:,} new, "
        f"{result.updated:,} changed, {result.unchanged:,} as they were."
    )
    return f"{counts} Dry run: nothing was written." if result.dry_run else counts


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def _import_watched(file: Path, dry_run: bool, err: Console) -> ImportResult:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        tasks = {
            "checking": bars.add_task("Checking rows", total=None),
            "writing": bars.add_task("Writing rows", total=None, visible=False),
        }

        def progress(phase: str, done: int, total: int | None) -> None:
            # Told after every row while checking: a bar that moves each hundredth is smooth enough.
            if total is not None or done % 100 == 0:
                bars.update(tasks[phase], completed=done, total=total, visible=True)

        return import_file(file, file.name, dry_run=dry_run, progress=progress)


def _print_problems(error: InputError, file: Path, err: Console) -> None:
    table = Table("row", "column", "what is wrong", box=None, pad_edge=False, show_edge=False)
    for problem in error.problems:
        where = [str(part) for part in problem.loc]
        row, column = (where[1:2], where[2:]) if where[:1] == ["row"] else ([], where)
        # As Text: what the file says must not be read as rich's markup.
        table.add_row(*(Text(cell) for cell in (" ".join(row), " ".join(column), problem.msg)))
    err.print(table)
    problems = _plural(error.total, "problem", "problems")
    err.print(
        f"{file.name}: {error.total:,} {problems}; nothing was written.",
        style="red",
        highlight=False,
        markup=False,
    )
