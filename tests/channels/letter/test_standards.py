"""What archives and screen readers ask of the documents: PDF/A-3a, PDF/UA-1, tags, fonts."""

import io
from datetime import date

import pikepdf
import pytest

from tests.channels.samples import SENDER, bill
from trackcenter.channels.documents.s10 import S10
from trackcenter.channels.letter import (
    Label,
    SlipItem,
    render_labels,
    render_letter,
    render_slip,
)

DAY = date(2025, 10, 20)


def letter() -> bytes:
    return render_letter(
        bill(recipient="Νίκος יוסף Łukasz"),
        sender=SENDER,
        issued_on=DAY,
        registered=S10("RR", 5, "DE"),
    ).pdf


def labels() -> bytes:
    return render_labels([Label(("Jürgen Größer", "10115 Berlin"))], issued_on=DAY, language="de")


def slip() -> bytes:
    item = SlipItem(S10("RR", 5, "DE"), ("Jürgen Größer", "10115 Berlin"))
    return render_slip([item], sender=SENDER, issued_on=DAY, language="de")


@pytest.fixture(params=[letter, labels, slip], ids=["letter", "labels", "slip"])
def document(request: pytest.FixtureRequest) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(request.param()))


def test_it_says_that_it_is_pdf_a_3a_and_pdf_ua_1(document: pikepdf.Pdf) -> None:
    with document.open_metadata() as metadata:
        assert metadata.pdfa_status == "3A"
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"]


def test_it_is_tagged_and_says_its_language(document: pikepdf.Pdf) -> None:
    assert document.Root.MarkInfo.Marked is True or bool(document.Root.MarkInfo.Marked)
    assert document.Root.StructTreeRoot.K
    assert str(document.Root.Lang).startswith("de")
    assert bool(document.Root.ViewerPreferences.DisplayDocTitle)


def test_it_has_an_output_intent(document: pikepdf.Pdf) -> None:
    (intent,) = document.Root.OutputIntents
    assert intent.S == "/GTS_PDFA1"
    assert len(intent.DestOutputProfile.read_bytes()) > 100


def test_every_font_is_embedded_and_can_be_read_back(document: pikepdf.Pdf) -> None:
    fonts = [
        thing
        for thing in document.objects
        if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/Font"
    ]
    kinds = {str(font.Subtype) for font in fonts}
    assert "/Type0" in kinds
    assert kinds <= {"/Type0", "/CIDFontType0", "/CIDFontType2"}  # none that a reader must have
    whole = [font for font in fonts if font.Subtype == "/Type0"]
    for font in whole:
        assert "/ToUnicode" in font
        descriptor = font.DescendantFonts[0].FontDescriptor
        assert "/FontFile2" in descriptor or "/FontFile3" in descriptor


def test_pictures_are_described_and_tables_have_headings() -> None:
    with pikepdf.open(io.BytesIO(letter())) as document:
        tags = [
            thing
            for thing in document.objects
            if isinstance(thing, pikepdf.Dictionary) and "/S" in thing and "/P" in thing
        ]
        names = {str(tag.S) for tag in tags}
        assert {"/H1", "/Table", "/TH", "/TD", "/Figure", "/P"} <= names
        assert all("/Alt" in tag for tag in tags if tag.S == "/Figure")


def test_the_date_of_creation_is_the_date_it_bears() -> None:
    with pikepdf.open(io.BytesIO(letter())) as document:
        assert str(document.docinfo["/CreationDate"]).startswith("D:20251020000000")
