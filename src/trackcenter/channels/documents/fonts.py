"""The typefaces of printed documents: Noto Sans and its sisters for other scripts.

They come from the pinned package `manimgx-fonts` (Noto, SIL Open Font License 1.1; the licence
stands beside the files in the package), so that the same document has the same bytes everywhere.
"""

from pathlib import Path

import manimgx_fonts

FOLDER = Path(manimgx_fonts.__file__).parent

FAMILIES = (
    "Noto Sans",  # Latin, Greek, Cyrillic, Vietnamese
    "Noto Sans Hebrew",
    "Noto Sans Arabic",
    "Noto Sans Armenian",
    "Noto Sans Georgian",
    "Noto Sans Ethiopic",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Gujarati",
    "Noto Sans Gurmukhi",
    "Noto Sans Oriya",
    "Noto Sans Tamil",
    "Noto Sans Telugu",
    "Noto Sans Kannada",
    "Noto Sans Malayalam",
    "Noto Sans Sinhala",
    "Noto Sans Thai",
    "Noto Sans Lao",
    "Noto Sans Khmer",
    "Noto Sans Myanmar",
    "Noto Sans Symbols",
    "Noto Emoji",
)
"""In the order they are asked for a character; one that none of them has is an error."""
