"""Barcodes as drawings: black on white, quiet zones included, sizes in millimetres."""

from dataclasses import dataclass
from functools import lru_cache

import zint

from trackcenter.channels.documents.s10 import S10

_S10_MODULE = 0.33
"""Width of the narrowest bar: 156 modules are then 51.5 mm, above the 50 mm asked for."""
_S10_QUIET = 5.0
_MATRIX_MODULE = 0.4
_UNITS = 2
"""zint draws a module two units wide."""


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
    symbol = _encoded(zint.Symbology.UPU_S10, str(number))
    return _drawn(symbol, _S10_MODULE, _S10_QUIET, height)


@lru_cache(maxsize=64)
def data_matrix(text: str) -> Drawing:
    """A short text as Data Matrix (ISO/IEC 16022) with its quiet zone of one module."""
    return _drawn(_encoded(zint.Symbology.DATAMATRIX, text), _MATRIX_MODULE, _MATRIX_MODULE, None)


@lru_cache(maxsize=64)
def qr_code(data: bytes, *, size: float) -> Drawing:
    """Bytes as QR code (ISO/IEC 18004) of level M, `size` wide with its quiet zone of 4 modules.

    The bytes go in as they are, without an ECI: that is what banking apps expect.
    """
    symbol = _encoded(zint.Symbology.QRCODE, data)
    side = symbol.vector.width / _UNITS + 8
    return _drawn(symbol, size / side, 4 * size / side, None)


def _encoded(symbology: zint.Symbology, data: str | bytes) -> zint.Symbol:
    symbol = zint.Symbol()
    symbol.symbology = symbology
    symbol.show_text = False
    if symbology == zint.Symbology.QRCODE:
        symbol.option_1 = 2  # error correction M
    if isinstance(data, bytes):
        symbol.input_mode = zint.InputMode(0)  # octets, not text
    symbol.encode(data)
    symbol.buffer_vector()
    return symbol


def _drawn(symbol: zint.Symbol, module: float, quiet: float, height: float | None) -> Drawing:
    """The bars as one path; with a `height` they have that and no quiet zone above and below."""
    vector = symbol.vector
    unit = module / _UNITS
    margin = round(quiet / unit)
    above = 0 if height else margin
    bars = ((int(bar.x), int(bar.y), int(bar.width), int(bar.height)) for bar in vector.rectangles)
    if height:
        tall = round(height / unit)
        path = "".join([f"M{margin + x} 0h{w}v{tall}h-{w}z" for x, _, w, _ in bars])
    else:
        tall = int(vector.height)
        path = "".join([f"M{margin + x} {above + y}h{w}v{h}h-{w}z" for x, y, w, h in bars])
    wide, tall = int(vector.width) + 2 * margin, tall + 2 * above
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}">'
        f'<path shape-rendering="crispEdges" d="{path}"/></svg>'
    )
    return Drawing(svg, wide * unit, tall * unit)
