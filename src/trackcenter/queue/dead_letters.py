"""Dead letters: list, inspect, re-queue, discard. The one door to them.

What a person decides is kept in an append-only table: who, when, note, message and reason.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from trackcenter.kit.canonical import clean
from trackcenter.kit.errors import Conflict, InputError, NotFound, Sentence
from trackcenter.kit.pagination import decode_cursor, encode_cursor
from trackcenter.queue import dead
from trackcenter.queue.letters import DeadLetter, Place
from trackcenter.queue.models import DeadLetterDecision, Verdict
from trackcenter.queue.publish import Relayed, relay, service_bus_in_use
from trackcenter.queue.servicebus import dead as bus

_PAGE = 200
_LARGEST = 2**63 - 1


def list_letters(
    *, cursor: str | None = None, limit: int = 50
) -> tuple[list[DeadLetter], str | None]:
    """One page of the dead letters, newest first, and the cursor of the next.

    Raises `BusUnavailable` while the Service Bus, if it is in use, cannot be read.
    """
    after = _place(cursor) if cursor else None
    found = dead.failed_jobs(after=after, limit=limit + 1)
    if service_bus_in_use():
        from_bus = (one for one in bus.letters() if after is None or one.place < after)
        found = _newest_first([*found, *from_bus])
    page = found[:limit]
    return page, encode_cursor(*page[-1].place) if len(found) > limit else None


def every_letter() -> list[DeadLetter]:
    """All of them, newest first."""
    letters = [letter for page in _pages() for letter in page]
    return _newest_first([*letters, *bus.letters()]) if service_bus_in_use() else letters


def find(letter_id: str) -> DeadLetter:
    """One dead letter; `NotFound` when there is none (any more)."""
    number = _job_number(letter_id)
    letter: DeadLetter | None = None
    if number is not None:
        letter = next(iter(dead.failed_jobs(ids=[number])), None)
    elif service_bus_in_use():
        letter = bus.find(letter_id)
    if letter is None:
        raise _no_such_letter(letter_id)
    return letter


def requeue(letter_id: str, *, user_id: UUID | None = None) -> DeadLetterDecision:
    """Queue a dead letter again, as if it had never run; `NotFound` when somebody was faster.

    `user_id` is None at the server's own command line. `Conflict` for a message that nobody could
    work: it could only die again.
    """
    if _lies_in_the_bus(letter_id):

        def again(found: bus.Found) -> DeadLetterDecision:
            if found.again is None:
                words = "it is no message that anybody could work; discard it"
                raise Conflict(Sentence(words, "cannotBeWorked"))
            return _requeue_from_bus(found, found.again, user_id)

        return _decide_in_the_bus(letter_id, again)
    decided = _requeue([find(letter_id)], user_id)
    if not decided:
        raise _no_such_letter(letter_id)
    return decided[0]


def requeue_all(*, user_id: UUID | None = None) -> int:
    """Queue every dead letter again, a page a transaction; says how many.

    What dies again meanwhile is newer than the page and waits for the next time. What nobody could
    work stays, and of a topic those beyond `bus.MOST`.
    """
    count = sum(len(_requeue(page, user_id)) for page in _pages())
    if service_bus_in_use():

        def again(found: bus.Found) -> bool:
            if found.again is not None:
                _requeue_from_bus(found, found.again, user_id)
            return found.again is not None

        count += bus.decide([letter.id for letter in bus.letters()], again)
    return count


def discard(
    letter_id: str,
    note: str,
    *,
    user_id: UUID | None = None,
    together_with: Callable[[DeadLetter], None] | None = None,
) -> DeadLetterDecision:
    """Give a dead letter up for good, for the reason in `note`; the record of it is returned.

    `together_with` is called with the letter in the transaction of the record.
    """
    note = note.strip()
    if not note:
        msg = Sentence("say why it may be forgotten", "sayWhyForgotten")
        raise InputError.at("body", "note", msg=msg)

    def given_up(letter: DeadLetter) -> DeadLetterDecision:
        decision = _decision(letter, Verdict.DISCARDED, note, user_id)
        with transaction.atomic():
            decision.save()
            if together_with:
                together_with(letter)
        return decision

    if _lies_in_the_bus(letter_id):
        return _decide_in_the_bus(letter_id, lambda found: given_up(found.letter))
    with transaction.atomic():
        letter = find(letter_id)
        if not dead.delete_jobs([int(letter.id)]):
            raise _no_such_letter(letter_id)
        return given_up(letter)


def _pages() -> Iterable[list[DeadLetter]]:
    """The dead letters of the database, newest first."""
    after: Place | None = None
    while page := dead.failed_jobs(after=after, limit=_PAGE):
        yield page
        after = page[-1].place


def _newest_first(letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    return sorted(letters, key=lambda one: one.place, reverse=True)


def _lies_in_the_bus(letter_id: str) -> bool:
    return service_bus_in_use() and _job_number(letter_id) is None


def _decide_in_the_bus(
    letter_id: str, decide: Callable[[bus.Found], DeadLetterDecision]
) -> DeadLetterDecision:
    """Record what is decided about a letter of a topic, then take it away there."""
    made: list[DeadLetterDecision] = []

    def commit(found: bus.Found) -> bool:
        made.append(decide(found))
        return True

    if not bus.decide([letter_id], commit):
        raise _no_such_letter(letter_id)
    return made[0]


@transaction.atomic
def _requeue_from_bus(found: bus.Found, again: Relayed, user_id: UUID | None) -> DeadLetterDecision:
    relay(found.letter.queue, again)
    decision = _decision(found.letter, Verdict.REQUEUED, "", user_id)
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
