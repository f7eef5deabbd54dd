"""The lifecycle: from a set of events to one status, by the table below and nothing else.

The fold is pure and needs no order: it gives the same state for the same set of events, however
they were shuffled or repeated. Only the newest attempt speaks; within it the strongest word wins.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """Where a communication stands, as far as is known."""

    PENDING = "PENDING"
    ENQUEUED = "ENQUEUED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    OPENED = "OPENED"
    FAILED = "FAILED"
    MANUAL = "MANUAL"
    CANCELLED = "CANCELLED"


FINAL = frozenset({Status.DELIVERED, Status.OPENED, Status.FAILED, Status.MANUAL, Status.CANCELLED})
"""Statuses after which nothing more is awaited (though news may still come)."""


class EventType(StrEnum):
    """What can happen to a communication."""

    CREATED = "CREATED"
    ENQUEUED = "ENQUEUED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    OPENED = "OPENED"
    FAILED = "FAILED"
    DEFERRED = "DEFERRED"
    NOTICE = "NOTICE"
    RESEND_REQUESTED = "RESEND_REQUESTED"
    MANUAL_MARKED = "MANUAL_MARKED"
    POSTED = "POSTED"
    RETURNED = "RETURNED"
    CANCELLED = "CANCELLED"


class Qualifier(StrEnum):
    """The little the fold must know besides an event's type."""

    NONE = ""
    READY_TO_PRINT = "READY_TO_PRINT"
    """SENT: the letter lies ready, nobody has posted it yet."""
    UNKNOWN = "UNKNOWN"
    """FAILED: we cannot find out whether the provider accepted the message."""
    CONFIRMED = "CONFIRMED"
    """SENT: the outcome had been unknown, and a later look or a person found that it left."""


class Rule(NamedTuple):
    """What an event makes of its attempt. A higher `strength` wins, whenever it comes."""

    strength: int
    status: Status


E, Q, S = EventType, Qualifier, Status

RULES: dict[tuple[EventType, Qualifier], Rule] = {
    (E.CREATED, Q.NONE): Rule(0, S.PENDING),
    # Dropped by a later import before it was ever enqueued. Weaker than ENQUEUED: should both
    # stand there, the message may have left, and saying 'cancelled' would hide that.
    (E.CANCELLED, Q.NONE): Rule(5, S.CANCELLED),
    (E.ENQUEUED, Q.NONE): Rule(10, S.ENQUEUED),
    # A resend opens an attempt and is queued in the same breath.
    (E.RESEND_REQUESTED, Q.NONE): Rule(10, S.ENQUEUED),
    # The letter exists but lies here. The plan's word is SENT; the screen says 'ready to print'.
    (E.SENT, Q.READY_TO_PRINT): Rule(20, S.SENT),
    (E.SENT, Q.NONE): Rule(21, S.SENT),
    (E.POSTED, Q.NONE): Rule(21, S.SENT),
    # Our own ignorance: any word from the outside is better than this.
    (E.FAILED, Q.UNKNOWN): Rule(30, S.FAILED),
    # The sent copy was found after all, or somebody counts it as sent: that ends the ignorance.
    (E.SENT, Q.CONFIRMED): Rule(31, S.SENT),
    (E.DELIVERED, Q.NONE): Rule(40, S.DELIVERED),
    # Mail that was delivered and then bounced did not stay there: the bounce wins in either order.
    (E.FAILED, Q.NONE): Rule(50, S.FAILED),
    # Somebody who read it beats a bounce (a mailing list may bounce for one of its readers).
    (E.OPENED, Q.NONE): Rule(60, S.OPENED),
    # A person vouches, with a name and a note.
    (E.MANUAL_MARKED, Q.NONE): Rule(70, S.MANUAL),
    # The envelope came back and lies on the desk: stronger than somebody's word that it arrived.
    (E.RETURNED, Q.NONE): Rule(80, S.FAILED),
}
"""The whole lifecycle. What is not here (DEFERRED, NOTICE) is an entry that changes nothing."""


class Entry(NamedTuple):
    """As much of an event as the fold reads.

    `occurred_at` only fills the timestamps, `source` only tells contradictions.
    """

    attempt: int
    type: EventType
    qualifier: Qualifier
    occurred_at: datetime
    source: str = ""


class State(NamedTuple):
    """What a set of events says. Timestamps are the newest attempt's, earliest of their kind."""

    status: Status = Status.PENDING
    attempt: int = 0
    strength: int = -1
    ready_to_print: bool = False
    outcome_unknown: bool = False
    contradictory: bool = False
    queued_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    opened_at: datetime | None = None
    failed_at: datetime | None = None


def rule_of(type: EventType, qualifier: Qualifier) -> Rule | None:
    """The rule of an event, or None for one that changes nothing."""
    return RULES.get((type, qualifier))


A_PERSONS_WORD = RULES[E.MANUAL_MARKED, Q.NONE].strength
"""From this strength on a person has settled what the machines disagreed about."""


def _disagree(current: list[Entry]) -> bool:
    """Whether one source says that it arrived and another that it did not.

    One source that says first the one and then the other tells a story, not a contradiction; and
    a person who says so has looked.
    """
    arrived = {entry.source for entry in current if entry.type in (E.DELIVERED, E.OPENED)}
    failed = {
        entry.source
        for entry in current
        if (entry.type, entry.qualifier) == (E.FAILED, Q.NONE) and entry.source != "USER"
    }
    return any(one != other for one in arrived for other in failed)


def fold(entries: Iterable[Entry]) -> State:
    """The state a set of events adds up to; its order and repetitions do not matter."""
    spoken = [entry for entry in entries if rule_of(entry.type, entry.qualifier)]
    if not spoken:
        return State()
    newest = max(entry.attempt for entry in spoken)
    current = [entry for entry in spoken if entry.attempt == newest]
    strongest = max(current, key=lambda entry: RULES[entry.type, entry.qualifier].strength)
    rule = RULES[strongest.type, strongest.qualifier]

    def earliest(*types: EventType) -> datetime | None:
        return min((entry.occurred_at for entry in current if entry.type in types), default=None)

    return State(
        status=rule.status,
        attempt=newest,
        strength=rule.strength,
        ready_to_print=(strongest.type, strongest.qualifier) == (E.SENT, Q.READY_TO_PRINT),
        outcome_unknown=(strongest.type, strongest.qualifier) == (E.FAILED, Q.UNKNOWN),
        contradictory=rule.strength < A_PERSONS_WORD and _disagree(current),
        queued_at=earliest(E.ENQUEUED, E.RESEND_REQUESTED),
        # A letter that lies ready has not been sent: its time is the posting's.
        sent_at=min(
            (
                entry.occurred_at
                for entry in current
                if entry.type is E.POSTED
                or (entry.type is E.SENT and entry.qualifier is not Q.READY_TO_PRINT)
            ),
            default=None,
        ),
        delivered_at=earliest(E.DELIVERED),
        opened_at=earliest(E.OPENED),
        failed_at=earliest(E.FAILED, E.RETURNED),
    )
