"""Postal item numbers of UPU standard S10: `RR123456785DE`.

Two letters for the service, eight digits of serial number, a check digit, the ISO 3166-1 code of
the country that issues it.
"""

import re
from dataclasses import dataclass
from typing import Self

_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_FORM = re.compile(r"([A-Z]{2})(\d{8})(\d)([A-Z]{2})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class S10:
    """One postal item number; `str()` of it is the thirteen characters of its barcode."""

    service: str
    serial: int
    country: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{2}", self.service) or not re.fullmatch(
            r"[A-Z]{2}", self.country
        ):
            raise ValueError("service and country of a postal number are two capital letters each")
        if not 0 <= self.serial <= 99_999_999:
            raise ValueError(f"{self.serial} is no serial number of eight digits")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The number that somebody typed or scanned (spaces and small letters are fine).

        Raises ValueError, saying what is wrong, for anything else.
        """
        found = _FORM.fullmatch(re.sub(r"[\s\-]+", "", text).upper())
        if found is None:
            raise ValueError(f"{text!r} is no postal number such as RR123456785DE")
        number = cls(found[1], int(found[2]), found[4])
        if number.check_digit != int(found[3]):
            raise ValueError(f"{text!r} is mistyped: its check digit would be {number.check_digit}")
        return number

    @property
    def check_digit(self) -> int:
        digits = map(int, f"{self.serial:08d}")
        rest = 11 - sum(w * d for w, d in zip(_WEIGHTS, digits, strict=True)) % 11
        return {10: 0, 11: 5}.get(rest, rest)

    @property
    def spaced(self) -> str:
        """`RR 123 456 785 DE`, the form for people."""
        digits = f"{self.serial:08d}{self.check_digit}"
        return f"{self.service} {digits[:3]} {digits[3:6]} {digits[6:]} {self.country}"

    def __str__(self) -> str:
        return f"{self.service}{self.serial:08d}{self.check_digit}{self.country}"
