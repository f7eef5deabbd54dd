"""One message of the Service Bus, worked in a thread: what is to become of it."""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)

from trackcenter.kit.canonical import clean
from trackcenter.kit.clock import iso, now
from trackcenter.kit.context import message_source
from trackcenter.queue.letters import channel_of
from trackcenter.queue.payloads import MalformedMessage
from trackcenter.queue.publish import DELIVER, EXPORT, OURS, WRITE_EXPORT, Relayed, relay
from trackcenter.queue.retry import MAX_RUNS, RetryAt, pause
from trackcenter.queue.servicebus.broker import FAILURES, SOURCE
from trackcenter.queue.tasks import HANDLERS

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusReceivedMessage

log = logging.getLogger(__name__)

HELD_SECONDS = 5.0
"""A shorter wait is spent here, with the lock renewed; a longer one in the database."""

LONGEST_BODY = 64 * 1024
"""Far more than any job is; a copy of it must fit into a message again."""

LONGEST_DESCRIPTION = 2000

LONGEST_BASE = 100
"""Ids have at most 128 characters."""

_COPY = re.compile(r"(.*)~again(\d+)", re.DOTALL)
_STAMP = re.compile(r" \(run (\d+), (\S+Z)\)$")
_AWAY = (OperationalError, InterfaceError)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it was received: its topic, ids, body and what it has behind it.

    `source` is `OURS`, or topic and id under which another producer sent it first.
    """

    topic: str
    id: str
    body: bytes
    source: str
    failures: int
    deliveries: int
    sequence: int

    @property
    def copy_id(self) -> str:
        """The MessageId of the next copy of it: another one than its own, yet always the same."""
        found = _COPY.fullmatch(self.id)
        base, number = (found[1], int(found[2])) if found else (self.id, 0)
        if len(base) > LONGEST_BASE:
            base = hashlib.sha256(base.encode()).hexdigest()
        return f"{base}~again{number + 1}"


@dataclass(frozen=True, slots=True)
class Done:
    """Settle it: it was worked, or a copy waits in the database."""


@dataclass(frozen=True, slots=True)
class Dead:
    """Put it to the dead letters."""

    reason: str
    description: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Keep it locked and run it again at `at`; `failures` are counted on."""

    at: datetime
    failures: int
    database_away: bool = False


Outcome = Done | Dead | Wait


def received(topic: str, message: "ServiceBusReceivedMessage") -> Delivery:
    """What a worker needs of the SDK's message."""
    properties = _properties(message.application_properties)
    sequence = message.sequence_number or 0
    known_as = str(message.message_id) if message.message_id else f"#{sequence}"
    failures = properties.get(FAILURES)
    return Delivery(
        topic=topic,
        id=known_as,
        body=_bytes(message.body),
        source=str(properties.get(SOURCE) or f"{topic}/{known_as}"),
        failures=failures if isinstance(failures, int) else 0,
        deliveries=message.delivery_count or 0,
        sequence=sequence,
    )


def _properties(given: Mapping[Any, Any] | None) -> dict[str, Any]:
    """Application properties; the SDK gives names and words as bytes."""
    return {_word(key): _word(value) for key, value in (given or {}).items()}


def _word(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _bytes(body: Any) -> bytes:
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    if isinstance(body, str):
        return body.encode()
    try:
        return b"".join(bytes(part) for part in body)
    except TypeError:
        return json.dumps(clean(body), default=str).encode()  # an AMQP value


def message_of(delivery: Delivery) -> dict[str, Any]:
    """The message's body; `MalformedMessage` when it is no JSON object, or far too long for one."""
    if len(delivery.body) > LONGEST_BODY:
        raise MalformedMessage(f"the body is longer than {LONGEST_BODY} bytes")
    try:
        message = json.loads(delivery.body)
    except (ValueError, RecursionError):
        raise MalformedMessage("the body is not JSON") from None
    if not isinstance(message, dict):
        raise MalformedMessage("the body is not a JSON object")
    return message


def work(delivery: Delivery) -> Outcome:
    """Run the job and say what is to become of its message. Never raises."""
    close_old_connections()
    source = message_source.set("" if delivery.source == OURS else delivery.source)
    try:
        _run(delivery)
    except RetryAt as wait:
        return _put_off(delivery, wait.at, delivery.failures)
    except Exception as error:  # noqa: BLE001 - a job may fail in any way, and each is an outcome
        return _failed(delivery, error)
    else:
        return Done()
    finally:
        message_source.reset(source)
        close_old_connections()


def database_answers() -> bool:
    """Whether jobs can be worked at all."""
    close_old_connections()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except _AWAY:
        return False
    return True


def _run(delivery: Delivery) -> None:
    message = message_of(delivery)
    channel = channel_of(delivery.topic)
    said = message.get("channel")
    if channel and isinstance(said, str) and said != channel:
        raise MalformedMessage(f"a job for {said} came by the topic {delivery.topic}")
    HANDLERS[WRITE_EXPORT if delivery.topic == EXPORT else DELIVER](**message)


def _failed(delivery: Delivery, error: Exception) -> Outcome:
    log.warning("a job failed", extra={"topic": delivery.topic, "job": delivery.id}, exc_info=error)
    if isinstance(error, _AWAY):
        return _database_is_away(delivery.failures)
    failures = delivery.failures + 1
    if getattr(error, "permanent", False) or failures > MAX_RUNS:
        return Dead(type(error).__name__, described(str(error), failures))
    return _put_off(delivery, now() + timedelta(seconds=pause(failures - 1)), failures)


def _put_off(delivery: Delivery, at: datetime, failures: int) -> Outcome:
    """Wait here if it is short. Else a copy waits in the database: a lock is not held for minutes,
    and nothing is handed out so often that it counts as poison."""
    if at - now() <= timedelta(seconds=HELD_SECONDS):
        return Wait(at, failures)
    body: Any = clean(message_of(delivery))
    copy = Relayed(delivery.copy_id, body, delivery.source, failures)
    try:
        with transaction.atomic():
            relay(delivery.topic, copy, at=at)
    except _AWAY:
        return _database_is_away(failures)
    return Done()


def _database_is_away(failures: int) -> Wait:
    return Wait(now() + timedelta(seconds=1), failures, database_away=True)


def described(why: str, run: int) -> str:
    """A dead letter's description: the reason, with the number of the run and the moment, which the
    Service Bus keeps nowhere."""
    return f"{clean(why[:LONGEST_DESCRIPTION])} (run {run}, {iso(now())})"


def read_description(text: str) -> tuple[str, int | None, datetime | None]:
    """The reason, the run and the moment of a description; None where others wrote it."""
    found = _STAMP.search(text)
    if not found:
        return text, None, None
    try:
        at = datetime.fromisoformat(found[2]).astimezone(UTC)
    except ValueError:
        return text, None, None
    return text[: found.start()], int(found[1]), at


def again(delivery: Delivery, failures: int) -> Delivery:
    """The same message with its failures so far."""
    return replace(delivery, failures=failures)
