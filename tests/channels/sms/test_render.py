import pytest

from tests.channels.samples import SENDER, bill
from trackcenter.channels.sender import Sender
from trackcenter.channels.sms import RenderError, render_sms


def test_a_german_text_says_what_to_pay_and_stays_in_gsm7() -> None:
    sms = render_sms(bill(), sender=SENDER)
    assert sms.text == (
        "Hausverwaltung Nord GmbH: Nebenkostenabrechnung 2024, Musterstraße 12, Wohnung 12: "
        "Nachzahlung 243,70 € bis 30.11.2025, IBAN DE89370400440532013000, "
        "Zweck MUS12 / 12 / 2024. Fragen: +49 40 123456"
    )
    assert (sms.encoding, sms.segments) == ("GSM-7", 2)


def test_an_english_credit_is_one_segment() -> None:
    sms = render_sms(bill(language="en", country="GB", balance="-56.30"), sender=SENDER)
    assert "credit €56.30." in sms.text
    assert (sms.encoding, sms.segments) == ("GSM-7", 1)


def test_a_settled_bill_says_so() -> None:
    assert "ausgeglichen" in render_sms(bill(balance="0"), sender=SENDER).text


@pytest.mark.parametrize(
    ("country", "currency", "written"),
    [("DE", "EUR", "1.243,70 €"), ("AT", "EUR", "€ 1.243,70"), ("CH", "CHF", "CHF 1'243.70")],
)
def test_typeset_amounts_do_not_cost_the_encoding(
    country: str, currency: str, written: str
) -> None:
    sms = render_sms(
        bill(balance="1243.70", prepaid=None, country=country, currency=currency), sender=SENDER
    )
    assert written in sms.text
    assert sms.encoding == "GSM-7"


def test_a_name_is_not_respelled_to_save_money() -> None:
    sms = render_sms(bill(buildingName="Dom Żółkiewskiego"), sender=SENDER)
    assert "Dom Żółkiewskiego" in sms.text
    assert (sms.encoding, sms.segments) == ("UCS-2", 3)


@pytest.mark.parametrize("name", ["{{7*7}}", "<script>", "{% raw %}"])
def test_a_hostile_name_appears_literally(name: str) -> None:
    assert name in render_sms(bill(buildingName=name), sender=Sender(name="Nord")).text


def test_a_name_cannot_break_the_line() -> None:
    assert "\n" not in render_sms(bill(buildingName="A\r\nB\x00C"), sender=SENDER).text


def test_a_text_no_provider_takes_is_an_error() -> None:
    with pytest.raises(RenderError, match="2048"):
        render_sms(bill(buildingName="x" * 2100), sender=SENDER)
