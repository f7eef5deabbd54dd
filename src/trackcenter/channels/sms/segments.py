"""How a text is coded in an SMS and how many segments it takes (3GPP TS 23.038, TS 23.040).

A text whose every character is in the GSM 7-bit default alphabet or its extension table goes as
GSM-7, anything else as UCS-2. A message of several segments loses six bytes of each to the
header that joins them.
"""

from collections.abc import Iterable

from trackcenter.channels.rendered import SmsEncoding

GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Sent as an escape and a character: two septets each."""

_SINGLE = {"GSM-7": 160, "UCS-2": 70}
_JOINED = {"GSM-7": 153, "UCS-2": 67}


def measure(text: str) -> tuple[SmsEncoding, int]:
    """The encoding of a text and its number of segments (1 for an empty text)."""
    if all(character in GSM7_BASIC or character in GSM7_EXTENSION for character in text):
        return "GSM-7", _segments((2 if c in GSM7_EXTENSION else 1 for c in text), "GSM-7")
    return "UCS-2", _segments((2 if ord(c) > 0xFFFF else 1 for c in text), "UCS-2")


def _segments(widths: Iterable[int], encoding: SmsEncoding) -> int:
    """Segments for characters of these widths (septets or UTF-16 code units).

    Neither an escape pair nor a surrogate pair is torn apart, so a segment may end one short.
    """
    widths = list(widths)
    if sum(widths) <= _SINGLE[encoding]:
        return 1
    segments, used = 1, 0
    for width in widths:
        if used + width > _JOINED[encoding]:
            segments, used = segments + 1, 0
        used += width
    return segments
