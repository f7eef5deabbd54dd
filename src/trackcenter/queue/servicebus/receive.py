"""Receivers: one thread a topic speaks to the broker, a pool of threads does the work.

Only a topic's own thread touches its connection: it receives by peek-lock, renews the locks of what
is in hand, and settles each message after its outcome was committed. A connection that is lost is
made anew; what was in hand is delivered again once its lock has run out, which the claims on
attempts and exports bear.
"""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from trackcenter.kit.clock import now
from trackcenter.queue.servicebus.broker import SUBSCRIPTION, client, trouble
from trackcenter.queue.servicebus.work import (
    Dead,
    Delivery,
    Done,
    Outcome,
    Wait,
    again,
    database_answers,
    received,
    work,
)

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusReceivedMessage, ServiceBusReceiver

log = logging.getLogger(__name__)

_IDLE_SECONDS = 1.0
_BUSY_SECONDS = 0.1
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
_DATABASE_PATIENCE = 60.0
"""How long a message is held while the database is away, before workers elsewhere may try."""


class Receivers:
    """The receivers of a worker process."""

    def __init__(self, topics: Sequence[str], *, concurrency: int, lease: float) -> None:
        self._databases: list[BaseDatabaseWrapper] = []
        self._pool = ThreadPoolExecutor(concurrency, "service-bus", self._remember_database)
        self._stop = threading.Event()
        self._receivers = [
            _Receiver(topic, self._pool, self._stop, capacity=2 * concurrency, lease=lease)
            for topic in topics
        ]

    def start(self) -> None:
        """Begin to receive."""
        for receiver in self._receivers:
            receiver.start()

    def stop(self) -> None:
        """Receive nothing more. What is in hand is finished, within the lease."""
        self._stop.set()

    def join(self) -> None:
        """Wait until all of it is settled or given back."""
        for receiver in self._receivers:
            receiver.join()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for database in self._databases:
            database.close()

    def _remember_database(self) -> None:
        """A thread's connection would outlive it."""
        database = connections[DEFAULT_DB_ALIAS]
        database.inc_thread_sharing()
        self._databases.append(database)


@dataclass(eq=False)
class _Held:
    """A message in hand. `since` and `renew_at` are monotonic seconds."""

    message: "ServiceBusReceivedMessage"
    delivery: Delivery
    since: float
    renew_at: float
    result: "Future[Outcome] | None" = None
    waits: Wait | None = None


