"""The cells of a billing file, read into their canonical form: one function a kind of value.

Each takes a cell that is not empty and raises `Refused`, with a sentence for the person who has
to mend the file, when its value breaks the rule.

Standards: ISO 3166-1 alpha-2 (country), ISO 4217 (currency), ISO 8601 (dates, durations),
BCP 47 (language), ISO 13616 (IBAN), E.164 (phone), IANA (time zone).
"""

import difflib
import re
import zoneinfo
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache

import babel
import phonenumbers
from babel.numbers import get_currency_precision, get_territory_currencies
from email_validator import EmailNotValidError, validate_email

from trackcenter.imports.reading import Cell, Number
from trackcenter.kit.errors import Sentence
from trackcenter.kit.postal import countries, country_code, with_lost_zeros
from trackcenter.kit.texts import Refused, one_line

CHANNELS = ("EMAIL", "SMS", "LETTER", "LETTER_WITH_RECEIPT")

_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_WHOLE_DIGITS = 12

_AMOUNT = re.compile(r"([+-]?)([0-9]+)(?:([.,])([0-9]+))?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:[.,' \u00a0\u202f’][0-9]{3})+(?:[.,][0-9]+)?")
_LOOKS_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})((?:-[A-Za-z0-9]{2,8})*)")
_DURATION = re.compile(
    r"P(?=[0-9])(?:[0-9]{1,4}Y)?(?:[0-9]{1,4}M)?(?:[0-9]{1,4}W)?(?:[0-9]{1,5}D)?"
)

# The same few values stand in row after row.
_remembered = lru_cache(maxsize=1024)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or nothing when nothing is near."""
    near = difflib.get_close_matches(
        word.replace(" ", "_").replace("-", "_"), known, n=1, cutoff=0.6
    )
    return near[0] if near else ""


def did_you_mean(near: str) -> str:
    """`; did you mean …?`, or nothing when nothing is near."""
    return f"; did you mean '{near}'?" if near else ""


def read_text(cell: Cell, longest: int) -> str:
    """A text in Unicode form NFC, without spaces around it."""
    if not isinstance(cell, str):
        words = "the spreadsheet made a date of this; format the cell as text"
        raise Refused(Sentence(words, "textBecameDate"))
    return one_line(cell, longest)


@_remembered
def read_year(cell: Cell) -> int:
    text = read_text(cell, 40)
    if not re.fullmatch("[0-9]{4}", text) or not _FIRST_YEAR <= int(text) <= _LAST_YEAR:
        words = f"'{text}' is no year between {_FIRST_YEAR} and {_LAST_YEAR}"
        raise Refused(Sentence(words, "noYear", text=text, first=_FIRST_YEAR, last=_LAST_YEAR))
    return int(text)


@_remembered
def read_channels(cell: Cell) -> tuple[str, ...]:
    """The channels in the product's order, each once."""
    asked: set[str] = set()
    for word in read_text(cell, 200).split("+"):
        channel = word.strip().upper()
        if channel not in CHANNELS:
            text, near, known = word.strip(), nearest(channel, CHANNELS), ", ".join(CHANNELS)
            words = f"unknown channel '{text}'{did_you_mean(near)} ({known}, joined by +)"
            raise Refused(Sentence(words, "unknownChannel", text=text, near=near, known=known))
        asked.add(channel)
    return tuple(channel for channel in CHANNELS if channel in asked)


@_remembered
def read_country(cell: Cell) -> str:
    return country_code(read_text(cell, 100))


@cache
def _languages() -> frozenset[str]:
    return frozenset(babel.Locale("en").languages)


@_remembered
def read_language(cell: Cell) -> str:
    text = read_text(cell, 35)
    tag = _LANGUAGE.fullmatch(text)
    if tag is None or tag.group(1).lower() not in _languages():
        words = f"'{text}' is no BCP 47 language tag (such as en or de)"
        raise Refused(Sentence(words, "noLanguage", text=text))
    parts = [part for part in tag.group(2).split("-") if part]
    shaped = [{2: part.upper(), 4: part.title()}.get(len(part), part.lower()) for part in parts]
    return "-".join([tag.group(1).lower(), *shaped])


