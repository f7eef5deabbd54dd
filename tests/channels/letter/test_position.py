"""DIN 5008 form B, measured in the finished PDF, and the windows it must show in."""

from dataclasses import dataclass
from datetime import date

import pytest

from tests.channels.letter.reading import Extent, characters, extent_of, union
from tests.channels.samples import SENDER, bill
from trackcenter.channels.documents.s10 import S10
from trackcenter.channels.letter import RenderedLetter, render_letter

DAY = date(2025, 10, 20)


@dataclass(frozen=True)
class Envelope:
    """Its window (from its upper left corner) and how far the sheet can slide, in millimetres."""

    name: str
    left: float
    top: float
    width: float
    height: float
    across: float
    down: float

    def always_shows(self, ink: Extent) -> bool:
        """Whether ink of the sheet is in the window however the sheet lies."""
        return (
            self.left <= ink.left
            and ink.right + self.across <= self.left + self.width
            and self.top <= ink.top
            and ink.bottom + self.down <= self.top + self.height
        )


# DL 220 × 110 and C5 229 × 162: window 45 × 90, 20 mm from the left, 15 and 60 mm from below.
# The sheet is folded to 105 and 148.5 mm. C4 229 × 324: the same place as C5.
ENVELOPES = [
    Envelope("DL", 20, 50, 90, 45, 10, 5),
    Envelope("C5", 20, 57, 90, 45, 19, 13.5),
    Envelope("C4", 20, 57, 90, 45, 19, 13.5),
]


def the_letter(**changes: object) -> RenderedLetter:
    return render_letter(bill(**changes), sender=SENDER, issued_on=DAY)


def address_ink(letter: RenderedLetter) -> Extent:
    """All that is in the address zone of the first page."""
    return union(
        box
        for _, box in characters(letter.pdf)
        if box.left < 120 and box.top >= 62.7 and box.bottom < 98
    )


@pytest.mark.parametrize("envelope", ENVELOPES, ids=lambda envelope: envelope.name)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"street2": "Hinterhaus, 3. OG links", "country": "AT"},
        {"recipient": "Wilhelmine von Habsburg-Lothringen " * 5},
        {"recipient": "x" * 200},
        {"recipient": "W" * 200, "street": "W" * 60},
        {"recipient": "Eigentümergemeinschaft Musterstraße", "street": "M" * 100},
    ],
)
def test_the_address_shows_in_the_window_however_the_sheet_lies(
    envelope: Envelope, changes: dict[str, str]
) -> None:
    assert envelope.always_shows(address_ink(the_letter(**changes)))


@pytest.mark.parametrize("envelope", ENVELOPES, ids=lambda envelope: envelope.name)
def test_the_document_code_shows_above_the_address(envelope: Envelope) -> None:
    letter = the_letter()
    code = extent_of(letter.document_code, letter.pdf)
    assert code.bottom < 62.7
    assert envelope.always_shows(code)


def test_nothing_but_the_address_field_shows_in_a_window() -> None:
    registered = render_letter(
        bill(), sender=SENDER, issued_on=DAY, registered=S10("RR", 12345678, "DE")
    )
    for envelope in ENVELOPES:
        window = Extent(
            envelope.left - envelope.across,
            envelope.top - envelope.down,
            envelope.left + envelope.width,
            envelope.top + envelope.height,
        )
        shown = [
            box
            for _, box in characters(registered.pdf)
            if box.right > window.left
            and box.left < window.right
            and box.bottom > window.top
            and box.top < window.bottom
        ]
        # The subject is below the field, and the reference block right of it.
        assert all(box.top >= 45 and box.right <= 105 and box.bottom <= 90 for box in shown)


def test_address_and_reference_stand_where_the_standard_has_them() -> None:
    letter = the_letter()
    name = extent_of("Jürgen Größer", letter.pdf)
    assert name.left == pytest.approx(25, abs=0.5)
    assert 62.7 <= name.top <= 66
    returned = extent_of("Hausverwaltung Nord GmbH · Lindenallee 4 · 20095 Hamburg", letter.pdf)
    assert returned.top >= 57.5
    assert returned.bottom <= 62.7
    unit = extent_of("Einheit", letter.pdf)
    assert unit.left == pytest.approx(125, abs=0.5)
    assert unit.top == pytest.approx(50, abs=0.5)
    subject = extent_of("Nebenkostenabrechnung 2024", letter.pdf)
    assert 102 <= subject.top <= 106


def test_all_ink_keeps_the_margins() -> None:
    for changes in ({}, {"unit": "U" * 100}, {"buildingName": "B" * 200}, {"payee": "P" * 90}):
        letter = the_letter(**changes)
        for page in range(letter.pages):
            ink = union(box for _, box in characters(letter.pdf, page))
            assert ink.left >= 24.5
            assert ink.right <= 190.8
            assert ink.bottom <= 290
