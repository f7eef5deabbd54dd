import io
from datetime import date

import pytest
from PIL import Image

from tests.channels.letter.reading import picture
from tests.channels.samples import SENDER, bill
from trackcenter.channels.errors import RenderError
from trackcenter.channels.letter import read_logo, render_letter

DAY = date(2025, 10, 20)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 10">'
    '<rect width="30" height="10" fill="#000"/>{}</svg>'
)


def raster(kind: str, width: int = 60, height: int = 20) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "black").save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("logo", [raster("PNG"), raster("JPEG"), SVG.format("").encode()])
def test_a_logo_stands_in_the_letterhead(logo: bytes) -> None:
    page = picture(render_letter(bill(), sender=SENDER, issued_on=DAY, logo=logo).pdf, dpi=100)
    inside = page.getpixel((int(30 / 25.4 * 100), int(20 / 25.4 * 100)))
    assert isinstance(inside, int | float)
    assert inside < 60


@pytest.mark.parametrize(
    "part",
    [
        "<script>alert(1)</script>",
        '<image href="/etc/passwd"/>',
        "<text>Nord</text>",
        '<use href="http://example.com/x.svg#a"/>',
        '<rect onload="x()" width="1" height="1"/>',
        '<rect style="fill:url(http://example.com)" width="1" height="1"/>',
        "<style>@import 'x.css';</style>",
        "<foreignObject/>",
    ],
)
def test_a_drawing_that_does_more_than_draw_is_refused(part: str) -> None:
    with pytest.raises(RenderError, match="logo"):
        read_logo(SVG.format(part).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n broken",
        raster("PNG")[:60],
        b"<svg",
        b"<html></html>",
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"x" * 600_000,
        raster("PNG", 3000, 3000),
    ],
)
def test_what_is_no_logo_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(RenderError, match="logo"):
        read_logo(content)


def test_an_editors_notes_are_left_out() -> None:
    noted = SVG.format('<x:view xmlns:x="http://editor.example" secret="1"/>')
    assert "secret" not in read_logo(noted.encode()).svg
