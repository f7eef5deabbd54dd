"""Whatever a name holds: it appears as it stands, or fails its own letter alone."""

from datetime import date

import pytest

from tests.channels.letter.reading import text_of
from tests.channels.samples import SENDER, bill
from trackcenter.channels.errors import RenderError
from trackcenter.channels.letter import Label, check_document, render_labels, render_letter

DAY = date(2025, 10, 20)

LITERAL = [
    '#read("/etc/passwd")',
    "<script>alert(1)</script>",
    "{{7*7}}",
    "{% for x in y %}",
    r"$x^2$ *bold* _it_ @ref <lab> `raw` \u{41} // no /* comment",
    '"; panic("x") //',
    "Παπαδόπουλος Αλέξανδρος",
    "Łukasz Świętosławski-Żółć",
    "Иван Щербаков",
    "Nguyễn Thị Hạnh",
    "Zoë O’Brien-Mac Donald",
]


@pytest.mark.parametrize("name", LITERAL)
def test_what_looks_like_code_is_printed_as_it_stands(name: str) -> None:
    letter = render_letter(bill(recipient=name), sender=SENDER, issued_on=DAY)
    assert name in text_of(letter.pdf)
    check_document(letter.pdf, document_code=letter.document_code, unit=letter.unit, recipient=name)


@pytest.mark.parametrize("field", ["unit", "buildingName", "street", "city", "payee"])
def test_every_field_of_a_bill_is_printed_as_it_stands(field: str) -> None:
    hostile = '#eval("1+1")'
    letter = render_letter(bill(**{field: hostile}), sender=SENDER, issued_on=DAY)
    assert hostile in text_of(letter.pdf)


@pytest.mark.parametrize(
    "name",
    [
        "יוסף כהן",
        "محمد عبد الله",
        "محمد علي (Mohammed Ali)",
        "בן-דוד, שרה 12",
        "ខ្មែរ សុខ",
        "สมชาย ใจดี",
        "გიორგი ბერიძე",
        "राहुल शर्मा",
        "Ann 😀 Smith",
        "x" * 400,
        "Wilhelmine von Habsburg-Lothringen " * 11,
    ],
)
def test_other_scripts_and_long_names_reach_their_letter(name: str) -> None:
    letter = render_letter(bill(recipient=name), sender=SENDER, issued_on=DAY)
    check_document(letter.pdf, document_code=letter.document_code, unit=letter.unit, recipient=name)


@pytest.mark.parametrize("name", ["山田太郎", "Tux \ue000"])
def test_a_character_without_a_font_is_named(name: str) -> None:
    with pytest.raises(RenderError, match=rf"no font has the character .*U\+{ord(name[-1]):04X}"):
        render_letter(bill(recipient=name), sender=SENDER, issued_on=DAY)
    # and the next letter is none the worse for it
    assert render_letter(bill(), sender=SENDER, issued_on=DAY).pages == 1


def test_an_address_that_fits_no_window_fails_in_words() -> None:
    with pytest.raises(RenderError, match="too long for the window"):
        render_letter(
            bill(recipient="W" * 400, street="W" * 400, city="W" * 400),
            sender=SENDER,
            issued_on=DAY,
        )


def test_a_label_that_does_not_fit_is_named() -> None:
    with pytest.raises(RenderError, match="TC-AAAA"):
        render_labels([Label(("W" * 2000,), "TC-AAAA-AAAA-AAAA")], issued_on=DAY)


def test_separators_within_a_name_become_spaces() -> None:
    letter = render_letter(bill(recipient="Ann\u2028Smith\x00\n"), sender=SENDER, issued_on=DAY)
    assert letter.address[0] == "Ann Smith"
