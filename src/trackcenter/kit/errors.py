"""What can go wrong in our own rules, each with the words its reader needs.

Every error carries the HTTP status it becomes at the door (RFC 9457 problem documents are made
in `trackcenter.api`); the command line prints the same sentences.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class Sentence(str):
    """The API's words for what is wrong, with what other languages make theirs of.

    `code` names the rule, in camelCase, and stays when the words are bettered; `values` are what
    the words quote. The screen has a text of every code (`web/src/i18n/problems.en.ts`).
    """

    __slots__ = ("code", "values")
    code: str
    values: dict[str, str | int]

    def __new__(cls, words: str, code: str, /, **values: str | int) -> "Sentence":
        sentence = super().__new__(cls, words)
        sentence.code = code
        sentence.values = values
        return sentence


def coded(words: str) -> dict[str, object]:
    """`code` and `values` of a sentence for the wire; nothing of words that have none."""
    return {"code": words.code, "values": words.values} if isinstance(words, Sentence) else {}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what came in: where (`("row", 7, "email")`) and what."""

    loc: tuple[str | int, ...]
    msg: str

    def as_json(self) -> dict[str, object]:
        return {"loc": list(self.loc), "msg": self.msg, **coded(self.msg)}

    def __str__(self) -> str:
        return f"{' '.join(str(part) for part in self.loc)}: {self.msg}"


class TrackCenterError(Exception):
    """A rule said no. `title` is the short name of the rule, the message says why.

    The message of one that a person can meet on the screen is a `Sentence`.
    """

    status = 400
    title = "Bad request"

    @property
    def words(self) -> str:
        """The message, still a `Sentence` if it was raised with one."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else str(self)


class InputError(TrackCenterError):
    """Bad input: every problem with its place. Nothing has been written."""

    status = 422
    title = "The input is not valid"

    def __init__(self, problems: Sequence[Problem], *, total: int | None = None) -> None:
        self.problems = list(problems)
        self.total = total if total is not None else len(self.problems)
        super().__init__("; ".join(str(problem) for problem in self.problems[:5]))

    @classmethod
    def at(cls, *loc: str | int, msg: str) -> "InputError":
        """A single problem at one place."""
        return cls([Problem(loc, msg)])


class NotFound(TrackCenterError):
    """There is no such thing, or it belongs to somebody else: the answer is the same."""

    status = 404
    title = "Not found"


class Forbidden(TrackCenterError):
    """Known, but not allowed to do this."""

    status = 403
    title = "Not allowed"


class Conflict(TrackCenterError):
    """The thing is not in a state that allows this."""

    status = 409
    title = "Not possible now"
