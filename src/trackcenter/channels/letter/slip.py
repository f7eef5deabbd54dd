"""The lodgement slip: what is handed to the post office with registered letters, to be stamped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel.numbers import format_decimal

from trackcenter.channels.bill import one_line
from trackcenter.channels.documents.bars import s10_bars
from trackcenter.channels.documents.s10 import S10
from trackcenter.channels.documents.typesetting import typeset
from trackcenter.channels.errors import RenderError
from trackcenter.channels.formats import long_date
from trackcenter.channels.language import reader_locale, text_language
from trackcenter.channels.sender import Sender
from trackcenter.channels.texts import texts


@dataclass(frozen=True, slots=True)
class SlipItem:
    """One registered letter; `address` is `RenderedLetter.address`, the recipient first."""

    number: S10
    address: tuple[str, ...]
    document_code: str | None = None


def render_slip(
    items: Sequence[SlipItem],
    *,
    sender: Sender,
    issued_on: date,
    language: str | None = None,
    country: str | None = None,
) -> bytes:
    """The slip as PDF, in the order of `items`, in the sender's language and country.

    Raises RenderError when there is nothing on it, a number is on it twice, or a character has no
    font.
    """
    if not items:
        raise RenderError("there are no registered letters for a lodgement slip")
    if len({item.number for item in items}) < len(items):
        raise RenderError("a postal number is on the lodgement slip twice")
    lang = text_language(language, country)
    locale = reader_locale(language, country)
    words = texts(lang, "slip").filled({})
    count = format_decimal(len(items), locale=locale)
    lines = (line.strip() for line in sender.address.replace(",", "\n").splitlines())
    data = {
        "lang": lang,
        "region": locale.territory,
        "title": words["title"],
        "date": long_date(issued_on, locale),
        "sender": {
            "name": one_line(sender.name),
            "lines": [one_line(line) for line in lines if line],
        },
        "words": words,
        "page_of": words["page_of"],
        "facts": [
            (words["date"], long_date(issued_on, locale)),
            (words["service"], words["registered"]),
            (words["count"], count),
        ],
        "items": [
            {
                "recipient": one_line(item.address[0]),
                "lines": [one_line(line) for line in item.address[1:]],
                "code": item.document_code,
                "number": item.number.spaced,
                "bars": s10_bars(item.number).as_data(f"{words['bars']} {item.number.spaced}"),
            }
            for item in items
        ],
        "total": count,
    }
    return typeset("slip", data, made_on=issued_on)
