"""`trackcenter storage copy`: between a folder and Azure Blob, or between two of a kind."""

from django.core.exceptions import ImproperlyConfigured
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from trackcenter.cli.start import console, stop
from trackcenter.storage import StorageUnavailable
from trackcenter.storage.copying import Copied, copy, count, place_at, refuse_same


def copy_command(source: str, target: str) -> str:
    """Copy with a progress bar and say what was done; ends the program with 1 where it is not all.

    Raises Conflict for one place named twice, and NotFound for a source that is not there.
    """
    refuse_same(source, target)
    try:
        done = _copy(source, target)
    except ImproperlyConfigured as error:
        stop(str(error).removeprefix("TRACKCENTER_STORAGE_URL: "), 2)
    except StorageUnavailable as trouble:
        stop(f"{trouble.what}. {trouble.mend}\nWhat was copied stays; then do it again.")
    except OSError as error:
        stop(f"{error.strerror or error}: what was copied stays; mend it, then do it again.")
    for sha256, fate in done.faults:
        console.print(f"{sha256} is {fate.value}", markup=False)
    if done.faults:
        stop(f"{_told(done)}; {len(done.faults)} are not sound at {target}.")
    return f"{_told(done)}. {target} now has every file of {source}, each read back and verified."


def _copy(source: str, target: str) -> Copied:
    from_here, to_there = place_at(source, must_exist=True), place_at(target, must_exist=False)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("copying", total=count(from_here))
        return copy(from_here, to_there, lambda done: bar.update(task, completed=done))


def _told(done: Copied) -> str:
    return f"{done.copied} files copied ({done.bytes} bytes), {done.there} were there already"
