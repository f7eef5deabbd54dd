from datetime import date

import pypdfium2
import pytest

from tests.channels.letter.reading import text_of
from tests.channels.samples import SENDER
from trackcenter.channels.documents.s10 import S10
from trackcenter.channels.errors import RenderError
from trackcenter.channels.letter import SlipItem, render_slip

DAY = date(2025, 10, 20)


def items(count: int) -> list[SlipItem]:
    return [
        SlipItem(
            S10("RR", 100 + place, "DE"),
            (f"Recipient {place}", "Musterstraße 12", "10115 Berlin"),
            "TC-0000-0000-0000",
        )
        for place in range(count)
    ]


def test_a_slip_names_sender_date_items_and_total() -> None:
    text = text_of(render_slip(items(3), sender=SENDER, issued_on=DAY, language="de", country="DE"))
    for said in (
        "Einlieferungsliste",
        "Hausverwaltung Nord GmbH",
        "Lindenallee 4",
        "20. Oktober 2025",
        "Einschreiben mit Rückschein",
        "Recipient 2",
        S10("RR", 102, "DE").spaced,
        "Summe der Sendungen",
        "Ort, Datum, Unterschrift",
    ):
        assert said in text, said


def test_a_long_slip_repeats_its_headings_and_counts_its_pages() -> None:
    slip = render_slip(items(45), sender=SENDER, issued_on=DAY, language="en")
    text = text_of(slip)
    with pypdfium2.PdfDocument(slip) as document:
        pages = len(document)
    assert pages >= 4
    assert text.count("Item number") >= pages - 1
    assert f"Page {pages} of {pages}" in text
    assert all(f"Recipient {place}" in text for place in range(45))


def test_no_items_or_a_number_twice_are_refused() -> None:
    with pytest.raises(RenderError, match="no registered letters"):
        render_slip([], sender=SENDER, issued_on=DAY)
    with pytest.raises(RenderError, match="twice"):
        render_slip(items(1) * 2, sender=SENDER, issued_on=DAY)