@cache
def _currencies() -> frozenset[str]:
    return frozenset(
        currency for country in countries() for currency in get_territory_currencies(country)
    )


@_remembered
def read_currency(cell: Cell) -> str:
    text = read_text(cell, 40)
    if text.upper() not in _currencies():
        words = f"'{text}' is no ISO 4217 code of a currency in use (such as EUR)"
        raise Refused(Sentence(words, "noCurrency", text=text))
    return text.upper()


@_remembered
def read_date(cell: Cell) -> str:
    if not isinstance(cell, str):
        return cell.isoformat()
    text = read_text(cell, 40)
    try:
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass  # a 31 June, for instance: told like any other
    words = f"'{text}' is no ISO 8601 date (such as 2026-03-31)"
    raise Refused(Sentence(words, "noDate", text=text))


@_remembered
def read_iban(cell: Cell) -> str:
    """The IBAN in electronic form, its check digits verified (ISO 7064 MOD 97-10)."""
    text = re.sub(r"\s", "", read_text(cell, 60)).upper()
    if not re.fullmatch("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", text):
        raise Refused(Sentence(f"'{text}' has not the form of an IBAN", "noIban", text=text))
    digits = "".join(str(int(character, 36)) for character in text[4:] + text[:4])
    if int(digits) % 97 != 1:
        words = f"the check digits of the IBAN '{text}' are wrong"
        raise Refused(Sentence(words, "ibanCheckDigits", text=text))
    return text


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - {"Factory", "localtime", "posixrules"})


@_remembered
def read_time_zone(cell: Cell) -> str:
    text = read_text(cell, 64)
    if text not in _time_zones():
        near = "".join(difflib.get_close_matches(text, _time_zones(), n=1))
        words = f"'{text}' is no IANA time zone{did_you_mean(near) or ' (such as Europe/Berlin)'}"
        raise Refused(Sentence(words, "noTimeZone", text=text, near=near))
    return text


@_remembered
def read_duration(cell: Cell) -> str:
    text = read_text(cell, 40).upper()
    if not _DURATION.fullmatch(text):
        words = f"'{text}' is no ISO 8601 duration in years, months, weeks or days (such as P10Y)"
        raise Refused(Sentence(words, "noDuration", text=text))
    return text


def read_email(cell: Cell) -> str:
    text = read_text(cell, 254)
    try:
        # The DNS is not asked: an import must not depend on it. `test_environment` lets the
        # reserved `.test` domains through, so that a rehearsal can use them.
        address = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as problem:
        words = f"'{text}' is no e-mail address: {problem}"
        raise Refused(Sentence(words, "noEmail", text=text, reason=str(problem))) from problem
    return address.normalized


def read_phone(cell: Cell, country: str | None) -> str:
    """The number in E.164. Numbers without a country code are read in the row's country."""
    text = read_text(cell, 40)
    if isinstance(cell, Number) and not text.startswith("+"):
        return _phone_from_number(text, country)
    if country is None and not text.startswith("+"):
        words = (
            f"'{text}' has no country code; write it with + and the code, or fill in the country"
        )
        raise Refused(Sentence(words, "phoneWithoutCountry", text=text))
    number = _possible_phone(text, country)
    if number is None:
        code = "" if country is None or text.startswith("+") else country
        words = f"'{text}' is no phone number{f' in {code}' if code else ''}"
        raise Refused(Sentence(words, "noPhone", text=text, country=code))
    return number


def _possible_phone(text: str, country: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    # 'Possible' looks at lengths. 'Valid' would know the numbering plan, but a plan that changed
    # after our copy of it would then stop a whole file.
    reason = phonenumbers.is_possible_number_with_reason(number)
    if number.extension or reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _phone_from_number(digits: str, country: str | None) -> str:
    """A phone that a spreadsheet keeps as a number has lost its `+` or its zeros: which?

    Taken only where there is one answer; a guess would send somebody's bill to a stranger.
    """
    words = f"the phone {digits} is a number cell and lost its leading zero or +; format it as text"
    lost = Sentence(words, "phoneLostZero", text=digits)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country) if country else None
    if not digits.isdigit() or metadata is None:
        raise Refused(lost)
    with_zero = _valid_phone(f"0{digits}", country)
    with_plus = _valid_phone(f"+{digits}", None)
    if with_plus and not with_zero and digits.startswith(str(metadata.country_code)):
        return with_plus
    as_it_stands = _possible_phone(digits, country)
    if metadata.national_prefix == "0" or with_zero or as_it_stands is None:
        raise Refused(lost)
    return as_it_stands  # a country whose numbers begin with no zero


