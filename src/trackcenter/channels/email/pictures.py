"""The building's logo in an e-mail: drawn for mail programs, and sent along with the message.

Mail programs show neither SVG nor `data:` addresses, and a picture to be fetched would tell its
server who reads what. So the logo is a PNG on white (a dark one must not vanish in the dark) that
stands in the stored HTML as a `data:` address, and leaves as a part of the message by its own
`cid:` (RFC 2392).
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

from trackcenter.channels.documents.typesetting import drawn_as_png
from trackcenter.channels.letter.logo import read_logo
from trackcenter.channels.rendered import RenderedAttachment

_WIDEST, _HIGHEST, _MARGIN = 220.0, 64.0, 4.0
"""Pixels of a screen."""

_EMBEDDED = re.compile(r'(?<=src=")data:image/png;base64,([A-Za-z0-9+/=]+)(?=")')


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for a mail's template; its size in pixels of a screen."""

    src: str
    width: int
    height: int


@lru_cache(maxsize=32)
def picture_of(logo: bytes) -> Picture:
    """A logo (PNG, JPEG or SVG) as large as there is room. Raises RenderError for a faulty one."""
    mark = read_logo(logo)
    scale = min(_WIDEST / mark.width, _HIGHEST / mark.height)
    width, height = max(1, round(mark.width * scale)), max(1, round(mark.height * scale))
    png = drawn_as_png(mark.svg, width=width, height=height, margin=_MARGIN)
    frame = round(2 * _MARGIN)
    data = base64.b64encode(png).decode("ascii")
    return Picture(f"data:image/png;base64,{data}", width + frame, height + frame)


def for_mailboxes(html: str) -> tuple[str, tuple[RenderedAttachment, ...]]:
    """The HTML as it is sent, and the pictures that it refers to.

    They are no documents of the bill, so their kind is PICTURE, which nothing stores.
    """
    pictures: dict[str, RenderedAttachment] = {}

    def referred(found: re.Match[str]) -> str:
        content = base64.b64decode(found[1])
        name = f"logo-{hashlib.sha256(content).hexdigest()[:16]}"
        pictures[name] = RenderedAttachment(f"{name}.png", "image/png", content, "PICTURE", name)
        return f"cid:{name}"

    return _EMBEDDED.sub(referred, html), tuple(pictures.values())
