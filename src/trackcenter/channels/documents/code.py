"""The document code: a short name for what a document says, printed on each of its pages.

`TC-` and twelve characters of Crockford's base 32 in groups of four: 55 bits of the SHA-256 of
the content and a check character (Luhn mod 32, which finds every mistyped character and nearly
every swap of neighbours). Reading forgives what people confuse: O for 0, I and L for 1, case,
spaces.
"""

import hashlib
import re
from collections.abc import Mapping

import msgspec

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CONFUSED = str.maketrans("OIL", "011")
_HASHED = 11

PATTERN = re.compile(r"TC-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")
"""A document code as it is printed."""


def code_of(content: Mapping[str, object]) -> str:
    """The code of a document's content: JSON values, hashed as JSON with its keys in order."""
    digest = hashlib.sha256(msgspec.json.encode(content, order="deterministic")).digest()
    number = int.from_bytes(digest[:7]) >> 1
    characters = "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_HASHED)))
    return _written(characters + _check_character(characters))


def read_code(text: str) -> str | None:
    """The code that somebody typed or scanned, as it is printed; None when it is no code."""
    compact = re.sub(r"[\s\-–—]+", "", text.upper()).removeprefix("TC").translate(_CONFUSED)
    if len(compact) != _HASHED + 1 or not set(compact) <= set(_ALPHABET):
        return None
    if _check_character(compact[:-1]) != compact[-1]:
        return None
    return _written(compact)


def _written(compact: str) -> str:
    return "-".join(["TC", compact[:4], compact[4:8], compact[8:]])


def _check_character(characters: str) -> str:
    total = 0
    for place, character in enumerate(reversed(characters)):
        value = _ALPHABET.index(character) * (2 if place % 2 == 0 else 1)
        total += value // 32 + value % 32
    return _ALPHABET[-total % 32]
