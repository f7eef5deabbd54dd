"""Opens one uploaded file in a process of its own, and draws its thumbnail.

Run as a program, never imported: the kind is its argument, the content its standard input, the
answer its standard output: a line of JSON, then the thumbnail as JPEG. What a hostile file makes of
this process must not matter: it has little time and memory, may write no file, and may open nothing
more, so that neither a file nor a socket is within its reach.
"""

import contextlib
import io
import json
import resource
import sys
from typing import Any

import pillow_heif
import pypdfium2
from PIL import Image, ImageOps

SECONDS = 10
MEMORY = 1536 * 1024 * 1024
MOST_PIXELS = 120_000_000
THUMBNAIL = (320, 320)


class Unreadable(Exception):
    """The file is not what it seems to be."""


def limit() -> None:
    """From here on: no new descriptor of any kind, no file written, no core left."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # not every system counts address space
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def draw(kind: str, content: bytes) -> tuple[int, bytes]:
    """The number of pages and the thumbnail of the first."""
    if kind == "PDF":
        return _draw_pdf(pypdfium2.PdfDocument(content))
    with Image.open(io.BytesIO(content), formats=[kind]) as picture:
        width, height = picture.size
        if width * height > MOST_PIXELS:
            raise Unreadable(f"it has {width} × {height} pixels, which is too large")
        picture.draft("RGB", (THUMBNAIL[0] * 2, THUMBNAIL[1] * 2))
        return getattr(picture, "n_frames", 1), _jpeg(ImageOps.exif_transpose(picture))


def _draw_pdf(document: Any) -> tuple[int, bytes]:
    pages = len(document)
    if not pages:
        raise Unreadable("it has no pages")
    page = document[0]
    return pages, _jpeg(page.render(scale=max(THUMBNAIL) / max(page.get_size())).to_pil())


def _jpeg(picture: Any) -> bytes:
    picture = picture.convert("RGB")
    picture.thumbnail(THUMBNAIL)
    drawn = io.BytesIO()
    picture.save(drawn, "JPEG", quality=80)
    return drawn.getvalue()


def warm_up() -> None:
    """Load what the libraries load on first use, while files can still be opened."""
    pillow_heif.register_heif_opener()
    Image.init()
    for kind in ("PNG", "TIFF", "JPEG"):
        sample = io.BytesIO()
        Image.new("RGB", (8, 8)).save(sample, kind)
        draw(kind, sample.getvalue())
    document = pypdfium2.PdfDocument.new()
    document.new_page(8, 8)
    _draw_pdf(document)


def main() -> int:
    """Answer for the file on standard input; 0 even when it is refused."""
    warm_up()
    content = sys.stdin.buffer.read()
    limit()
    answer: dict[str, object]
    try:
        pages, thumbnail = draw(sys.argv[1], content)
    except Unreadable as refusal:
        answer, thumbnail = {"refused": str(refusal)}, b""
    except (pypdfium2.PdfiumError, OSError, ValueError, SyntaxError, EOFError, MemoryError):
        answer, thumbnail = {"refused": "it is damaged, or protected by a password"}, b""
    else:
        answer = {"pages": pages}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + thumbnail)
    return 0


if __name__ == "__main__":
    sys.exit(main())
