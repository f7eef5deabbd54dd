"""What a PDF says, read back by PDFium: an engine that had no part in making it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import PdfiumError

POINTS = 72 / 25.4
"""Points in a millimetre."""

# PDFium is not made for threads, not even with a document each.
_turn = threading.RLock()


@dataclass(frozen=True, slots=True)
class PageText:
    """One page; positions are in millimetres from its top left corner."""

    page: pypdfium2.PdfPage
    text: pypdfium2.PdfTextPage

    def everything(self) -> str:
        """All of its text, in PDFium's order."""
        return str(self.text.get_text_bounded())

    def within(self, x: float, y: float, width: float, height: float) -> str:
        """The text of a rectangle."""
        top = self.page.get_height()
        return str(
            self.text.get_text_bounded(
                left=x * POINTS,
                right=(x + width) * POINTS,
                top=top - y * POINTS,
                bottom=top - (y + height) * POINTS,
            )
        )


@contextmanager
def opened(pdf: bytes) -> Iterator[pypdfium2.PdfDocument]:
    """The document, closed afterwards; one at a time in a process.

    Raises ValueError when it is no PDF.
    """
    with _turn:
        try:
            document = pypdfium2.PdfDocument(pdf)
        except PdfiumError as error:
            raise ValueError(f"not a PDF: {error}") from error
        try:
            yield document
        finally:
            document.close()


def page_count(pdf: bytes) -> int:
    """How many pages there are. Raises ValueError when it is no PDF."""
    with opened(pdf) as document:
        return len(document)


def pages_of(document: pypdfium2.PdfDocument) -> Iterator[PageText]:
    """The pages in their order; each is closed before the next."""
    for page in document:
        text = page.get_textpage()
        try:
            yield PageText(page, text)
        finally:
            text.close()
            page.close()