def _valid_phone(text: str, country: str | None) -> str | None:
    number = _possible_phone(text, country)
    if number is None or not phonenumbers.is_valid_number(phonenumbers.parse(number)):
        return None
    return number


def read_postcode(cell: Cell, country: str | None) -> str:
    """The postcode as written, unless it can only be one that lost its leading zero."""
    text = read_text(cell, 20)
    padded = with_lost_zeros(text, country)
    if padded is not None:
        kept = " is a number cell and" if isinstance(cell, Number) else ""
        words = f"the postcode {text}{kept} lost its leading zero; format it as text ({padded})"
        raise Refused(Sentence(words, "postcodeLostZero", text=text, meant=padded))
    return text


def read_amount(cell: Cell, *, currency: str | None, decimal_comma: bool) -> Decimal:
    """A sum of money as written, exact, with no more decimals than messages and letters show.

    Rounded there, its parts would no longer add up. A currency that is not known sets no limit.
    """
    text = read_text(cell, 60).replace("−", "-")
    parts = _AMOUNT.fullmatch(text)
    comma = not isinstance(cell, Number) and "," in text
    if _GROUPED.fullmatch(text) and (parts is None or (comma and not decimal_comma)):
        words = f"'{text}' has a thousands separator; write it without"
        raise Refused(Sentence(words, "thousandsSeparator", text=text))
    if parts is None:
        words = f"'{text}' is no amount (such as 1234.50)"
        raise Refused(Sentence(words, "noAmount", text=text))
    if comma and not decimal_comma:
        words = f"'{text}' has a decimal comma; write a point (or use a semicolon file)"
        raise Refused(Sentence(words, "decimalComma", text=text))
    sign, whole, _, decimals = parts.groups(default="")
    most = get_currency_precision(currency) if currency else len(decimals)
    too_fine = len(decimals.rstrip("0")) > most
    if decimal_comma and _LOOKS_GROUPED.fullmatch(text):
        raise Refused(_perhaps_thousands(text, most if too_fine else None))
    if len(whole.lstrip("0")) > _WHOLE_DIGITS:
        words = f"'{text}' is too large, {_WHOLE_DIGITS} digits before the point is the most"
        raise Refused(Sentence(words, "amountTooLarge", text=text, most=_WHOLE_DIGITS))
    if too_fine:
        words = f"'{text}' has more decimals than {currency}, which has {most}; round it"
        raise Refused(
            Sentence(words, "tooManyDecimals", text=text, most=most, currency=currency or "")
        )
    return Decimal(f"{sign}{whole}.{decimals or '0'}")


def _perhaps_thousands(text: str, most: int | None) -> Sentence:
    """`most` decimals are allowed, or None: three are."""
    words = f"'{text}' may have a thousands separator or three decimals"
    if most is None:
        words += f"; write {text}0 or leave the separator out"
        return Sentence(words, "perhapsThousands", text=text)
    words += f"; round it to {most} decimals or leave the separator out"
    return Sentence(words, "perhapsThousandsRound", text=text, most=most)


def canonical_amount(amount: Decimal) -> str:
    """An amount as the snapshot keeps it: no exponent, at least two decimals, no negative zero.

    >>> canonical_amount(Decimal("12")), canonical_amount(Decimal("-0.5000"))
    ('12.00', '-0.50')
    """
    whole, _, decimals = f"{abs(amount):f}".partition(".")
    sign = "-" if amount < 0 else ""
    return f"{sign}{int(whole)}.{decimals.rstrip('0').ljust(2, '0')}"
