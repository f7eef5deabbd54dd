"""PDF by typst: a template that ships with the code, and data that stays data.

Values reach a template as JSON in `sys.inputs`, never as markup: what looks like code in a name
is printed as it stands. Every document is PDF/A-3a (ISO 19005-3) and PDF/UA-1 (ISO 14289-1), and
the same template and data give the same bytes.
"""

import json
import os
import re
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Literal

import typst

from trackcenter.channels.documents import fonts
from trackcenter.channels.errors import RenderError

Template = Literal["letter", "labels", "slip"]

_PICTURE_PPI = 192
"""Two pixels for each of a screen's 96 an inch: sharp on those that have more."""

_FOLDER = Path(__file__).parent / "templates"
_NO_GLYPH = re.compile(r'the text `"(?P<text>.*?)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{(?P<hex>[0-9a-fA-F]+)\}")
_REFUSED = re.compile(r"assertion failed: (?P<reason>.+)")

# A compiler takes one document at a time; threads of one process wait for each other.
_turn = threading.Lock()


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    """This process's compiler: reading the fonts takes longer than typesetting a letter.

    A process that has typeset must not fork and typeset in the child (its threads stay behind):
    start workers afresh.
    """
    # More threads make one letter no faster, and a process is all a worker is to take.
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    faces = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(fonts.FOLDER)],
    )
    # The root is the only folder that a template can read from.
    return typst.Compiler(root=str(_FOLDER), font_paths=faces)


def typeset(template: Template, data: Mapping[str, object], *, made_on: date) -> bytes:
    """A document as PDF. `made_on` is its date of creation (midnight UTC), part of the bytes.

    Raises RenderError: a character that no font has, by its name, or data that does not fit.
    """
    moment = datetime.combine(made_on, time(), tzinfo=UTC)
    inputs = {"data": json.dumps({**data, "fonts": fonts.FAMILIES}, ensure_ascii=False)}
    with _turn:
        try:
            pdf = _compiler().compile(
                input=_FOLDER / f"{template}.typ",
                format="pdf",
                sys_inputs=inputs,
                pdf_standards=["a-3a", "ua-1"],
                timestamp=int(moment.timestamp()),
            )
        except typst.TypstError as error:
            raise RenderError(_in_words(error)) from error
    if not isinstance(pdf, bytes):
        raise RenderError("the document came out empty")
    return pdf


def drawn_as_png(svg: str, *, width: float, height: float, margin: float) -> bytes:
    """A drawing as a PNG on white, for what shows no SVG; sizes in pixels of a screen (CSS).

    The same drawing gives the same bytes. Raises RenderError.
    """
    sizes = {"width": width, "height": height, "margin": margin}
    with _turn:
        try:
            png = _compiler().compile(
                input=_FOLDER / "picture.typ",
                format="png",
                ppi=_PICTURE_PPI,
                sys_inputs={"data": json.dumps({"svg": svg, **sizes}, ensure_ascii=False)},
            )
        except typst.TypstError as error:
            raise RenderError(_in_words(error)) from error
    if not isinstance(png, bytes):
        raise RenderError("the picture came out empty")
    return png


def _in_words(error: typst.TypstError) -> str:
    """typst's complaint as a sentence for an administrator."""
    complaint = f"{error.message}\n{error.diagnostic}"
    missing = dict.fromkeys(found["text"] for found in _NO_GLYPH.finditer(complaint))
    if missing:
        return f"no font has the character {', '.join(_named(text) for text in missing)}"
    refused = _REFUSED.search(complaint)
    return refused["reason"] if refused else f"the document cannot be typeset: {error.message}"


def _named(text: str) -> str:
    plain = _ESCAPED.sub(lambda found: chr(int(found["hex"], 16)), text)
    return f"{plain} ({' '.join(f'U+{ord(character):04X}' for character in plain)})"
