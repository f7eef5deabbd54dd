"""Messages that wait to be sent, and a worker's turn at one of them."""

from datetime import datetime

from django.db import transaction

from tests.communications.factories import a_bill
from trackcenter.communications.models import Communication
from trackcenter.communications.services import enqueue
from trackcenter.delivery.services import deliver
from trackcenter.queue.payloads import SendCommunicationJob
from trackcenter.queue.retry import RetryAt


def waiting(channel: str = "EMAIL", *, unit: str = "1", **bill: object) -> Communication:
    """A bill that was enqueued."""
    with transaction.atomic():
        (one,) = a_bill(channel, unit=unit, **bill)  # type: ignore[arg-type]
        enqueue([one], user_id=None)
    return one


def work(one: Communication, channel: str | None = None) -> datetime | None:
    """One run of its job; when it is to run again, or None when it ended."""
    try:
        deliver(SendCommunicationJob(one.id, channel or one.channel))  # type: ignore[arg-type]
    except RetryAt as again:
        return again.at
    return None