class _Receiver(threading.Thread):
    def __init__(
        self,
        topic: str,
        pool: ThreadPoolExecutor,
        stop: threading.Event,
        *,
        capacity: int,
        lease: float,
    ) -> None:
        super().__init__(name=f"receive {topic}", daemon=True)
        self._topic = topic
        self._pool = pool
        self._stop_asked = stop
        self._capacity = capacity
        self._lease = lease
        self._held: list[_Held] = []
        self._finished = threading.Event()
        self._database_away = False
        self._probe: Future[bool] | None = None

    def run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop_asked.is_set():
            began = time.monotonic()
            try:
                with (
                    client() as bus,
                    bus.get_subscription_receiver(self._topic, SUBSCRIPTION) as receiver,
                ):
                    self._serve(receiver)
            except trouble() as error:
                log.warning(
                    "the Service Bus is out of reach, trying again",
                    extra={"topic": self._topic},
                    exc_info=error,
                )
            except Exception:
                # The SDK has more ways to fail than it names; a topic must not be left alone.
                log.exception("a receiver failed, trying again", extra={"topic": self._topic})
            # Their locks belong to the connection that was lost.
            self._held.clear()
            worked = time.monotonic() - began > _LONGEST_PAUSE
            pause = _FIRST_PAUSE if worked else min(_LONGEST_PAUSE, 2 * pause)
            self._stop_asked.wait(pause)

    def _serve(self, receiver: "ServiceBusReceiver") -> None:
        while not self._stop_asked.is_set():
            self._look_after(receiver)
            self._receive(receiver)
        ends = time.monotonic() + self._lease
        while self._held and time.monotonic() < ends:
            self._look_after(receiver, stopping=True)
            self._rest()
        for held in list(self._held):
            self._settle(receiver, held, Wait(now(), held.delivery.failures))

    def _rest(self) -> None:
        """Until a job has ended, or a moment has passed."""
        self._finished.wait(_BUSY_SECONDS)
        self._finished.clear()

    def _receive(self, receiver: "ServiceBusReceiver") -> None:
        room = self._capacity - len(self._held)
        if room < max(1, self._capacity // 4) or not self._database_is_there():
            self._rest()
            return
        patience = _BUSY_SECONDS if self._held else _IDLE_SECONDS
        for message in receiver.receive_messages(room, max_wait_time=patience):
            held = _Held(message, received(self._topic, message), time.monotonic(), 0.0)
            held.renew_at = _half_of(message)
            self._held.append(held)
            self._begin(held)

    def _database_is_there(self) -> bool:
        """Without it nothing can be worked, and what is handed out in vain too often is dead."""
        if self._database_away and self._probe is None:
            self._probe = self._pool.submit(database_answers)
        elif self._probe is not None and self._probe.done():
            self._database_away = not self._probe.result()
            self._probe = None
        return not self._database_away

    def _begin(self, held: _Held) -> None:
        held.waits = None
        held.result = self._pool.submit(work, held.delivery)
        held.result.add_done_callback(lambda _: self._finished.set())

    def _look_after(self, receiver: "ServiceBusReceiver", *, stopping: bool = False) -> None:
        """Settle what is finished, begin again what has waited, renew the locks of the rest."""
        for held in list(self._held):
            if held.result is not None and held.result.done():
                self._finish(receiver, held, held.result.result())
            if held.waits is not None:
                if stopping or self._out_of_patience(held):
                    self._settle(receiver, held, held.waits)
                elif held.waits.at <= now():
                    self._begin(held)
            if held in self._held and time.monotonic() >= held.renew_at:
                self._renew(receiver, held)

    def _finish(self, receiver: "ServiceBusReceiver", held: _Held, outcome: Outcome) -> None:
        held.result = None
        if isinstance(outcome, Wait):
            held.waits = outcome
            held.delivery = again(held.delivery, outcome.failures)
            self._database_away = self._database_away or outcome.database_away
        else:
            self._settle(receiver, held, outcome)

    def _out_of_patience(self, held: _Held) -> bool:
        away = held.waits is not None and held.waits.database_away
        return away and time.monotonic() - held.since > _DATABASE_PATIENCE

    def _settle(self, receiver: "ServiceBusReceiver", held: _Held, outcome: Outcome) -> None:
        from azure.servicebus.exceptions import MessageLockLostError

        self._held.remove(held)
        held.waits = None
        try:
            match outcome:
                case Done():
                    receiver.complete_message(held.message)
                case Dead(reason, description):
                    receiver.dead_letter_message(
                        held.message, reason=reason, error_description=description
                    )
                case Wait():
                    receiver.abandon_message(held.message)
        except MessageLockLostError:
            # It comes again, and then there is nothing left to do.
            self._lost(held)

    def _renew(self, receiver: "ServiceBusReceiver", held: _Held) -> None:
        from azure.servicebus.exceptions import MessageLockLostError

        try:
            receiver.renew_message_lock(held.message)
        except MessageLockLostError:
            self._held.remove(held)
            self._lost(held)
        else:
            held.renew_at = _half_of(held.message)

    def _lost(self, held: _Held) -> None:
        log.warning("a lock was lost", extra={"topic": self._topic, "job": held.delivery.id})


def _half_of(message: "ServiceBusReceivedMessage") -> float:
    """The monotonic moment when half of a message's lock has passed."""
    until = message.locked_until_utc
    seconds = (until - now()).total_seconds() if until else 0.0
    return time.monotonic() + max(0.2, seconds / 2)
