"""Barcodes as drawings: black on white, quiet zones included, sizes in millimetres."""

from dataclasses import dataclass
from functools import lru_cache

import zint

from trackcenter.channels.documents.s10 import S10

_S10_MODULE = 0.33
"""Width of the narrowest bar: 156 modules are then 51.5 mm, above the 50 mm asked for."""
_S10_QUIET = 5.0
_MATRIX_MODULE = 0.4


@dataclass(frozen=True, slots=True)
class Drawing:
    """An SVG with its true size. `as_data` is what templates take."""

    svg: str
    width: float
    height: float

    def as_data(self, alt: str) -> dict[str, object]:
        """For a template; `alt` is what is read to those who cannot see it."""
        return {"svg": self.svg, "width": self.width, "height": self.height, "alt": alt}


@lru_cache(maxsize=64)
def s10_bars(number: S10, *, height: float = 12.5) -> Drawing:
    """The number as Code 128, at least 50 mm wide, between quiet zones of 5 mm (UPU S10)."""
    return _drawn(zint.Symbology.UPU_S10, str(number), _S10_MODULE, _S10_QUIET, height)


@lru_cache(maxsize=64)
def data_matrix(text: str) -> Drawing:
    """A short text as Data Matrix (ISO/IEC 16022) with its quiet zone of one module."""
    return _drawn(zint.Symbology.DATAMATRIX, text, _MATRIX_MODULE, _MATRIX_MODULE, None)


def _drawn(
    symbology: zint.Symbology, text: str, module: float, quiet: float, height: float | None
) -> Drawing:
    symbol = zint.Symbol()
    symbol.symbology = symbology
    symbol.show_text = False
    symbol.encode(text)
    symbol.buffer_vector()
    vector = symbol.vector
    across = module / 2  # zint draws a module two units wide
    down = height / vector.height if height else across
    path = "".join(
        f"M{quiet + bar.x * across:.3f} {(0 if height else quiet) + bar.y * down:.3f}"
        f"h{bar.width * across:.3f}v{bar.height * down:.3f}h{-bar.width * across:.3f}z"
        for bar in vector.rectangles
    )
    width = vector.width * across + 2 * quiet
    total_height = vector.height * down + (0 if height else 2 * quiet)
    return Drawing(_svg(path, width, total_height), width, total_height)


def _svg(path: str, width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.3f} {height:.3f}">'
        f'<path d="{path}"/></svg>'
    )
