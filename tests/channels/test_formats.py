from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from babel import Locale
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from trackcenter.channels.formats import iban_compact, iban_groups, long_date, money, short_date
from trackcenter.channels.language import reader_locale, text_language


@pytest.mark.parametrize(
    ("language", "country", "written"),
    [
        ("de", "DE", "1.234,50\u00a0€"),
        ("de", "AT", "€\u00a01.234,50"),
        ("en", "GB", "€1,234.50"),
        ("en", "IE", "€1,234.50"),
        ("en", "DE", "1.234,50\u00a0€"),
        ("fr", "FR", "1\u202f234,50\u00a0€"),
    ],
)
def test_amounts_are_written_as_in_the_readers_country(
    language: str, country: str, written: str
) -> None:
    assert money(Decimal("1234.5"), "EUR", reader_locale(language, country)) == written


@given(
    amount=st.decimals(-(10**12), 10**12, places=2),
    currency=st.sampled_from(["EUR", "CHF", "GBP", "JPY", "KWD", "PLN"]),
    place=st.sampled_from(["de_DE", "de_AT", "de_CH", "en_GB", "en_IN", "es_ES", "pl_PL", "sv_SE"]),
)
def test_money_writes_what_babel_writes(amount: Decimal, currency: str, place: str) -> None:
    locale = Locale.parse(place)
    if amount.quantize(Decimal(1), ROUND_HALF_EVEN) == 0:
        amount = abs(amount)  # Babel writes −0; nobody owes minus nothing
    assert money(amount, currency, locale) == format_currency(amount, currency, locale=locale)


def test_minus_nothing_is_nothing() -> None:
    assert money(Decimal("-0.00"), "EUR", Locale("de", "DE")) == "0,00\u00a0€"


def test_an_amount_without_currency_is_a_bare_number() -> None:
    assert money(Decimal("-1234.5"), None, Locale("de", "DE")) == "-1.234,50"


def test_dates_are_written_as_in_the_readers_country() -> None:
    day = date(2025, 3, 31)
    assert long_date(day, Locale("de", "AT")) == "31. März 2025"
    assert long_date(day, Locale("en", "GB")) == "31 March 2025"
    assert short_date(day, Locale("de", "DE")) == "31.03.2025"


@pytest.mark.parametrize(
    ("language", "country", "words"),
    [
        ("de", "DE", "de"),
        ("de-AT", None, "de"),
        ("DE_ch", "CH", "de"),
        ("fr", "FR", "en"),
        (None, "AT", "de"),
        (None, "GB", "en"),
        (None, None, "en"),
        ("", "DE", "de"),
        ("xx", "ZZ", "en"),
    ],
)
def test_words_are_the_recipients_or_english(
    language: str | None, country: str | None, words: str
) -> None:
    assert text_language(language, country) == words


def test_a_pair_that_cldr_does_not_know_is_at_home_somewhere() -> None:
    assert str(reader_locale("de", "PL")) == "de_DE"
    assert str(reader_locale("en", None)) == "en_GB"
    assert str(reader_locale("en", "not a country")) == "en_GB"


def test_an_iban_in_print_and_in_bytes() -> None:
    assert iban_groups("de89370400440532013000") == "DE89 3704 0044 0532 0130 00"
    assert iban_compact("DE89 3704 0044 0532 0130 00") == "DE89370400440532013000"
