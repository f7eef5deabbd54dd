"""The logo in an e-mail: drawn for mail programs, sent with the message, kept in what is shown."""

import base64
import io

import pytest
from PIL import Image

from tests.channels.email.test_render import Outline
from tests.channels.samples import SENDER, bill
from trackcenter.channels.email import RenderError, for_mailboxes, render_email

SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10">'
    b'<path fill="#c00" d="M0 0h40v10H0z"/></svg>'
)


def a_picture(kind: str, size: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, "#cc0000").save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("logo", "size"),
    [
        (SVG, (228, 63)),
        (a_picture("PNG", (1000, 1000)), (72, 72)),
        (a_picture("JPEG", (30, 10)), (200, 72)),
        (a_picture("PNG", (2000, 4)), (228, 9)),
    ],
    ids=["svg", "png", "jpeg", "thin"],
)
def test_a_logo_of_any_kind_is_a_picture_that_fits(logo: bytes, size: tuple[int, int]) -> None:
    html = render_email(bill(), sender=SENDER, logo=logo).html
    (shown,) = Outline(html).find("img")
    assert (shown["width"], shown["height"]) == tuple(map(str, size))
    assert shown["alt"] == SENDER.name
    sent, (picture,) = for_mailboxes(html)
    with Image.open(io.BytesIO(picture.content)) as image:
        assert image.format == "PNG"
        assert image.size == (2 * size[0], 2 * size[1])
        colours = image.convert("RGB")
        assert colours.getpixel((1, 1)) == (255, 255, 255)
        red, green, blue = colours.getpixel(size)  # JPEG is a little off
        assert (abs(red - 204) < 3, green < 3, blue < 3) == (True, True, True)
    (reference,) = Outline(sent).find("img")
    assert reference["src"] == f"cid:{picture.content_id}"


def test_what_is_kept_shows_itself_and_what_leaves_refers_to_its_parts() -> None:
    html = render_email(bill(), sender=SENDER, logo=SVG).html
    (shown,) = Outline(html).find("img")
    src = str(shown["src"])
    sent, (picture,) = for_mailboxes(html)
    assert src == f"data:image/png;base64,{base64.b64encode(picture.content).decode()}"
    assert "data:" not in sent
    assert for_mailboxes(html) == (sent, (picture,))
    assert render_email(bill(), sender=SENDER, logo=SVG).html == html


def test_a_mail_without_a_logo_has_no_picture() -> None:
    html = render_email(bill(), sender=SENDER).html
    assert not Outline(html).find("img")
    assert for_mailboxes(html) == (html, ())


def test_a_name_that_looks_like_a_picture_is_none() -> None:
    name = 'src="data:image/png;base64,AAAA"'
    html = render_email(bill(recipient=name), sender=SENDER, logo=SVG).html
    _, pictures = for_mailboxes(html)
    assert len(pictures) == 1


def test_a_faulty_logo_fails_in_words() -> None:
    with pytest.raises(RenderError, match="no PNG, JPEG or SVG"):
        render_email(bill(), sender=SENDER, logo=b"GIF89a")
