import subprocess
import sys
from datetime import date

import pytest

from tests.channels.letter.reading import text_of
from tests.channels.samples import SENDER, bill
from trackcenter.channels.documents.code import code_of, read_code
from trackcenter.channels.documents.s10 import S10
from trackcenter.channels.errors import RenderError
from trackcenter.channels.letter import render_letter, render_statement

DAY = date(2025, 10, 20)


def test_a_german_letter_says_all_that_is_in_the_bill() -> None:
    letter = render_letter(bill(), sender=SENDER, issued_on=DAY)
    text = text_of(letter.pdf)
    for said in (
        "Hausverwaltung Nord GmbH",
        "20. Oktober 2025",
        "Nebenkostenabrechnung 2024 – Musterstraße 12, Wohnung 12",
        "Guten Tag Jürgen Größer,",
        "Heizung und Warmwasser",
        "1.034,50 €",
        "Gesamtkosten",
        "1.443,70 €",
        "−1.200,00 €",
        "Nachzahlung",
        "zu zahlen bis zum 30. November 2025",
        "DE89 3704 0044 0532 0130 00",
        "MUS12 / 12 / 2024",
        "Seite 1 von 1",
        letter.document_code,
    ):
        assert said in text, said
    assert letter.pages == 1
    assert letter.subject == "Nebenkostenabrechnung 2024 – Musterstraße 12, Wohnung 12"
    assert letter.address == ("Jürgen Größer", "Musterstraße 12", "10115 Berlin")


def test_an_english_credit_bears_a_minus_and_says_whose_it_is() -> None:
    credit = bill(language="en", country="GB", prepaid="1600.00", balance="-156.30")
    text = text_of(render_letter(credit, sender=SENDER, issued_on=DAY).pdf)
    for said in ("Credit", "in your favour", "−€156.30", "20 October 2025", "Page 1 of 1"):
        assert said in text, said
    assert "IBAN" not in text


def test_a_settled_bill_asks_for_nothing() -> None:
    settled = bill(prepaid="1443.70", balance="0.00")
    text = text_of(render_letter(settled, sender=SENDER, issued_on=DAY).pdf)
    assert "ausgeglichen" in text
    assert "IBAN" not in text


def test_a_long_bill_goes_over_several_pages_that_all_bear_code_and_number() -> None:
    costs = [{"label": f"Kostenart {place}", "amount": "10.00"} for place in range(70)]
    letter = render_letter(
        bill(costs=costs, total="700.00", prepaid=None, balance="700.00"),
        sender=SENDER,
        issued_on=DAY,
    )
    text = text_of(letter.pdf)
    assert letter.pages == 3
    assert all(f"Seite {page} von 3" in text for page in (1, 2, 3))
    assert text.count(letter.document_code) == 4  # once more above the address


def test_the_statement_of_an_email_is_the_letter_byte_for_byte() -> None:
    letter = render_letter(bill(), sender=SENDER, issued_on=DAY)
    statement = render_statement(bill(), sender=SENDER, issued_on=DAY)
    assert statement == letter
    attached = statement.as_attachment("STATEMENT")
    assert attached.content == letter.pdf
    assert attached.file_name == f"Abrechnung-2024-{letter.document_code}.pdf"


def test_a_statement_needs_no_postal_address_and_a_letter_does() -> None:
    nowhere = bill(street=None, postcode=None, city=None)
    assert render_statement(nowhere, sender=SENDER, issued_on=DAY).address == ("Jürgen Größer",)
    with pytest.raises(RenderError, match="no postal address"):
        render_letter(nowhere, sender=SENDER, issued_on=DAY)


def test_a_fresh_process_makes_the_same_bytes() -> None:
    program = (
        "import sys, hashlib; from datetime import date;"
        "from tests.channels.samples import SENDER, bill;"
        "from trackcenter.channels.letter import render_letter;"
        "pdf = render_letter(bill(), sender=SENDER, issued_on=date(2025, 10, 20)).pdf;"
        "sys.stdout.buffer.write(pdf)"
    )
    # It starts a second or more after the first letter is made, with another hash seed.
    first = render_letter(bill(), sender=SENDER, issued_on=DAY).pdf
    other = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {program}"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert other.stdout == first
    assert render_letter(bill(), sender=SENDER, issued_on=DAY).pdf == first


def test_whatever_changes_in_a_letter_changes_its_code() -> None:
    letters = [
        render_letter(bill(), sender=SENDER, issued_on=DAY),
        render_letter(bill(), sender=SENDER, issued_on=date(2025, 10, 21)),
        render_letter(bill(street="Musterstraße 13"), sender=SENDER, issued_on=DAY),
        render_letter(bill(), sender=SENDER, issued_on=DAY, registered=S10("RR", 1, "DE")),
    ]
    assert len({letter.document_code for letter in letters}) == len(letters)


def test_a_registered_letter_says_so_above_the_address() -> None:
    letter = render_letter(
        bill(), sender=SENDER, issued_on=DAY, registered=S10("RR", 12345678, "DE")
    )
    text = text_of(letter.pdf)
    assert "Einschreiben mit Rückschein" in text
    assert "RR 123 456 785 DE" in text


def test_a_building_words_its_own_texts() -> None:
    wording = {"greeting": "Liebe Familie {{ recipient }},", "closing": "Ihr {{ sender_name }}"}
    letter = render_letter(bill(), sender=SENDER, issued_on=DAY, wording=wording)
    text = text_of(letter.pdf)
    assert "Liebe Familie Jürgen Größer," in text
    assert "Ihr Hausverwaltung Nord GmbH" in text


@pytest.mark.parametrize(
    "wording",
    [{"greeting": "Hallo {{ nobody }}"}, {"greeting": "{% if %}"}, {"page_of": "1"}],
)
def test_faulty_wording_fails_only_its_letter(wording: dict[str, str]) -> None:
    with pytest.raises(RenderError):
        render_letter(bill(), sender=SENDER, issued_on=DAY, wording=wording)


def test_codes_forgive_what_people_confuse_and_find_what_they_mistype() -> None:
    code = code_of({"said": "x"})
    assert read_code(code) == code
    typed = code.removeprefix("TC-").lower().replace("0", "o").replace("1", "l").replace("-", " ")
    assert read_code(typed) == code
    for place, character in enumerate(code):
        if character == "-" or place < 3:
            continue
        other = "A" if character != "A" else "B"
        assert read_code(code[:place] + other + code[place + 1 :]) is None
    assert read_code("TC-1234") is None
    assert read_code("") is None
