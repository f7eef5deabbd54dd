import contextlib
import datetime
import io
import json
import re
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imports.files import (
    a_row,
    as_csv,
    as_json,
    as_xlsx,
    checked,
    only_problem,
    problems,
    saved,
)
from trackcenter.imports import reading
from trackcenter.imports.reading import Number, as_written, open_table
from trackcenter.kit.errors import InputError


def rows_of(content: bytes) -> list[reading.RawRow]:
    return list(open_table(io.BytesIO(content)).rows)


A_WORKBOOK = as_xlsx(a_row())
plain_text = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\ufeff"),
    max_size=30,
)


@given(
    table=st.integers(2, 5).flatmap(
        lambda width: st.lists(
            st.lists(plain_text, min_size=width, max_size=width).filter(
                lambda row: any(cell.strip() for cell in row)
            ),
            min_size=1,
            max_size=6,
        )
    ),
    delimiter=st.sampled_from(",;"),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_a_csv_gives_back_the_cells_that_were_written(table, delimiter, mark):
    columns = [f"column{index}" for index in range(len(table[0]))]
    content = as_csv(*(dict(zip(columns, row, strict=True)) for row in table), delimiter=delimiter)
    assert [list(row.cells) for row in rows_of(mark + content)] == table


def test_row_numbers_count_empty_rows_and_the_heading():
    content = b"building,unit\n\nB1,1\n,\nB1,2\n"
    assert [row.number for row in rows_of(content)] == [3, 5]


def test_a_quoted_line_break_is_still_one_row():
    content = b'building,unit\n"B\n1",1\nB1,2\n'
    assert [row.number for row in rows_of(content)] == [2, 3]


def test_the_stream_stays_open_for_its_owner():
    stream = io.BytesIO(as_csv(a_row()))
    list(open_table(stream).rows)
    assert not stream.closed


def test_a_csv_row_that_was_cut_off_is_an_error():
    content = as_csv(a_row(), a_row(unit="2"))
    assert only_problem(content[:-12])[0] == ("row", 3)


def test_a_csv_row_that_is_too_long_is_an_error():
    content = as_csv(a_row()).rstrip() + b",surplus\r\n"
    assert only_problem(content) == (("row", 2), "the row has 8 cells, the heading has 7")


def test_a_file_in_another_encoding_is_told_so():
    content = as_csv(a_row(recipient="Müller")).decode().encode("latin-1")
    where, what = only_problem(content)
    assert where == ("file",)
    assert "not UTF-8 (byte 0xFC" in what


def test_utf16_is_told_so():
    assert "UTF-16" in only_problem("building,unit".encode("utf-16"))[1]


def test_a_broken_quote_names_its_row():
    content = as_csv(a_row()) + b'"B1"x,2025\r\n'
    assert only_problem(content)[0] == ("row", 3)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \r\n\r\n"])
def test_an_empty_file_is_told_so(content):
    assert only_problem(content) == (("file",), "the file is empty")


def test_a_file_with_a_heading_alone_has_no_rows():
    heading = as_csv(a_row()).splitlines()[0]
    assert only_problem(heading) == (("file",), "the file has no rows")


def test_a_file_that_is_too_large_is_not_read(monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 1024 * 1024)
    assert "more than 1 MiB" in only_problem(b"x" * (1024 * 1024 + 1))[1]


def test_a_file_with_too_many_rows_is_refused(monkeypatch):
    monkeypatch.setattr(reading, "MAX_ROWS", 2)
    rows = [a_row(unit=str(number)) for number in range(3)]
    for content in (as_csv(*rows), as_xlsx(*rows), as_json(*rows)):
        assert "more than 2 rows" in only_problem(content)[1]


# --- XLSX ---


@given(st.integers(-(10**14), 10**14))
def test_a_whole_number_is_read_without_a_decimal_point(number):
    assert as_written(float(number)) == str(number)


@given(st.decimals(-(10**9), 10**9, places=2))
def test_a_spreadsheet_amount_is_read_as_it_was_typed(amount):
    assert float(as_written(float(amount))) == float(amount)
    assert "e" not in as_written(float(amount))


def test_float_noise_of_a_formula_is_not_read():
    assert as_written(0.1 + 0.2) == "0.3"


@pytest.mark.parametrize(
    ("value", "text"), [(1e-7, "0.0000001"), (1.5e20, "150000000000000000000")]
)
def test_numbers_are_written_without_an_exponent(value, text):
    assert as_written(value) == text


def test_a_workbook_reads_like_the_csv():
    row = a_row(building_name="Haus Ä", due_date="2026-03-31", total="12.50")
    typed = {**row, "unit": 1, "year": 2025, "total": 12.5, "due_date": datetime.date(2026, 3, 31)}
    assert checked(as_xlsx(typed)) == checked(as_csv(row))


def test_a_number_cell_is_known_as_one():
    (row,) = rows_of(as_xlsx({"unit": 12, "recipient": "12"}))
    assert list(row.cells) == ["12", "12"]
    assert [isinstance(cell, Number) for cell in row.cells] == [True, False]


def test_a_unit_that_became_a_date_is_an_error():
    content = as_xlsx(a_row(unit=datetime.date(2025, 2, 1)))
    where, what = only_problem(content)
    assert where == ("row", 2, "unit")
    assert "made a date of this" in what


def test_a_due_date_with_a_time_of_day_is_an_error():
    content = as_xlsx(a_row(due_date=datetime.datetime.fromisoformat("2026-03-31T10:30")))
    assert only_problem(content)[0] == ("row", 2, "due_date")


def test_true_and_times_are_no_cells_of_a_bill():
    content = as_xlsx(a_row(unit=True), a_row(unit=datetime.time(10, 0)))
    assert [where for where, _ in problems(content)] == [("row", 2, "unit"), ("row", 3, "unit")]


def test_a_formula_that_ends_in_an_error_is_not_an_empty_cell():
    workbook = openpyxl.load_workbook(io.BytesIO(as_xlsx(a_row(total=1, payee="P"))))
    cell = workbook.active["H2"]
    cell.value, cell.data_type = "#REF!", "e"
    where, what = only_problem(saved(workbook))
    assert where == ("row", 2, "total")
    assert "ends in an error" in what


def with_cells(content: bytes, **cells: str) -> bytes:
    """A workbook with these cells of row 2 and below written as the given XML."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                for place, cell in cells.items():
                    pattern = rf'<c r="{place}"(?:[^>]*/>|.*?</c>)'.encode()
                    data, times = re.subn(pattern, cell.encode(), data)
                    assert times == 1, place
            new.writestr(entry, data)
    return written.getvalue()


A_BILL = as_xlsx(a_row(**{"cost: Heating": 10, "cost: Water": 5}))


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="I2"><f>5*4</f></c>',
        '<c r="I2"><f>5*4</f><v></v></c>',
        '<c r="I2"><f>5*4</f><v/></c>',
        '<c r="I2" s="1" t="n">\n <f>5*4</f>\n <v></v>\n</c>',
        '<c r="I2"><f t="shared" ref="I2:I9" si="0">H2*4</f></c>',
        '<c r="I2"><f t="shared" si="0"/></c>',
        '<c r="I2"><f t="shared" si="0"/><v></v></c>',
        '<c t="b" r="I2"><f>A1=1</f><v></v></c>',
    ],
)
def test_a_formula_without_a_stored_result_is_not_an_empty_cell(cell):
    where, what = only_problem(with_cells(A_BILL, I2=cell))
    assert where == ("row", 2, "cost: Water")
    assert what == (
        "the formula has no stored result; open and save the file in a spreadsheet program"
    )


@pytest.mark.parametrize(
    ("cell", "costs"),
    [
        ('<c r="I2"><f>5*4</f><v>20</v></c>', ["10.00", "20.00"]),
        ('<c r="I2"><f t="shared" si="0"/><v>0</v></c>', ["10.00", "0.00"]),
        ('<c r="I2" t="str"><f>"7.50"</f><v>7.50</v></c>', ["10.00", "7.50"]),
        ('<c r="I2" t="str"><f>""</f><v></v></c>', ["10.00"]),
        ('<c t="str" r="I2"><f>""</f></c>', ["10.00"]),
    ],
)
def test_a_formula_with_a_result_is_read_as_its_result(cell, costs):
    (row,) = checked(with_cells(A_BILL, I2=cell)).rows
    assert [cost.amount for cost in row.costs] == costs


def test_a_row_of_formulas_behind_the_last_value_is_not_left_out():
    rows = [a_row(), a_row(unit="2")]
    cells = {f"{column}3": f'<c r="{column}3"><f>{column}2</f></c>' for column in "ABCDEFG"}
    found = problems(with_cells(as_xlsx(*rows), **cells))
    assert [where for where, _ in found] == [("row", 3, column) for column in rows[0]]


def test_a_formula_in_a_cell_without_a_place_is_told_so():
    where, what = only_problem(with_cells(A_BILL, I2="<c><f>5*4</f></c>"))
    assert where == ("file",)
    assert "does not say where it stands" in what


@pytest.mark.parametrize("size", [50, 61, 100, 1000])
def test_a_cell_that_two_blocks_share_is_seen_whole(size):
    class Small(io.BytesIO):
        def read(self, _):
            return super().read(size)

    cells = '<x:c r="A1"><x:v>1</x:v></x:c><x:c r="B1" t="e"><x:v>#N/A</x:v></x:c>' * 9
    sheet = f"<x:cols/><x:row>{cells}</x:row>" + "<x:tail/>" * 99
    pieces = list(reading._pieces(Small(sheet.encode())))
    assert b"".join(pieces) == sheet.encode()
    assert sum(len(re.findall(rb'<x:c r="B1" t="e"><x:v>#', piece)) for piece in pieces) == 9


def test_two_filled_sheets_are_a_question_not_a_guess():
    workbook = openpyxl.load_workbook(io.BytesIO(as_xlsx(a_row())))
    workbook.create_sheet("Notes")["A1"] = "remember"
    assert (
        "several sheets have something in them ('Sheet', 'Notes')"
        in (only_problem(saved(workbook))[1])
    )


def test_hidden_and_empty_sheets_do_not_disturb():
    workbook = openpyxl.load_workbook(io.BytesIO(as_xlsx(a_row())))
    workbook.create_sheet("Empty")
    hidden = workbook.create_sheet("Lists", 0)
    hidden["A2"], hidden["A2"].data_type, hidden.sheet_state = "#N/A", "e", "hidden"
    assert len(checked(saved(workbook)).rows) == 1


def test_a_heading_below_the_first_row_is_told_so():
    workbook = openpyxl.Workbook()
    workbook.active["A3"] = "building"
    assert "the heading belongs in row 1" in only_problem(saved(workbook))[1]


def test_old_and_foreign_workbooks_are_told_what_to_do():
    assert "old Excel file" in only_problem(b"\xd0\xcf\x11\xe0 and more")[1]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("word/document.xml", "<w/>")
    assert "no .xlsx workbook" in only_problem(archive.getvalue())[1]


@given(st.data())
def test_a_damaged_workbook_is_an_error_and_nothing_worse(data):
    content = bytearray(A_WORKBOOK)
    for _ in range(data.draw(st.integers(1, 20))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InputError):
        checked(bytes(content))


def test_a_workbook_that_unpacks_to_a_flood_is_not_opened(monkeypatch):
    monkeypatch.setattr(reading, "MAX_UNPACKED_BYTES", 1000)
    assert "unreasonable size" in only_problem(as_xlsx(a_row()))[1]


# --- JSON ---


def test_json_reads_like_the_csv():
    row = a_row(total="12.50")
    in_json = {**row, "year": 2025, "unit": 1, "email": row["email"], "costs": None}
    in_json["costs"] = [{"label": "Heating", "amount": 10.5}, {"label": "Water", "amount": "2"}]
    from_csv = checked(as_csv({**row, "cost: Heating": "10.50", "cost: Water": "2"}))
    (from_json,) = checked(as_json(in_json)).rows
    assert from_json == type(from_json)(**{**_fields(from_csv.rows[0]), "number": 1})


def _fields(row):
    return {name: getattr(row, name) for name in row.__struct_fields__}


def test_json_numbers_keep_their_spelling():
    content = as_json(a_row()).replace(b'"2025"', b'2025, "total": 1234567890.10')
    assert checked(content).rows[0].total == "1234567890.10"


def test_the_first_json_object_is_row_1():
    assert only_problem(as_json(a_row(), a_row(unit="")))[0] == ("row", 2, "unit")


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b'{"building": "B1"}', ("file",)),
        (b"[1, 2", ("file",)),
        (b"[" * 100_000, ("file",)),
        (b"[7]", ("row", 1)),
        (b'[{"building": "\xff"}]', ("row", 1)),
    ],
)
def test_what_is_no_list_of_objects_is_told_where(content, where):
    assert only_problem(content)[0] == where


@pytest.mark.parametrize(
    ("value", "column"),
    [
        ({"unit": ["1"]}, "unit"),
        ({"unit": True}, "unit"),
        ({"costs": {"Heating": 1}}, "costs"),
        ({"costs": [{"label": "Heating"}]}, "costs"),
        ({"costs": [{"label": 7, "amount": 1}]}, "costs"),
        ({"costs": [{"label": "Heating", "amount": []}]}, "cost: Heating"),
        ({"cost: Heating": 1}, "cost: Heating"),
    ],
)
def test_json_values_of_the_wrong_shape_are_errors(value, column):
    assert only_problem(as_json({**a_row(), **value}))[0] == ("row", 1, column)


def test_a_key_given_twice_is_an_error():
    content = as_json(a_row()).replace(b'"unit"', b'"unit": "9", "unit"')
    assert only_problem(content) == (("row", 1, "unit"), "this column stands there twice")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
    )
)
def test_any_json_is_taken_or_refused_in_words(value):
    with pytest.raises(InputError):
        checked(json.dumps([value]).encode())


@given(
    start=st.sampled_from(
        [b"", b"[", b'[{"building":', b"PK\x03\x04", b"building,unit\n", b"\xef\xbb\xbf"]
    ),
    rest=st.binary(max_size=200),
)
def test_any_bytes_are_refused_in_words(start, rest):
    with pytest.raises(InputError):
        checked(start + rest)
