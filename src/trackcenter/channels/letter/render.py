"""A billing snapshot as a letter: the same PDF is posted and attached to the e-mail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from trackcenter.channels.bill import Facts, balance_of, facts_of
from trackcenter.channels.documents.bars import data_matrix, s10_bars
from trackcenter.channels.documents.code import code_of
from trackcenter.channels.documents.reading import page_count
from trackcenter.channels.documents.s10 import S10
from trackcenter.channels.documents.typesetting import typeset
from trackcenter.channels.errors import RenderError
from trackcenter.channels.formats import long_date, money
from trackcenter.channels.language import reader_locale
from trackcenter.channels.letter import geometry
from trackcenter.channels.letter.address import address_lines, posting_country
from trackcenter.channels.letter.logo import read_logo
from trackcenter.channels.letter.payment import payment_qr
from trackcenter.channels.rendered import RenderedAttachment
from trackcenter.channels.sender import Sender
from trackcenter.channels.snapshot import Snapshot
from trackcenter.channels.texts import texts
from trackcenter.channels.wording import reworded


@dataclass(frozen=True, slots=True)
class RenderedLetter:
    """A finished letter. `address` is what stands in the window, `unit` in the reference block."""

    pdf: bytes
    subject: str
    document_code: str
    pages: int
    address: tuple[str, ...]
    recipient: str
    unit: str
    language: str
    file_name: str

    def as_attachment(self, kind: str) -> RenderedAttachment:
        """The same bytes as one file of a message: `STATEMENT` of an e-mail, `LETTER` of a post."""
        return RenderedAttachment(self.file_name, "application/pdf", self.pdf, kind)


def render_letter(
    snapshot: Snapshot,
    *,
    sender: Sender,
    issued_on: date,
    origin: str | None = None,
    logo: bytes | None = None,
    wording: Mapping[str, str] | None = None,
    registered: S10 | None = None,
) -> RenderedLetter:
    """The bill of one unit as a letter of PDF/A-3a and PDF/UA-1 on A4, form B of DIN 5008.

    `issued_on` is the date it bears. `origin` is the country it is posted in (ISO 3166-1
    alpha-2), by default where the building's clock is: a letter that stays there shows no country.
    `logo` is a PNG, JPEG or SVG. `wording` replaces texts of `CHANGEABLE["letter"]`
    (`channels.wording`) by templates of one's own. `registered` makes it a registered letter with
    that postal number: a document of its own, with another code.

    Raises RenderError when there is no postal address, no font for a character, no room for a
    text, or a faulty logo or wording.
    """
    if not (snapshot.city and (snapshot.street or snapshot.postcode)):
        raise RenderError("there is no postal address")
    return _rendered(snapshot, sender, issued_on, origin, logo, wording or {}, registered)


def render_statement(
    snapshot: Snapshot,
    *,
    sender: Sender,
    issued_on: date,
    origin: str | None = None,
    logo: bytes | None = None,
    wording: Mapping[str, str] | None = None,
) -> RenderedLetter:
    """The same document for an e-mail: the same bytes and code as the unit's letter of that date.

    A unit without a postal address gets it with the name alone. Raises RenderError as
    `render_letter` does.
    """
    return _rendered(snapshot, sender, issued_on, origin, logo, wording or {}, None)


def _rendered(
    snapshot: Snapshot,
    sender: Sender,
    issued_on: date,
    origin: str | None,
    logo: bytes | None,
    wording: Mapping[str, str],
    registered: S10 | None,
) -> RenderedLetter:
    facts = facts_of(snapshot, sender)
    text = _texts(facts, wording)
    content = _content(snapshot, sender, facts, text, issued_on, origin, logo, registered)
    code = code_of(content)
    matrix = data_matrix(code).as_data(text["matrix"])
    pdf = typeset(
        "letter",
        content | {"code": code, "matrix": matrix, "layout": geometry.AS_DATA},
        made_on=issued_on,
    )
    return RenderedLetter(
        pdf=pdf,
        subject=text["subject"],
        document_code=code,
        pages=page_count(pdf),
        address=tuple(content["address"]),  # type: ignore[arg-type]
        recipient=facts.recipient,
        unit=facts.unit,
        language=facts.language,
        file_name=f"{text['file_name']}-{facts.year}-{code}.pdf",
    )


def _content(
    snapshot: Snapshot,
    sender: Sender,
    facts: Facts,
    text: dict[str, str],
    issued_on: date,
    origin: str | None,
    logo: bytes | None,
    registered: S10 | None,
) -> dict[str, object]:
    """Everything the letter says, as its template takes it; its hash is the document code."""
    locale = reader_locale(snapshot.language, snapshot.country)
    country = posting_country(snapshot, origin)
    building = ", ".join(filter(None, (facts.building, facts.building_address)))
    reference = [
        (text["unit"], facts.unit),  # the guard looks for it in the first place
        (text["building"], building),
        (text["period"], facts.year),
        (text["phone"], facts.sender_phone),
        (text["email"], facts.sender_reply_to),
        (text["date"], long_date(issued_on, locale)),
    ]
    qr = payment_qr(snapshot, sender)
    payment = None
    if facts.balance_kind == "pay":
        rows = (
            (text["payee"], facts.payee),
            (text["iban"], facts.iban),
            (text["amount"], facts.balance),
            (text["reference"], facts.reference),
        )
        payment = {
            "heading": text["payment"],
            "request": text["payment_request"],
            "rows": _given(rows) if facts.iban else [],
            "qr": qr.as_data(text["qr"]) if qr else None,
            "scan": text["scan"],
        }
    mark = read_logo(logo) if logo else None
    bars = s10_bars(registered, height=10).as_data(text["registered_bars"]) if registered else None
    return {
        "lang": facts.language,
        "region": locale.territory,
        "title": text["subject"],
        "subject": text["subject"],
        "date": long_date(issued_on, locale),
        "running": f"{facts.sender_name} · {text['subject']}",
        "sender": {
            "name": facts.sender_name,
            "lines": facts.sender_address,
        },
        "return_line": " · ".join((facts.sender_name, *facts.sender_address)),
        "remark": text["registered"] if registered else None,
        "address": list(address_lines(snapshot, origin=country)),
        "reference": _given(reference),
        "registered": (bars | {"number": registered.spaced}) if bars and registered else None,
        "logo": mark
        and {"svg": mark.svg, "width": mark.width, "height": mark.height, "alt": text["logo"]},
        "greeting": text["greeting"],
        "intro": text["intro"],
        "costs": _costs(snapshot, facts, text),
        "payment": payment,
        "paragraphs": [part for part in (text["result"], text["questions"]) if part],
        "closing": text["closing"],
        "unsigned": text["unsigned"],
        "page_of": text["page_of"],
    }


def _costs(snapshot: Snapshot, facts: Facts, text: dict[str, str]) -> dict[str, object]:
    """The table: cost lines, their sum, what was paid, and what remains, signed and in words.

    Prepayments are subtracted, so they bear a minus; a credit is below nought and bears one, too.
    """
    locale = reader_locale(snapshot.language, snapshot.country)
    sums = []
    if facts.total:
        sums.append((text["total"], _minus(facts.total), True))
    if snapshot.prepaid is not None:
        paid = money(-snapshot.prepaid, snapshot.currency, locale)
        sums.append((text["prepaid"], _minus(paid), False))
    balance = balance_of(snapshot)
    return {
        "label": text["cost"],
        "amount": text["amount"],
        "rows": [(label, _minus(amount)) for label, amount in facts.costs],
        "sums": sums,
        "balance": None
        if balance is None
        else (
            text["balance_name"],
            text["balance_note"],
            _minus(money(balance, snapshot.currency, locale)),
        ),
    }


def _minus(amount: str) -> str:
    """With the sign that is as wide as a figure, not a hyphen."""
    return amount.replace("-", "−")


def _given(rows: object) -> list[tuple[str, str]]:
    return [(label, value) for label, value in rows if value]  # type: ignore[attr-defined]


def _texts(facts: Facts, wording: Mapping[str, str]) -> dict[str, str]:
    variables = facts.as_variables()
    return reworded("letter", texts(facts.language, "letter").filled(variables), wording, variables)
