"""Bars and QR as a decoder of another house (ZXing) reads them from the printed page."""

from datetime import date

import pytest
import zxingcpp

from tests.channels.letter.reading import codes
from tests.channels.samples import SENDER, bill
from trackcenter.channels.documents.bars import s10_bars
from trackcenter.channels.documents.s10 import S10
from trackcenter.channels.letter import SlipItem, render_letter, render_slip

DAY = date(2025, 10, 20)
NUMBER = S10("RR", 12345678, "DE")


def decoded(pdf: bytes, kind: zxingcpp.BarcodeFormat) -> list[zxingcpp.Barcode]:
    return [code for code in codes(pdf, dpi=300) if code.format == kind]


def test_the_payment_qr_fills_in_the_transfer() -> None:
    letter = render_letter(bill(payee="Nord Treuhänder KG"), sender=SENDER, issued_on=DAY)
    (qr,) = decoded(letter.pdf, zxingcpp.BarcodeFormat.QRCode)
    assert qr.bytes.decode().split("\n") == [
        "BCD",
        "002",
        "1",
        "SCT",
        "",
        "Nord Treuhänder KG",
        "DE89370400440532013000",
        "EUR243.70",
        "",
        "",
        "MUS12 / 12 / 2024",
    ]
    assert qr.ec_level == "M"


@pytest.mark.parametrize(
    "changes",
    [
        {"currency": "CHF"},
        {"iban": None},
        {"prepaid": "1443.70", "balance": "0.00"},
        {"prepaid": "1600.00", "balance": "-156.30"},
    ],
)
def test_there_is_no_payment_qr_where_it_cannot_help(changes: dict[str, str]) -> None:
    letter = render_letter(bill(**changes), sender=SENDER, issued_on=DAY)
    assert not decoded(letter.pdf, zxingcpp.BarcodeFormat.QRCode)


def test_the_document_code_can_be_scanned() -> None:
    letter = render_letter(bill(), sender=SENDER, issued_on=DAY)
    (matrix,) = decoded(letter.pdf, zxingcpp.BarcodeFormat.DataMatrix)
    assert matrix.text == letter.document_code


def test_the_number_of_a_registered_letter_can_be_scanned() -> None:
    letter = render_letter(bill(), sender=SENDER, issued_on=DAY, registered=NUMBER)
    (bars,) = decoded(letter.pdf, zxingcpp.BarcodeFormat.Code128)
    assert bars.text == "RR123456785DE"


def test_every_number_of_a_slip_can_be_scanned() -> None:
    numbers = [S10("RR", 12345678 + place, "DE") for place in range(10)]
    items = [SlipItem(number, ("Jürgen Größer", "10115 Berlin")) for number in numbers]
    slip = render_slip(items, sender=SENDER, issued_on=DAY, language="de", country="DE")
    found = decoded(slip, zxingcpp.BarcodeFormat.Code128)
    assert {code.text for code in found} == {str(number) for number in numbers}


def test_the_bars_are_50_mm_wide_at_least_between_quiet_zones() -> None:
    drawing = s10_bars(NUMBER)
    assert drawing.width - 10 >= 50
    assert drawing.height >= 12.5
    letter = render_letter(bill(), sender=SENDER, issued_on=DAY, registered=NUMBER)
    (bars,) = decoded(letter.pdf, zxingcpp.BarcodeFormat.Code128)
    corners = bars.position
    assert (corners.top_right.x - corners.top_left.x) / 300 * 25.4 >= 50
