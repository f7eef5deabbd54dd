"""What can go wrong in our own rules, each with the words its reader needs.

Every error carries the HTTP status it becomes at the door (RFC 9457 problem documents are made
in `trackcenter.api`); the command line prints the same sentences.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what came in: where (`("row", 7, "email")`) and what."""

    loc: tuple[str | int, ...]
    msg: str

    def as_json(self) -> dict[str, object]:
        return {"loc": list(self.loc), "msg": self.msg}

    def __str__(self) -> str:
        return f"{' '.join(str(part) for part in self.loc)}: {self.msg}"


class TrackCenterError(Exception):
    """A rule said no. `title` is the short name of the rule, the message says why."""

    status = 400
    title = "Bad request"


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
