"""The way to the Service Bus: clients, senders, and what can go wrong there."""

import json
import logging
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings

from trackcenter.queue.publish import TOPICS, Relayed

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSender

log = logging.getLogger(__name__)

SUBSCRIPTION = "worker"
SOURCE = "trackcenter-source"
FAILURES = "trackcenter-failures"
"""Application properties that our own copies carry on."""

_PORT = 5671
_SOCKET_SECONDS = 2.0
_PROBED_EVERY = 15.0


def trouble() -> tuple[type[Exception], ...]:
    """What the SDK raises when the Service Bus is away or says no."""
    from azure.core.exceptions import AzureError

    return (AzureError, OSError)


def client() -> "ServiceBusClient":
    """A client that does not repeat by itself: whoever uses it knows better when to."""
    from azure.servicebus import ServiceBusClient

    return ServiceBusClient.from_connection_string(_connection_string(), retry_total=0)


def _connection_string() -> str:
    given: str | None = settings.SERVICEBUS_CONNECTION_STRING
    if not given:  # the environment is checked at the start
        raise RuntimeError("the Service Bus is used without a connection string")
    return given


class Senders:
    """One open sender a topic and process, used by one thread at a time."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.Lock] = {}
        self._open: dict[str, tuple[ServiceBusClient, ServiceBusSender]] = {}
        self._guard = threading.Lock()

    def send(self, topic: str, messages: Sequence[Relayed]) -> None:
        """Send in this order, in as few transfers as fit; returns once the broker has them all.

        A connection that was lost since it was last used is replaced once. Raises `trouble()`.
        """
        with self._guard:
            lock = self._locks.setdefault(topic, threading.Lock())
        with lock:
            fresh = topic not in self._open
            try:
                self._send(topic, messages)
            except trouble():
                self._drop(topic)
                if fresh:
                    raise
                self._send(topic, messages)

    def close(self) -> None:
        """Close what is open."""
        for topic in list(self._open):
            self._drop(topic)

    def _send(self, topic: str, messages: Sequence[Relayed]) -> None:
        if topic not in self._open:
            made = client()
            self._open[topic] = (made, made.get_topic_sender(topic))
        sender = self._open[topic][1]
        batch = sender.create_message_batch()
        for message in messages:
            encoded = _encoded(message)
            try:
                batch.add_message(encoded)
            except ValueError:  # it is full
                sender.send_messages(batch)
                batch = sender.create_message_batch()
                batch.add_message(encoded)
        sender.send_messages(batch)

    def _drop(self, topic: str) -> None:
        made, sender = self._open.pop(topic, (None, None))
        for one in (sender, made):
            if one is not None:
                _close_quietly(one)


def _close_quietly(one: "ServiceBusClient | ServiceBusSender") -> None:
    try:
        one.close()
    except trouble():
        return  # it was lost, that is why it is closed


senders = Senders()


def _encoded(message: Relayed) -> "ServiceBusMessage":
    from azure.servicebus import ServiceBusMessage

    properties: dict[str | bytes, Any] = {}
    if message.source:
        properties[SOURCE] = message.source
    if message.failures:
        properties[FAILURES] = message.failures
    return ServiceBusMessage(
        json.dumps(message.body, separators=(",", ":"), ensure_ascii=False).encode(),
        message_id=message.id,
        content_type="application/json",
        application_properties=properties or None,
    )


def reachable() -> bool:
    """Whether the broker's port answers; asked at most every quarter of a minute a process."""
    address = _endpoint()
    at, answer = _probed.get(address, (-_PROBED_EVERY, False))
    if time.monotonic() - at >= _PROBED_EVERY:
        try:
            socket.create_connection(address, timeout=_SOCKET_SECONDS).close()
            answer = True
        except OSError:
            answer = False
        _probed[address] = (time.monotonic(), answer)
    return answer


_probed: dict[tuple[str, int], tuple[float, bool]] = {}


def _endpoint() -> tuple[str, int]:
    pairs = (part.partition("=") for part in _connection_string().split(";"))
    parts = urlsplit({name.strip().lower(): value for name, _, value in pairs}["endpoint"])
    return parts.hostname or "", parts.port or _PORT


def examine() -> list[str]:
    """The topics that cannot be used: there is none, or no subscription, or the key may not.

    Opens a sender and a receiver for each and moves no message.
    """
    with ThreadPoolExecutor(len(TOPICS), "topics") as pool:
        usable = pool.map(_usable, TOPICS)
        return [topic for topic, opens in zip(TOPICS, usable, strict=True) if not opens]


def _usable(topic: str) -> bool:
    try:
        with (
            client() as opened,
            opened.get_topic_sender(topic),
            opened.get_subscription_receiver(topic, SUBSCRIPTION),
        ):
            return True
    except trouble() as error:
        log.warning("a topic cannot be used", extra={"topic": topic}, exc_info=error)
        return False
