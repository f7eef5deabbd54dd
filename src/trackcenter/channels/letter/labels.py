"""Address labels on sheets such as Avery's."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from trackcenter.channels.bill import one_line
from trackcenter.channels.documents.typesetting import typeset
from trackcenter.channels.errors import RenderError
from trackcenter.channels.language import text_language
from trackcenter.channels.texts import texts


@dataclass(frozen=True, slots=True)
class Sheet:
    """How a sheet of labels is cut. Millimetres; `left` and `top` are the first label's corner,
    `pitch_x` and `pitch_y` the way from one label's corner to the next one's.
    """

    name: str
    columns: int
    rows: int
    label_width: float
    label_height: float
    left: float
    top: float
    pitch_x: float
    pitch_y: float
    page_width: float = 210.0
    page_height: float = 297.0
    padding_x: float = 4.0
    padding_y: float = 3.0

    def __post_init__(self) -> None:
        if self.columns < 1 or self.rows < 1:
            raise ValueError(f"sheet {self.name}: it needs a column and a row at least")
        right = self.left + (self.columns - 1) * self.pitch_x + self.label_width
        bottom = self.top + (self.rows - 1) * self.pitch_y + self.label_height
        if min(self.left, self.top, self.padding_x, self.padding_y) < 0:
            raise ValueError(f"sheet {self.name}: margins cannot be negative")
        if right > self.page_width + 0.05 or bottom > self.page_height + 0.05:
            raise ValueError(f"sheet {self.name}: the labels run off the page")
        if self.columns > 1 and self.pitch_x < self.label_width:
            raise ValueError(f"sheet {self.name}: the columns overlap")
        if self.rows > 1 and self.pitch_y < self.label_height:
            raise ValueError(f"sheet {self.name}: the rows overlap")

    @property
    def labels(self) -> int:
        """How many there are on a sheet."""
        return self.columns * self.rows


SHEETS = {
    sheet.name: sheet
    for sheet in (
        Sheet("L7160", 3, 7, 63.5, 38.1, 7.2, 15.15, 66.04, 38.1),
        Sheet("L7159", 3, 8, 63.5, 33.9, 7.2, 12.9, 66.04, 33.9),
        Sheet("L7162", 2, 8, 99.1, 33.9, 4.65, 12.9, 101.6, 33.9),
        Sheet("L7163", 2, 7, 99.1, 38.1, 4.65, 15.15, 101.6, 38.1),
        # One label alone, for a label printer or the record of a communication.
        Sheet("SINGLE", 1, 1, 63.5, 38.1, 0, 0, 0, 0, page_width=63.5, page_height=38.1),
    )
}
"""The sheets known by name; any other is a `Sheet` of one's own."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label: address lines as `RenderedLetter.address`, and a document code to tell it by."""

    lines: tuple[str, ...]
    document_code: str | None = None


def render_labels(
    labels: Sequence[Label],
    *,
    issued_on: date,
    sheet: Sheet = SHEETS["L7160"],
    start: int = 1,
    language: str | None = None,
    author: str = "",
) -> bytes:
    """The labels as PDF, row by row. `start` is the first free place of the first sheet, from 1.

    A long address is set smaller. Raises RenderError when one does not fit at all, a character
    has no font, or there is nothing to print; ValueError for a start off the sheet.
    """
    if not 1 <= start <= sheet.labels:
        raise ValueError(f"a sheet of {sheet.name} has the places 1 to {sheet.labels}")
    if not labels:
        raise RenderError("there are no labels to print")
    language = text_language(language, None)
    words = texts(language, "labels").filled({})
    data = {
        "lang": language,
        "region": None,
        "title": words["title"],
        "author": one_line(author),
        "sheet": asdict(sheet),
        "start": start - 1,
        "labels": [
            {
                "lines": [one_line(line) for line in label.lines],
                "code": label.document_code,
                "refusal": f"{label.document_code or label.lines[0][:40]}: {words['too_long']}",
            }
            for label in labels
        ],
    }
    return typeset("labels", data, made_on=issued_on)
