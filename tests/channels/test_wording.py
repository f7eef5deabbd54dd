import pytest

from tests.channels.samples import SENDER, bill
from trackcenter.channels.email import RenderError, render_email
from trackcenter.channels.rendered import RenderedAttachment
from trackcenter.channels.sms import render_sms

STATEMENT = RenderedAttachment("Abrechnung-2024.pdf", "application/pdf", b"%PDF", "STATEMENT")


def test_a_mail_speaks_in_the_building_s_words() -> None:
    wording = {
        "subject": "Abrechnung {{ year }}: {{ unit }}",
        "greeting": "Moin {{ recipient }}!",
        "intro": "hier kommt <b>{{ year }}</b>.",
        "closing": "Herzlich,",
    }
    mail = render_email(bill(), sender=SENDER, wording=wording)
    assert mail.subject == "Abrechnung 2024: Wohnung 12"
    for sentence in ("Moin Jürgen Größer!", "hier kommt <b>2024</b>.", "Herzlich,"):
        assert sentence in mail.text
    assert "Moin Jürgen Größer!" in mail.html
    assert "hier kommt &lt;b&gt;2024&lt;/b&gt;." in mail.html


def test_what_is_not_reworded_stays_as_it_was() -> None:
    ours = render_email(bill(), sender=SENDER)
    theirs = render_email(bill(), sender=SENDER, wording={"closing": "Bis bald"})
    assert theirs.subject == ours.subject
    assert theirs.text == ours.text.replace("Mit freundlichen Grüßen", "Bis bald")


def test_braces_in_a_name_stay_braces() -> None:
    mail = render_email(
        bill(recipient="{{ 7*7 }}"), sender=SENDER, wording={"greeting": "Hallo {{ recipient }}"}
    )
    assert "Hallo {{ 7*7 }}" in mail.text


def test_a_subject_is_one_line() -> None:
    mail = render_email(
        bill(), sender=SENDER, wording={"subject": "Abrechnung\r\nBcc: {{ recipient }}"}
    )
    assert mail.subject == "Abrechnung Bcc: Jürgen Größer"


@pytest.mark.parametrize(
    ("wording", "words"),
    [
        ({"subject": "  "}, "no subject"),
        ({"subject": "{{ colour }}"}, "'colour' is undefined"),
        ({"subject": "{{ year"}, "no template"),
        ({"balance_name": "Due"}, "no text 'balance_name'"),
    ],
)
def test_a_faulty_wording_stops_its_mail(wording: dict[str, str], words: str) -> None:
    with pytest.raises(RenderError, match=words):
        render_email(bill(), sender=SENDER, wording=wording)


def test_an_sms_keeps_its_line_breaks() -> None:
    sms = render_sms(
        bill(), sender=SENDER, wording={"text": "{{ place }}\n\n  Zu zahlen: {{ balance }}\n"}
    )
    assert sms.text == "Musterstraße 12, Wohnung 12\nZu zahlen: 243,70 €"
    assert (sms.encoding, sms.segments) == ("GSM-7", 1)


def test_an_sms_without_text_is_not_made() -> None:
    with pytest.raises(RenderError, match="no text"):
        render_sms(bill(), sender=SENDER, wording={"text": "{% if false %}x{% endif %}"})


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "Die vollständige Abrechnung finden Sie als PDF im Anhang dieser E-Mail:"),
        ("en", "The full statement is attached to this e-mail as a PDF:"),
    ],
)
def test_a_mail_with_a_statement_says_so(language: str, sentence: str) -> None:
    mail = render_email(bill(language=language), sender=SENDER, attachments=[STATEMENT])
    for form in (mail.html, mail.text):
        assert sentence in form
        assert "Abrechnung-2024.pdf" in form
    assert mail.attachments == (STATEMENT,)


def test_a_mail_without_a_statement_mentions_none() -> None:
    mail = render_email(bill(), sender=SENDER)
    assert "Anhang" not in mail.text + mail.html
