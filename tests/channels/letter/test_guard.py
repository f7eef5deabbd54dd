import io
import re
from datetime import date

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.channels.samples import SENDER, bill
from trackcenter.channels.errors import RenderError
from trackcenter.channels.letter import (
    ContentMismatch,
    RenderedLetter,
    check_document,
    render_letter,
)

DAY = date(2025, 10, 20)


def a_letter(**changes: object) -> RenderedLetter:
    return render_letter(bill(**changes), sender=SENDER, issued_on=DAY)


def check(letter: RenderedLetter, **changes: str) -> None:
    about = {
        "document_code": letter.document_code,
        "unit": letter.unit,
        "recipient": letter.recipient,
    }
    check_document(letter.pdf, **(about | changes))


def test_the_right_letter_passes() -> None:
    letter = a_letter()
    check(letter)
    check(letter, unit="12")  # as the billing row has it
    check(a_letter(unit="Laden links, Hinterhaus, zweiter Aufgang"))


def test_a_name_in_capitals_by_its_country_passes() -> None:
    check(a_letter(country="HU", recipient="Nagy Ilona", timeZone="Europe/Berlin"))


def test_another_units_letter_is_stopped() -> None:
    other = a_letter(unit="13", recipient="Ann Other")
    with pytest.raises(ContentMismatch, match="lacks"):
        check(other, document_code=a_letter().document_code)
    with pytest.raises(ContentMismatch, match="recipient"):
        check(other, recipient="Jürgen Größer")
    with pytest.raises(ContentMismatch, match="unit"):
        check(other, unit="Wohnung 12")


@pytest.mark.parametrize("near", ["Jürgen", "Größer", "Jürgen Größe", "ürgen Größer", ""])
def test_a_part_of_a_name_is_another_name(near: str) -> None:
    with pytest.raises(ContentMismatch, match="recipient"):
        check(a_letter(), recipient=near)


@pytest.mark.parametrize("near", ["2", "1", "Wohnung 1", "Wohnung", "Musterstraße 12", ""])
def test_a_part_of_a_unit_is_another_unit(near: str) -> None:
    with pytest.raises(ContentMismatch, match="unit"):
        check(a_letter(), unit=near)


def test_the_recipient_must_be_in_the_address_field() -> None:
    # The sender's name is on the page, but not there.
    with pytest.raises(ContentMismatch, match="recipient"):
        check(a_letter(), recipient="Nord Treuhand KG")


def test_a_page_of_another_letter_among_the_pages_is_stopped() -> None:
    mine, other = a_letter(), a_letter(unit="13")
    mixed = io.BytesIO()
    with pikepdf.open(io.BytesIO(mine.pdf)) as first, pikepdf.open(io.BytesIO(other.pdf)) as second:
        first.pages.extend(second.pages)
        first.save(mixed)
    with pytest.raises(ContentMismatch, match="page 2"):
        check_document(
            mixed.getvalue(),
            document_code=mine.document_code,
            unit=mine.unit,
            recipient=mine.recipient,
        )


def test_what_is_no_pdf_is_stopped() -> None:
    with pytest.raises(ContentMismatch, match="not a PDF"):
        check_document(b"%PDF-", document_code="TC-0000-0000-0000", unit="1", recipient="A")


def test_a_mismatch_is_permanent() -> None:
    assert issubclass(ContentMismatch, RenderError)
    assert ContentMismatch("x").permanent


NAMES = st.text(
    st.characters(
        max_codepoint=0x52F, exclude_categories=["Cc", "Cf", "Cn", "Cs", "Co", "Mn", "Me"]
    ),
    min_size=1,
    max_size=60,
).filter(lambda name: bool(re.search(r"\w", name)))


@settings(max_examples=30, deadline=None)
@given(recipient=NAMES, unit=NAMES)
def test_every_letter_passes_with_what_its_billing_row_says(recipient: str, unit: str) -> None:
    try:
        letter = a_letter(recipient=recipient, unit=unit)
    except RenderError:
        return  # a rare character has no font: that letter never gets here
    check(letter, recipient=recipient, unit=unit)
