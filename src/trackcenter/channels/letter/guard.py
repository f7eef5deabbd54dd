"""The guard against mis-delivery: the PDF itself must say for whom it is, before it leaves.

What was rendered is read back and compared with what the communication is about, so that no
mix-up of bytes, rows or workers puts one unit's bill into another's envelope.
"""

import re
import unicodedata
from collections import Counter

from trackcenter.channels.documents import code, reading
from trackcenter.channels.errors import RenderError
from trackcenter.channels.letter.geometry import ADDRESS, FOOT, VALUES, Box

_SLACK = 1.0
"""Millimetres that a character's box may stand out of the field it is set in."""
# Spaces come and go at line ends, where PDFium also swallows a hyphen (it gives U+0002 or U+FFFE
# instead), break opportunities (U+200B) are ours, and what breaks lines is set as a space.
_IGNORED = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\-\u00ad\u2010\u2011\u200b-\u200f\u2060\ufeff\ufffe]+"
)
_SHAPED = re.compile(r"[\u0590-\u1cff\U00010800-\U00010fff\U0001e800-\U0001efff]")
"""Hebrew to the scripts of South and South-East Asia."""
_MIRRORED = re.compile(r"[()\[\]{}<>«»‹›]")


class ContentMismatch(RenderError):
    """The document does not say what it should; it must not be sent."""


def check_document(pdf: bytes, *, document_code: str, unit: str, recipient: str) -> None:
    """Nothing, when this is the document for that unit and recipient.

    Each page must bear `document_code` at its foot and no other document's code anywhere; the
    first page the recipient, on lines of its own, in the address field and the unit in its place of
    the reference block (`unit` and `recipient` as in `RenderedLetter`, or as in the billing row:
    `12` for `Wohnung 12`). Raises ContentMismatch.
    """
    try:
        with reading.opened(pdf) as document:
            if not len(document):
                raise ContentMismatch("content check: the document has no page")
            for number, page in enumerate(reading.pages_of(document), start=1):
                codes = set(code.PATTERN.findall(page.everything()))
                if document_code not in code.PATTERN.findall(_inside(page, FOOT)):
                    raise ContentMismatch(f"content check: page {number} lacks {document_code}")
                if strange := codes - {document_code}:
                    raise ContentMismatch(
                        f"content check: page {number} bears {', '.join(sorted(strange))}"
                    )
                if number == 1:
                    if not _has_on_lines(_inside(page, ADDRESS), recipient):
                        raise ContentMismatch(
                            "content check: the recipient is not in the address field"
                        )
                    if not _begins_with(_inside(page, VALUES), unit):
                        raise ContentMismatch(
                            "content check: the unit is not in the reference block"
                        )
    except ValueError as error:
        raise ContentMismatch(f"content check: {error}") from error


def _inside(page: reading.PageText, box: Box) -> str:
    return page.within(
        box.x - _SLACK, box.y - _SLACK, box.width + 2 * _SLACK, box.height + 2 * _SLACK
    )


def _has_on_lines(text: str, name: str) -> bool:
    """Whether whole lines of the text, one or several in a row, are the name and nothing else."""
    lines = text.splitlines()
    return any(
        _same("".join(lines[first:last]), name)
        for first in range(len(lines))
        for last in range(first + 1, len(lines) + 1)
    )


def _begins_with(text: str, unit: str) -> bool:
    """Whether the first lines of the text are the unit, or the first ends in its bare number."""
    lines = text.splitlines()
    words = lines[0].split() if lines else []
    return any(_same("".join(lines[:last]), unit) for last in range(1, len(lines) + 1)) or any(
        _same("".join(words[first:]), unit) for first in range(1, len(words))
    )


def _same(text: str, name: str) -> bool:
    """Whether both are the same words, however broken into lines.

    Scripts that are written from right to left or whose letters grow together come out of a PDF
    in the order of sight, brackets mirrored, and a letter drawn in two glyphs twice: where such a
    name is not found as it stands, its characters are compared without their order and number.
    """
    held, sought = _plain(text), _plain(name)
    if held == sought or not _SHAPED.search(sought):
        return bool(sought) and held == sought
    held, sought = _MIRRORED.sub("", held), _MIRRORED.sub("", sought)
    return Counter(sought) <= Counter(held) and set(held) == set(sought)


def _plain(text: str) -> str:
    return _IGNORED.sub("", unicodedata.normalize("NFKC", text)).casefold()
