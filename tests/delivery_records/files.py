"""Real files of every accepted kind, small, made on the spot."""

import io

import pillow_heif
import pypdfium2
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image


def a_picture(kind: str, size: tuple[int, int] = (640, 400)) -> bytes:
    content = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.register_heif_opener()
    Image.new("RGB", size, (200, 30, 30)).save(content, kind)
    return content.getvalue()


def a_pdf(pages: int = 2) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(595, 842)
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def uploaded(content: bytes, name: str = "proof.bin") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)
