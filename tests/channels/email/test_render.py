from email.message import EmailMessage
from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.channels.samples import SENDER, bill
from trackcenter.channels.email import RenderError, render_email
from trackcenter.channels.sender import Sender

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}


class Outline(HTMLParser):
    """The elements of a page with their attributes, and whether they close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.nested = True
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.nested = False

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def find(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def test_a_german_bill_has_everything_its_reader_needs() -> None:
    mail = render_email(bill(), sender=SENDER)
    assert mail.subject == "Ihre Nebenkostenabrechnung 2024 – Musterstraße 12, Wohnung 12"
    for form in (Outline(mail.html).text, " ".join(mail.text.split())):
        for fact in (
            "Guten Tag Jürgen Größer,",
            "Musterstraße 12, Wohnung 12",
            "10115 Berlin",
            "Heizung und Warmwasser 1.034,50 €",
            "Gesamtkosten 1.443,70 €",
            "Abzüglich Ihrer Vorauszahlungen 1.200,00 €",
            "Nachzahlung 243,70 €",
            "bis zum 30. November 2025",
            "DE89 3704 0044 0532 0130 00",
            "Nord Treuhand KG",
            "MUS12 / 12 / 2024",
            "Hausverwaltung Nord GmbH",
            "20095 Hamburg",
            "abrechnung@nord.example",
        ):
            assert fact in form
    assert mail.attachments == ()


def test_an_english_bill_speaks_english() -> None:
    mail = render_email(bill(language="en", country="GB"), sender=SENDER)
    assert mail.subject == "Your service-charge statement 2024 – Musterstraße 12, Unit 12"
    assert "Please transfer €243.70 by 30 November 2025 to this account:" in mail.text
    assert Outline(mail.html).find("html")[0]["lang"] == "en"


def test_a_language_we_do_not_have_falls_back_to_english() -> None:
    mail = render_email(bill(language="fr", country="FR"), sender=SENDER)
    assert mail.subject.startswith("Your service-charge statement")


def test_a_credit_asks_for_no_money() -> None:
    mail = render_email(bill(prepaid="1500.00", balance="-56.30"), sender=SENDER)
    assert "Guthaben von 56,30\u00a0€" in mail.text
    for form in (mail.html, mail.text):
        assert "-56" not in form
        assert "DE89" not in form
        assert "30. November" not in form


def test_a_settled_bill_says_so() -> None:
    mail = render_email(bill(prepaid="1443.70", balance="0.00"), sender=SENDER)
    for form in (mail.html, mail.text):
        assert "ausgeglichen" in form.lower()
        assert "DE89" not in form


def test_the_balance_follows_from_total_and_prepayments_when_the_row_gives_none() -> None:
    assert render_email(bill(balance=None), sender=SENDER) == render_email(bill(), sender=SENDER)


def test_something_to_pay_without_an_account_still_says_what_and_when() -> None:
    mail = render_email(bill(iban=None), sender=SENDER)
    assert "Bitte zahlen Sie 243,70\u00a0€ bis zum 30. November 2025." in mail.text
    assert "IBAN" not in mail.text + mail.html


def test_a_bill_without_any_amount_is_a_plain_notice() -> None:
    mail = render_email(
        bill(costs=[], total=None, prepaid=None, balance=None, currency=None), sender=SENDER
    )
    assert "€" not in mail.text + mail.html
    assert Outline(mail.html).nested


def test_without_a_payee_the_sender_is_paid() -> None:
    kept = render_email(bill(payee=None), sender=Sender(name="Nord", payee="Treuhand Süd"))
    assert "Empfänger: Treuhand Süd" in kept.text
    bare = render_email(bill(payee=None), sender=Sender(name="Nord"))
    assert "Empfänger: Nord" in bare.text


def test_a_unit_that_already_has_a_name_keeps_it() -> None:
    assert (
        "Musterstraße 12, Laden links"
        in render_email(bill(unit="Laden links"), sender=SENDER).subject
    )
    assert "Musterstraße 12, Wohnung 3.OG" in render_email(bill(unit="3.OG"), sender=SENDER).subject
    assert render_email(bill(unit="Wohnung 12"), sender=SENDER).subject.count("Wohnung") == 1


def test_the_html_is_accessible_and_ready_for_outlook_and_dark_mode() -> None:
    html = render_email(bill(), sender=SENDER, communication_url="https://nord.example/m/1").html
    page = Outline(html)
    assert page.nested
    assert page.find("html")[0]["lang"] == "de"
    assert page.find("title")
    metas = {meta.get("name"): meta.get("content") for meta in page.find("meta")}
    assert metas["color-scheme"] == "light dark"
    assert "prefers-color-scheme: dark" in html
    assert "[if mso" in html
    layout = [table for table in page.find("table") if table.get("role") != "presentation"]
    assert len(layout) == 2, "only the costs and the account are tables of data"
    assert {head.get("scope") for head in page.find("th")} == {"col", "row"}
    assert [name for name, _ in page.elements if name in ("h1", "h2")] == ["h1", "h2", "h2"]
    assert page.find("a")[0]["href"] == "https://nord.example/m/1"
    assert not page.find("script")
    assert not page.find("img")
    assert len(html.encode()) < 102_000, "Gmail cuts what is longer"


def test_the_preheader_tells_the_result_before_the_mail_is_opened() -> None:
    html = render_email(bill(), sender=SENDER).html
    assert "Nachzahlung 243,70\u00a0€, fällig am 30. November 2025</div>" in html


HOSTILE = ["<script>alert(1)</script>", "{{7*7}}", "{% raw %}", "{# x #}", "<mj-raw>", "</table>"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("field", ["recipient", "buildingName", "unit", "payee", "buildingAddress"])
def test_a_hostile_name_appears_literally(name: str, field: str) -> None:
    mail = render_email(bill(**{field: name}), sender=SENDER)
    assert name in mail.text
    assert escape(name) in mail.html
    page = Outline(mail.html)
    assert name in page.text
    assert page.nested
    assert not page.find("script")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_cost_line_or_sender_appears_literally(name: str) -> None:
    mail = render_email(
        bill(costs=[{"label": name, "amount": "1.00"}], total=None, balance=None),
        sender=Sender(name=name, address=name, reply_to=name, phone=name),
    )
    assert mail.text.count(name) >= 4
    assert Outline(mail.html).nested
    assert not Outline(mail.html).find("script")


@pytest.mark.parametrize(
    "breaker", ["\r\n", "\n", "\r", "\x00", "\x0b", "\x85", "\u2028", "\ud800"]
)
def test_a_name_cannot_inject_a_header(breaker: str) -> None:
    mail = render_email(
        bill(buildingName=f"Haus{breaker}Bcc: victim@example.com", unit=f"1{breaker}X-A: b"),
        sender=SENDER,
    )
    assert "Haus Bcc: victim@example.com, 1 X-A: b" in mail.subject
    message = EmailMessage()
    message["Subject"] = mail.subject
    assert message.keys() == ["Subject"]


@settings(max_examples=60, deadline=None)
@given(name=st.text(min_size=1, max_size=400), label=st.text(min_size=1, max_size=80))
def test_any_text_renders_in_one_line_subjects_and_sound_html(name: str, label: str) -> None:
    mail = render_email(
        bill(buildingName=name, recipient=name, costs=[{"label": label, "amount": "1.00"}]),
        sender=SENDER,
    )
    assert len(mail.subject.splitlines()) == 1
    assert Outline(mail.html).nested
    mail.html.encode()
    mail.text.encode()


def test_the_same_bill_gives_the_same_bytes() -> None:
    assert render_email(bill(), sender=SENDER) == render_email(bill(), sender=SENDER)


def test_a_link_that_is_no_web_address_is_refused() -> None:
    with pytest.raises(RenderError, match="javascript"):
        render_email(bill(), sender=SENDER, communication_url="javascript:alert(1)")


def test_long_labels_keep_the_amounts_flush_right_in_plain_text() -> None:
    mail = render_email(bill(costs=[{"label": "W" * 90, "amount": "1.00"}]), sender=SENDER)
    assert "W" * 90 + "\n" + "1,00\u00a0€".rjust(64) + "\n" in mail.text
