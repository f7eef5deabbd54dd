"""The topics' dead-letter queues: read by peek-lock and given back, completed once decided.

A lock hides a message from everybody else, so one process at a time looks, however short.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from trackcenter.kit.canonical import clean
from trackcenter.kit.clock import now
from trackcenter.kit.errors import Sentence, TrackCenterError
from trackcenter.queue.letters import DeadLetter
from trackcenter.queue.payloads import MalformedMessage
from trackcenter.queue.publish import DELIVER, EXPORT, TOPICS, WRITE_EXPORT, Relayed
from trackcenter.queue.servicebus.broker import SUBSCRIPTION, client, trouble
from trackcenter.queue.servicebus.work import message_of, read_description, received

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusReceivedMessage, ServiceBusReceiver

MOST = 1000
"""Dead letters of a topic that are looked at, the oldest; the rest shows once these are decided."""

LONGEST_SHOWN = 2000
"""Bytes of a body that nobody can read."""

_AT_ONCE = 50

_LOCK = 0x6465_6164  # 'dead'
_PATIENCE_SECONDS = 20.0
_QUIET_SECONDS = 0.5


class BusUnavailable(TrackCenterError):
    """The Service Bus, or its dead letters, cannot be read just now."""

    status = 503
    title = "Not available now"

    def __init__(self, words: str) -> None:
        super().__init__(Sentence(words, "busAway"))


@dataclass(frozen=True, slots=True)
class Found:
    """A dead letter in hand, with what it takes to queue it again."""

    letter: DeadLetter
    again: Relayed | None
    """None when its body is no JSON object: it could only die again."""


Decide = Callable[[Found], bool]
"""Decides about a letter and commits that. True: its message is completed; False: it stays."""


def letters() -> list[DeadLetter]:
    """The dead letters of every topic, in no order. Raises `BusUnavailable`."""
    with _alone(), ThreadPoolExecutor(len(TOPICS), "dead letters") as pool:
        return [found.letter for topic in pool.map(_read, TOPICS) for found in topic]


def find(letter_id: str) -> DeadLetter | None:
    """One dead letter by its id, or None. Raises `BusUnavailable`."""
    topic = _topic(letter_id)
    if topic is None:
        return None
    with _alone():
        found = {one.letter.id: one.letter for one in _read(topic)}
    return found.get(letter_id)


def decide(ids: Collection[str], decision: Decide) -> int:
    """Take these dead letters, decide about each, and complete them. Says how many it decided.

    Dying in between leaves a letter where it was, to be decided again. Raises `BusUnavailable`,
    and what the decision raises.
    """
    chosen: defaultdict[str, set[str]] = defaultdict(set)
    for letter_id in ids:
        topic = _topic(letter_id)
        if topic is not None:
            chosen[topic].add(letter_id)
    if not chosen:
        return 0
    made = 0

    def counted(found: Found) -> bool:
        nonlocal made
        decided = decision(found)
        made += decided
        return decided

    with _alone():
        for topic, theirs in chosen.items():
            _read(topic, lambda found, theirs=theirs: found.letter.id in theirs and counted(found))  # type: ignore[misc]
    return made


def _topic(letter_id: str) -> str | None:
    """The topic a letter's id speaks of; None when it is no such id."""
    topic, _, number = letter_id.rpartition("-")
    return topic if topic in TOPICS and number.isascii() and number.isdecimal() else None


def _read(topic: str, decision: Decide | None = None) -> list[Found]:
    """A topic's dead letters; those that are decided are completed, the others given back."""
    from azure.servicebus import ServiceBusSubQueue

    try:
        with (
            client() as opened,
            opened.get_subscription_receiver(
                topic, SUBSCRIPTION, sub_queue=ServiceBusSubQueue.DEAD_LETTER
            ) as receiver,
        ):
            held = _all_of(topic, receiver)
            everything = [found for _, found in held]
            try:
                while decision and held:
                    message, found = held[0]
                    if decision(found):
                        receiver.complete_message(message)
                    else:
                        _give_back(receiver, message)
                    del held[0]
            finally:
                for message, _ in held:
                    _give_back(receiver, message)
    except trouble() as error:
        raise BusUnavailable(f"the dead letters of {topic} cannot be read") from error
    return everything


def _give_back(receiver: "ServiceBusReceiver", message: "ServiceBusReceivedMessage") -> None:
    from azure.servicebus.exceptions import MessageLockLostError

    try:
        receiver.abandon_message(message)
    except MessageLockLostError:
        return  # it is back already


def _all_of(
    topic: str, receiver: "ServiceBusReceiver"
) -> "list[tuple[ServiceBusReceivedMessage, Found]]":
    held: list[tuple[ServiceBusReceivedMessage, Found]] = []
    asked = _AT_ONCE
    while len(held) < MOST:
        more = receiver.receive_messages(asked, max_wait_time=_QUIET_SECONDS)
        if not more:
            break
        held += [(message, _found(topic, message)) for message in more]
        # What was asked for and did not come is still owed, and what is given back would be handed
        # to this receiver again: so no more than one is owed in the end.
        asked = _AT_ONCE if len(more) == asked else 1
    return held


def _found(topic: str, message: "ServiceBusReceivedMessage") -> Found:
    delivery = received(topic, message)
    why, run, at = read_description(message.dead_letter_error_description or "")
    reason = message.dead_letter_reason or ""
    again: Relayed | None = None
    try:
        body: Any = clean(message_of(delivery))
        # Stable, should this be repeated after a crash; and another one than the original's.
        again = Relayed(f"requeued~{topic}~{delivery.sequence}", body, delivery.source)
    except MalformedMessage:
        body = {"unreadable": clean(delivery.body[:LONGEST_SHOWN].decode(errors="replace"))}
    letter = DeadLetter(
        id=f"{topic}-{delivery.sequence}",
        queue=topic,
        task=WRITE_EXPORT if topic == EXPORT else DELIVER,
        message=body,
        reason=": ".join(part for part in (reason, why) if part) or "no reason was given",
        runs=run or delivery.deliveries,
        at=at or message.enqueued_time_utc or now(),
    )
    return Found(letter, again)


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the right to look, which ends with this connection to the database."""
    ends, pause = time.monotonic() + _PATIENCE_SECONDS, threading.Event()
    while not _ask("SELECT pg_try_advisory_lock(%s, 0)"):
        if time.monotonic() > ends:
            raise BusUnavailable("somebody else is looking through the dead letters; try again")
        pause.wait(0.1)
    try:
        yield
    finally:
        _ask("SELECT pg_advisory_unlock(%s, 0)")


def _ask(sql: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, [_LOCK])
        return bool(cursor.fetchone()[0])
