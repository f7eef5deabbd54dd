"""A text that stands on one line: of a letter, a message, a list."""

import re
import unicodedata

from trackcenter.kit.errors import Sentence

# C0, C1 and line separators; directional overrides, which make a text read as another one;
# and U+FFFD, the scar of a file that was saved in the wrong encoding.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffd\ud800-\udfff]"
)


class Refused(Exception):
    """A value breaks a rule; the sentence says which, to the person who wrote it."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def one_line(text: str, longest: int) -> str:
    """The text in Unicode form NFC, without spaces around it; `longest` counts characters.

    Raises `Refused` for one that is longer, or has line breaks or characters nobody sees.
    """
    text = unicodedata.normalize("NFC", text).strip()
    forbidden = _FORBIDDEN.search(text)
    if forbidden is not None:
        raise Refused(_about_forbidden(forbidden.group()))
    if len(text) > longest:
        words = f"{len(text)} characters are too many, {longest} is the most"
        raise Refused(Sentence(words, "textTooLong", length=len(text), most=longest))
    return text


def _about_forbidden(character: str) -> Sentence:
    if character in "\r\n\u2028\u2029":
        return Sentence("a line break inside a value", "lineBreak")
    if character == "\ufffd":
        words = "a character was lost when the file was saved (�); save it as UTF-8"
        return Sentence(words, "characterLost")
    name = f"U+{ord(character):04X}"
    return Sentence(f"an invisible control character ({name})", "controlCharacter", name=name)
