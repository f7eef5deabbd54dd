"""The one publisher: a job becomes visible when the transaction that decided it commits."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from django.db import connection
from procrastinate.contrib.django import app

from trackcenter.queue.payloads import (
    ExportJob,
    Message,
    PrintRunJob,
    ReceiptJob,
    SendBatchJob,
    SendCommunicationJob,
)

RECEIPTS = "receipts"
MAINTENANCE = "maintenance"
EXPORT = "export"

CHANNEL_QUEUES = {
    "EMAIL": "email",
    "SMS": "sms",
    "LETTER": "letter",
    "LETTER_WITH_RECEIPT": "letter-with-receipt",
}
"""Channel → queue; the names are the topics' of the Service Bus as well."""

QUEUES = (*CHANNEL_QUEUES.values(), EXPORT, RECEIPTS, MAINTENANCE)

DELIVER = "deliver"
SEND_BATCH = "send-batch"
MAKE_PRINT_RUN = "make-print-run"
WRITE_EXPORT = "write-export"
APPLY_RECEIPT = "apply-receipt"

TASKS = (DELIVER, SEND_BATCH, MAKE_PRINT_RUN, WRITE_EXPORT, APPLY_RECEIPT)
"""The tasks that carry a message. The rest run on a schedule: a failed run is nobody's business."""


class _Place(NamedTuple):
    task: str
    queue: str
    priority: int


# Higher goes first. What a person waits for, and news that has come, must not stand behind a batch
# of ten thousand messages; within one priority the oldest goes first.
_BATCH, _PERSON, _NEWS = 0, 5, 10


def publish(messages: Iterable[Message]) -> int:
    """Queue messages inside the running transaction, one statement a queue. Says how many.

    Raises `RuntimeError` outside a transaction: a job must never exist without the fact it is for.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("jobs are published inside the transaction that decided them")
    by_place: dict[_Place, list[dict[str, Any]]] = defaultdict(list)
    for message in messages:
        by_place[_place(message)].append(msgspec.to_builtins(message))
    for place, arguments in by_place.items():
        job = app.configure_task(place.task, queue=place.queue, priority=place.priority)
        job.batch_defer(*arguments)
    return sum(len(arguments) for arguments in by_place.values())


def _place(message: Message) -> _Place:
    match message:
        case SendCommunicationJob(channel=channel, resend=resend):
            return _Place(DELIVER, CHANNEL_QUEUES[channel], _PERSON if resend else _BATCH)
        case SendBatchJob():
            return _Place(SEND_BATCH, MAINTENANCE, _PERSON)
        case PrintRunJob():
            return _Place(MAKE_PRINT_RUN, CHANNEL_QUEUES["LETTER"], _PERSON)
        case ExportJob():
            return _Place(WRITE_EXPORT, EXPORT, _PERSON)
        case ReceiptJob():
            return _Place(APPLY_RECEIPT, RECEIPTS, _NEWS)
