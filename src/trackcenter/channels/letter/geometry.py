"""Where things stand on a letter: DIN 5008, form B, on A4. Millimetres from the top left corner.

The address field is 85 × 45 mm at (20, 45); its last 27.3 mm are for the address, the 17.7 mm
above for remarks and the line that says where to return it. What it says is set narrower than the
field: a C5 envelope leaves a folded sheet 19 mm of play across and 13.5 mm down, and an address
must stay in the window however the sheet slides. The same place shows in DL, and in C4 where the
sheet lies within 14 mm of the upper edge.
"""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the page."""

    x: float
    y: float
    width: float
    height: float

    def as_data(self) -> dict[str, float]:
        return asdict(self)


ADDRESS_FIELD = Box(20, 45, 85, 45)
REMARKS = Box(25, 45, 66, 16.8)
ADDRESS = Box(25, 63.9, 66, 24.6)
REFERENCE = Box(125, 50, 65, 46)
"""Unit, building, year, how to reach the sender, date: a column of names, one of values."""
NAMES_WIDTH, NAMES_GAP = 19.0, 2.0
VALUES = Box(
    REFERENCE.x + NAMES_WIDTH + NAMES_GAP,
    REFERENCE.y,
    REFERENCE.width - NAMES_WIDTH - NAMES_GAP,
    REFERENCE.height,
)
"""The values of the reference block; the unit is the first of them."""
FOOT = Box(25, 275, 165, 15)
"""Document code and page number, on every page."""

FOLDS = (105.0, 210.0)
PUNCH = 148.5

AS_DATA = {
    "remarks": REMARKS.as_data(),
    "address": ADDRESS.as_data(),
    "reference": REFERENCE.as_data(),
    "names_width": NAMES_WIDTH,
    "names_gap": NAMES_GAP,
    "folds": list(FOLDS),
    "punch": PUNCH,
}
