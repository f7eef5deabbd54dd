"""What `trackcenter export` does: a file with a progress bar, and a sentence."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from trackcenter.access.log import record
from trackcenter.access.models import Act
from trackcenter.buildings.models import Building
from trackcenter.exports.rows import Selection
from trackcenter.exports.services import write_file
from trackcenter.kit.errors import InputError


def export_command(
    output: Path,
    *,
    building: str | None = None,
    year: int | None = None,
    err: Console | None = None,
) -> str:
    """Write a CSV, or by the name's ending an XLSX; what to say about it.

    Raises `InputError` for a building that is not there or a file that cannot be written.
    """
    buildings = None
    if building is not None:
        found = Building.objects.filter(code=building).first()
        if found is None:
            raise InputError.at("--building", msg=f"there is no building {building}")
        buildings = (found.id,)
    kind = "xlsx" if output.suffix.lower() == ".xlsx" else "csv"
    err = err or Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        bar = bars.add_task("Exporting", total=None)
        try:
            rows = write_file(
                Selection(buildings=buildings, year=year),
                kind,
                output,
                lambda done: bars.update(bar, completed=done),
            )
        except OSError as error:
            raise InputError.at("--output", msg=f"{output}: {error.strerror or error}") from error
    detail = {"building": building, "year": year, "rows": rows, "file": str(output)}
    record(None, Act.EXPORT_REQUESTED, None, {key: it for key, it in detail.items() if it})
    return f"{rows:,} {'row' if rows == 1 else 'rows'} in {output}"
