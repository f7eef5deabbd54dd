from datetime import date

import pytest

from tests.channels.letter.reading import characters, text_of
from trackcenter.channels.errors import RenderError
from trackcenter.channels.letter import SHEETS, Label, Sheet, render_labels

DAY = date(2025, 10, 20)
LABEL = Label(("Jürgen Größer", "Musterstraße 12", "10115 Berlin"), "TC-0000-0000-0000")


@pytest.mark.parametrize("name", ["L7160", "L7159", "L7162", "L7163", "SINGLE"])
def test_every_character_keeps_inside_its_label(name: str) -> None:
    sheet = SHEETS[name]
    long = Label(("Wilhelmine von Habsburg-Lothringen " * 4, "W" * 50, "10115 Berlin"), "TC-1")
    pdf = render_labels([LABEL, long] * sheet.labels, issued_on=DAY, sheet=sheet)
    for page in range(2):
        for character, box in characters(pdf, page):
            column = int((box.left - sheet.left) // sheet.pitch_x) if sheet.columns > 1 else 0
            row = int((box.top - sheet.top) // sheet.pitch_y) if sheet.rows > 1 else 0
            left = sheet.left + column * sheet.pitch_x
            top = sheet.top + row * sheet.pitch_y
            assert left + 1 <= box.left, character
            assert box.right <= left + sheet.label_width - 1, character
            assert top + 1 <= box.top, character
            assert box.bottom <= top + sheet.label_height - 1, character


def test_a_sheet_begun_goes_on_at_its_first_free_place() -> None:
    pdf = render_labels([LABEL], issued_on=DAY, start=5)
    top = min(box.top for _, box in characters(pdf))
    left = min(box.left for _, box in characters(pdf))
    sheet = SHEETS["L7160"]
    assert sheet.top + sheet.pitch_y <= top < sheet.top + 2 * sheet.pitch_y
    assert sheet.left + sheet.pitch_x <= left < sheet.left + 2 * sheet.pitch_x


def test_labels_beyond_the_first_sheet_go_on_from_the_top_of_the_next() -> None:
    pdf = render_labels([LABEL] * 20, issued_on=DAY, start=4)
    assert text_of(pdf).count("Jürgen Größer") == 20
    second = characters(pdf, 1)
    assert min(box.top for _, box in second) < SHEETS["L7160"].top + SHEETS["L7160"].pitch_y


def test_a_start_off_the_sheet_or_no_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="1 to 21"):
        render_labels([LABEL], issued_on=DAY, start=22)
    with pytest.raises(RenderError, match="no labels"):
        render_labels([], issued_on=DAY)


@pytest.mark.parametrize(
    "cut",
    [
        {"columns": 4},
        {"rows": 8},
        {"pitch_x": 60.0},
        {"left": -1.0},
        {"columns": 0},
    ],
)
def test_a_sheet_that_cannot_be_is_refused(cut: dict[str, float]) -> None:
    sides: dict[str, float] = {
        "columns": 3,
        "rows": 7,
        "label_width": 63.5,
        "label_height": 38.1,
        "left": 7.2,
        "top": 15.15,
        "pitch_x": 66.04,
        "pitch_y": 38.1,
    }
    Sheet("mine", **sides)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="mine"):
        Sheet("mine", **(sides | cut))  # type: ignore[arg-type]
