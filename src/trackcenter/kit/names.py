"""People's names in the order, and by the letters, one looks for them."""

import unicodedata

_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
"""Letters that Unicode does not take apart."""


def name_key(name: str) -> str:
    """A name without case and accents (DIN 5007-1): 'de Vries' before 'Öztürk' before 'Weiß'.

    At most 200 characters.
    """
    apart = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return plain.translate(_LETTERS)[:200]
