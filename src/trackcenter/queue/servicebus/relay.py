"""Carries messages from the database to their topic, in their order, at least once."""

import json
import logging
import random
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import connection, transaction

from trackcenter.kit.clock import now
from trackcenter.queue.publish import (
    RELAY,
    Relayed,
    bring_home,
    relay_lock,
    service_bus_in_use,
)
from trackcenter.queue.retry import RetryAt
from trackcenter.queue.servicebus.broker import senders, trouble
from trackcenter.queue.tasks import task

log = logging.getLogger(__name__)


@task(RELAY)
def relay_job(topic: str, messages: Sequence[dict[str, Any]], *, ordered: bool = False) -> None:
    """Send a chunk; an `ordered` one is followed by those behind it in the same order.

    A relay that dies after the broker took it sends the same ids once more. A Service Bus that is
    away is waited for, however long: the messages are safe here. Where it is no longer in use, they
    stay in the database.
    """
    chunk = msgspec.convert(messages, list[Relayed])
    if not service_bus_in_use():
        with transaction.atomic():
            bring_home(topic, chunk)
        return
    try:
        senders.send(topic, chunk)
    except trouble() as error:
        log.warning("the Service Bus takes nothing", extra={"topic": topic}, exc_info=error)
        later = now() + timedelta(seconds=random.uniform(2, 6))  # noqa: S311 - spreads the askers
        raise RetryAt(later, "the Service Bus takes nothing") from error
    if ordered:
        _go_on(topic)


_NEXT = """
    SELECT id, args::text FROM procrastinate_jobs
    WHERE lock = %s AND status = 'todo' AND task_name = %s ORDER BY id LIMIT 1
"""


def _go_on(topic: str) -> None:
    """Carry the chunks that wait for the lock this one holds, for half a lease: a worker would look
    for each of them some seconds later only.

    What it does not come to, and what the broker does not take any more, stays queued as it was.
    """
    ends = time.monotonic() + settings.LEASE_SECONDS / 2
    while time.monotonic() < ends:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, [relay_lock(topic), RELAY])
            row = cursor.fetchone()
        if row is None:
            return
        try:
            senders.send(topic, msgspec.convert(json.loads(row[1])["messages"], list[Relayed]))
        except trouble():
            return
        with connection.cursor() as cursor:
            # Whoever took it meanwhile, this worker having been taken for dead, ends it himself.
            cursor.execute(
                "DELETE FROM procrastinate_jobs WHERE id = %s AND status = 'todo'", [row[0]]
            )
