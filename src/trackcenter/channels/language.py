"""Which language a message is written in, and how its reader's country writes numbers."""

from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.languages import get_official_languages

from trackcenter.channels.texts import LANGUAGES

FALLBACK = "en"
_HOME = {"de": "DE", "en": "GB"}
"""Where a language is at home when the row names no country we know for it."""


@lru_cache(maxsize=1024)
def text_language(language: str | None, country: str | None) -> str:
    """The language of the words: the recipient's if we have it, else English.

    A row without a language is read as its country's first official language.
    """
    if not language and country:
        language = next(iter(get_official_languages(country.upper(), de_facto=True)), None)
    primary = (language or FALLBACK).replace("_", "-").split("-")[0].lower()
    return primary if primary in LANGUAGES else FALLBACK


@lru_cache(maxsize=1024)
def reader_locale(language: str | None, country: str | None) -> Locale:
    """The locale for amounts and dates: the language of the words in the recipient's country.

    So a reader in Austria sees `€ 1.234,50` in a German and in an English message alike. Where
    CLDR knows no such pair, the language's home country decides.
    """
    words = text_language(language, country)
    for territory in (country.upper() if country else None, _HOME[words]):
        if territory:
            try:
                return Locale(words, territory)
            except UnknownLocaleError:
                continue
    return Locale(words)
