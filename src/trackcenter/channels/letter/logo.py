"""A building's logo: checked once, and kept as an SVG that draws nothing but itself."""

import base64
import io
import re
from dataclasses import dataclass
from functools import lru_cache
from xml.etree import ElementTree

from PIL import Image, UnidentifiedImageError

from trackcenter.channels.errors import RenderError
from trackcenter.kit.errors import Sentence

MAX_BYTES = 512 * 1024
MAX_PIXELS = 4_000_000
_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg"}
_SVG = "http://www.w3.org/2000/svg"
_DRAWING = frozenset(
    {"svg", "g", "defs", "title", "desc", "metadata", "style", "use", "symbol"}
    | {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"}
    | {"linearGradient", "radialGradient", "stop", "clipPath", "mask"}
)
_OUTSIDE = re.compile(r"url\(\s*['\"]?(?!#)|@import|expression\(|javascript:|file:", re.IGNORECASE)
_OUTWARD = Sentence("the logo's SVG refers to something outside itself", "logoRefersOutside")


@dataclass(frozen=True, slots=True)
class Logo:
    """A checked logo; make one with `read_logo`. Width and height are any unit: their ratio."""

    svg: str
    width: float
    height: float


@lru_cache(maxsize=32)
def read_logo(content: bytes) -> Logo:
    """A PNG, JPEG or SVG as a logo. Raises RenderError saying what is wrong with it.

    An SVG may draw, and nothing else: no scripts, no text (its font would be missing in print), no
    reference to anything outside itself, no entities.
    """
    if len(content) > MAX_BYTES:
        raise RenderError(too_large())
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _drawing(content)
    return _picture(content)


def too_large() -> Sentence:
    """What is said of a logo beyond `MAX_BYTES`."""
    most = MAX_BYTES // 1024
    return Sentence(f"the logo is larger than {most} KB", "logoTooLarge", most=most)


def _picture(content: bytes) -> Logo:
    try:
        with Image.open(io.BytesIO(content), formats=tuple(_FORMATS)) as image:
            width, height, kind = image.width, image.height, _FORMATS[image.format or ""]
            if width * height > MAX_PIXELS:
                words = f"the logo has more than {MAX_PIXELS:,} pixels"
                raise RenderError(Sentence(words, "logoTooManyPixels"))
            image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        words = "the logo is no PNG, JPEG or SVG picture"
        raise RenderError(Sentence(words, "noLogo")) from error
    except Image.DecompressionBombError as error:
        words = "the logo has far too many pixels"
        raise RenderError(Sentence(words, "logoTooManyPixels")) from error
    data = base64.b64encode(content).decode()
    svg = (
        f'<svg xmlns="{_SVG}" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:{kind};base64,{data}"/></svg>'
    )
    return Logo(svg, width, height)


def _drawing(content: bytes) -> Logo:
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        words = "the logo's SVG has a DOCTYPE; save it as plain SVG"
        raise RenderError(Sentence(words, "logoHasDoctype"))
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - no DOCTYPE, so no entities
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        words = f"the logo's SVG cannot be read: {error}"
        raise RenderError(Sentence(words, "logoUnreadable")) from error
    if root.tag != f"{{{_SVG}}}svg":
        raise RenderError(Sentence("the logo is no SVG picture", "noLogo"))
    for parent in root.iter():
        for child in list(parent):
            if not child.tag.startswith(f"{{{_SVG}}}"):
                parent.remove(child)  # an editor's notes
                continue
            _check(child)
    _check(root)
    width, height = _size(root)
    ElementTree.register_namespace("", _SVG)
    return Logo(ElementTree.tostring(root, encoding="unicode"), width, height)


def _check(element: ElementTree.Element) -> None:
    name = element.tag.rpartition("}")[2]
    if name not in _DRAWING:
        words = f"the logo's SVG has <{name}>; convert it to paths"
        raise RenderError(Sentence(words, "logoHasElement", name=name))
    for key, value in element.attrib.items():
        attribute = key.rpartition("}")[2].lower()
        if attribute.startswith("on") or (attribute == "href" and not value.startswith("#")):
            found = f"{attribute}={value[:40]!r}"
            words = f"the logo's SVG has {found}; remove it"
            raise RenderError(Sentence(words, "logoHasAttribute", name=found))
        if _OUTSIDE.search(value):
            raise RenderError(_OUTWARD)
    if element.text and _OUTSIDE.search(element.text):
        raise RenderError(_OUTWARD)


def _size(root: ElementTree.Element) -> tuple[float, float]:
    numbers = re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)", root.get("viewBox", ""))
    if len(numbers) != 4:
        sides = [re.match(r"\d+\.?\d*", root.get(side, "")) for side in ("width", "height")]
        if not all(sides):
            words = "the logo's SVG has neither viewBox nor width and height"
            raise RenderError(Sentence(words, "logoWithoutSize"))
        numbers = ["0", "0", *(side[0] for side in sides if side)]
        root.set("viewBox", " ".join(numbers))
    width, height = float(numbers[2]), float(numbers[3])
    if width <= 0 or height <= 0:
        raise RenderError(Sentence("the logo's SVG has no size", "logoWithoutSize"))
    return width, height
