"""Reading a rendered PDF back: positions by PDFium, bars and QR by ZXing."""

from dataclasses import dataclass

import pypdfium2
import zxingcpp
from PIL import Image

MM = 25.4 / 72


@dataclass(frozen=True)
class Extent:
    """What ink of text covers, in millimetres from the top left corner of the page."""

    left: float
    top: float
    right: float
    bottom: float


def characters(pdf: bytes, page: int = 0) -> list[tuple[str, Extent]]:
    """Every visible character of a page with its place."""
    with pypdfium2.PdfDocument(pdf) as document:
        sheet = document[page]
        height = sheet.get_height()
        text = sheet.get_textpage()
        found = []
        for index in range(text.count_chars()):
            character = text.get_text_range(index, 1)
            if not character.strip():
                continue
            left, bottom, right, top = text.get_charbox(index)
            box = Extent(left * MM, (height - top) * MM, right * MM, (height - bottom) * MM)
            found.append((character, box))
        return found


def extent_of(words: str, pdf: bytes, page: int = 0) -> Extent:
    """Where these words stand first on the page (spaces do not count)."""
    every = characters(pdf, page)
    compact = "".join(words.split())
    place = "".join(character for character, _ in every).find(compact)
    assert place >= 0, f"{words!r} is not on the page"
    return union(box for _, box in every[place : place + len(compact)])


def union(boxes: object) -> Extent:
    all_boxes = list(boxes)  # type: ignore[call-overload]
    return Extent(
        min(box.left for box in all_boxes),
        min(box.top for box in all_boxes),
        max(box.right for box in all_boxes),
        max(box.bottom for box in all_boxes),
    )


def text_of(pdf: bytes) -> str:
    """The text of all pages, with spaces for no-break spaces."""
    with pypdfium2.PdfDocument(pdf) as document:
        text = "\n".join(page.get_textpage().get_text_bounded() for page in document)
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def picture(pdf: bytes, page: int = 0, dpi: int = 200) -> Image.Image:
    """A page as it would be printed."""
    with pypdfium2.PdfDocument(pdf) as document:
        image: Image.Image = document[page].render(scale=dpi / 72).to_pil().convert("L")
        return image


def codes(pdf: bytes, page: int = 0, dpi: int = 200) -> list[zxingcpp.Barcode]:
    """Every bar code, QR and Data Matrix on a page."""
    return list(zxingcpp.read_barcodes(picture(pdf, page, dpi)))
