from pathlib import Path

import pytest

from tests.exports.reading import a_bill, as_rows
from trackcenter.access.models import AccessRecord, Act
from trackcenter.exports.command import export_command
from trackcenter.kit.errors import InputError

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_building_s_year_is_written_to_a_file(tmp_path: Path):
    a_bill("EMAIL", building="B1")
    a_bill("EMAIL", building="B2")
    a_bill("EMAIL", building="B1", year=2020)
    output = tmp_path / "out.csv"
    output.write_text("an older one")
    said = export_command(output, building="B1", year=2020)
    assert said == f"1 row in {output}"
    assert [row["building"] for row in as_rows(output.read_bytes())] == ["B1"]
    assert list(tmp_path.iterdir()) == [output]


def test_a_name_in_xlsx_makes_a_workbook(tmp_path: Path):
    output = tmp_path / "out.XLSX"
    export_command(output)
    assert len(as_rows(output.read_bytes())) == 1
    assert list(tmp_path.iterdir()) == [output]


def test_an_unknown_building_and_a_folder_that_is_not_there_are_named(tmp_path: Path):
    with pytest.raises(InputError, match="there is no building B9"):
        export_command(tmp_path / "out.csv", building="B9")
    with pytest.raises(InputError, match="No such file"):
        export_command(tmp_path / "nowhere" / "out.csv")
    assert list(tmp_path.iterdir()) == []


def test_who_exported_at_the_command_line_is_nobody_but_it_is_written_down(tmp_path: Path):
    a_bill("EMAIL", building="B1")
    export_command(tmp_path / "out.csv", building="B1")
    line = AccessRecord.objects.get(act=Act.EXPORT_REQUESTED)
    assert line.user is None
    assert line.detail["building"] == "B1"
