"""Dead letters: list, inspect, re-queue, discard. The one door to them.

What a person decides is kept in an append-only table: who, when, note, message and reason.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from trackcenter.kit.canonical import clean
from trackcenter.kit.errors import InputError, NotFound
from trackcenter.kit.pagination import decode_cursor, encode_cursor
from trackcenter.queue import dead
from trackcenter.queue.letters import DeadLetter, Place
from trackcenter.queue.models import DeadLetterDecision, Verdict

_PAGE = 200
_LARGEST = 2**63 - 1


def list_letters(
    *, cursor: str | None = None, limit: int = 50
) -> tuple[list[DeadLetter], str | None]:
    """One page of the dead letters, newest first, and the cursor of the next."""
    after = _place(cursor) if cursor else None
    found = dead.failed_jobs(after=after, limit=limit + 1)
    page = found[:limit]
    return page, encode_cursor(*page[-1].place) if len(found) > limit else None


def every_letter() -> list[DeadLetter]:
    """All of them, newest first."""
    letters: list[DeadLetter] = []
    cursor: str | None = None
    while True:
        page, cursor = list_letters(cursor=cursor, limit=_PAGE)
        letters += page
        if cursor is None:
            return letters


def find(letter_id: str) -> DeadLetter:
    """One dead letter; `NotFound` when there is none (any more)."""
    number = _job_number(letter_id)
    letters = dead.failed_jobs(ids=[number]) if number is not None else []
    if not letters:
        raise _no_such_letter(letter_id)
    return letters[0]


def requeue(letter_id: str, *, user_id: UUID | None = None) -> DeadLetterDecision:
    """Queue a dead letter again, as if it had never run; `NotFound` when somebody was faster.

    `user_id` is None at the server's own command line.
    """
    decided = _requeue([find(letter_id)], user_id)
    if not decided:
        raise _no_such_letter(letter_id)
    return decided[0]


def requeue_all(*, user_id: UUID | None = None) -> int:
    """Queue every dead letter again, a page a transaction; says how many.

    What dies again meanwhile is newer than the page and waits for the next time.
    """
    count, cursor = 0, None
    while True:
        page, cursor = list_letters(cursor=cursor, limit=_PAGE)
        count += len(_requeue(page, user_id))
        if cursor is None:
            return count


@transaction.atomic
def discard(letter_id: str, note: str, *, user_id: UUID | None = None) -> DeadLetterDecision:
    """Give a dead letter up for good, for the reason in `note`; the record of it is returned."""
    note = note.strip()
    if not note:
        raise InputError.at("body", "note", msg="say why it may be forgotten")
    letter = find(letter_id)
    if not dead.delete_jobs([int(letter.id)]):
        raise _no_such_letter(letter_id)
    decision = _decision(letter, Verdict.DISCARDED, note, user_id)
    decision.save()
    return decision


def _place(cursor: str) -> Place:
    at, letter_id = decode_cursor(cursor, datetime, str)
    return at, letter_id


def _job_number(letter_id: str) -> int | None:
    if letter_id.isascii() and letter_id.isdecimal() and int(letter_id) <= _LARGEST:
        return int(letter_id)
    return None


@transaction.atomic
def _requeue(letters: list[DeadLetter], user_id: UUID | None) -> list[DeadLetterDecision]:
    """Queue these again, but for those that somebody else decided about meanwhile."""
    dead_still = set(dead.requeue_jobs([int(letter.id) for letter in letters]))
    return DeadLetterDecision.objects.bulk_create(
        _decision(letter, Verdict.REQUEUED, "", user_id)
        for letter in letters
        if int(letter.id) in dead_still
    )


def _decision(
    letter: DeadLetter, verdict: Verdict, note: str, user_id: UUID | None
) -> DeadLetterDecision:
    return DeadLetterDecision(
        letter_id=letter.id,
        queue=letter.queue,
        task=letter.task,
        message=clean(letter.message),
        reason=letter.reason,
        runs=letter.runs,
        died_at=letter.at,
        verdict=verdict,
        note=clean(note),
        user_id=user_id,
    )


def _no_such_letter(letter_id: str) -> NotFound:
    return NotFound(f"there is no dead letter {clean(letter_id)}")
