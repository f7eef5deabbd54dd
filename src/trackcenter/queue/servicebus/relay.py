"""Carries messages from the database to their topic, in their order, at least once."""

import logging
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from django.db import transaction

from trackcenter.kit.clock import now
from trackcenter.queue.publish import RELAY, Relayed, bring_home, service_bus_in_use
from trackcenter.queue.retry import RetryAt
from trackcenter.queue.servicebus.broker import senders, trouble
from trackcenter.queue.tasks import task

log = logging.getLogger(__name__)


@task(RELAY)
def relay_job(topic: str, messages: Sequence[dict[str, Any]]) -> None:
    """Send a chunk. A relay that dies after the broker took it sends the same ids once more.

    A Service Bus that is away is waited for, however long: the messages are safe here. Where it is
    no longer in use, they stay in the database.
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
