import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.imports.files import a_row, as_csv
from trackcenter.communications.models import Communication
from trackcenter.imports.command import import_command

pytestmark = pytest.mark.django_db


class Terminal:
    """What a person would see."""

    def __init__(self, *, live: bool = False) -> None:
        self._out, self._err = io.StringIO(), io.StringIO()
        self.consoles = {
            "out": Console(file=self._out, width=100),
            "err": Console(file=self._err, width=100, force_terminal=live),
        }

    @property
    def out(self) -> str:
        return self._out.getvalue()

    @property
    def err(self) -> str:
        return self._err.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bills.csv"


def test_it_says_what_was_imported(file):
    file.write_bytes(as_csv(a_row(), a_row(unit="2")))
    terminal = Terminal()
    assert import_command(file, **terminal.consoles) == 0
    assert terminal.out == "2 bills in 1 batch: 2 new, 0 changed, 0 as they were.\n"
    assert terminal.err == ""


def test_a_dry_run_says_that_nothing_was_written(file):
    file.write_bytes(as_csv(a_row()))
    terminal = Terminal()
    assert import_command(file, dry_run=True, **terminal.consoles) == 0
    assert terminal.out.endswith("Dry run: nothing was written.\n")
    assert not Communication.objects.exists()


def test_a_terminal_sees_a_bar(file):
    file.write_bytes(as_csv(a_row()))
    terminal = Terminal(live=True)
    import_command(file, **terminal.consoles)
    assert "Writing rows" in terminal.err


def test_problems_are_a_table_of_rows_columns_and_reasons(file):
    file.write_bytes(as_csv(a_row(year="25"), a_row(email="[red]x")))
    terminal = Terminal()
    assert import_command(file, **terminal.consoles) == 1
    assert terminal.out == ""
    table = terminal.err.splitlines()
    assert table[1].split()[:3] == ["2", "year", "'25'"]
    assert table[2].split()[:3] == ["3", "email", "'[red]x'"]
    assert table[-1] == "bills.csv: 2 problems; nothing was written."


def test_a_file_that_is_not_there_is_a_sentence(file):
    terminal = Terminal()
    assert import_command(file, **terminal.consoles) == 1
    assert "No such file" in terminal.err.replace("\n", " ")
