"""The one publisher: a job becomes visible when the transaction that decided it commits."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

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

TASKS = (DELIVER, SEND_BATCH, WRITE_EXPORT, APPLY_RECEIPT)
"""The tasks that carry a message. The rest run on a schedule: a failed run is nobody's business."""


def publish(messages: Iterable[Message]) -> int:
    """Queue messages inside the running transaction, one statement a queue. Says how many.

    Raises `RuntimeError` outside a transaction: a job must never exist without the fact it is for.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("jobs are published inside the transaction that decided them")
    by_place: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for message in messages:
        by_place[_place(message)].append(msgspec.to_builtins(message))
    for (task, queue), arguments in by_place.items():
        app.configure_task(task, queue=queue).batch_defer(*arguments)
    return sum(len(arguments) for arguments in by_place.values())


def _place(message: Message) -> tuple[str, str]:
    match message:
        case SendCommunicationJob(channel=channel):
            return DELIVER, CHANNEL_QUEUES[channel]
        case SendBatchJob():
            return SEND_BATCH, MAINTENANCE
        case PrintRunJob():
            return MAKE_PRINT_RUN, CHANNEL_QUEUES["LETTER"]
        case ExportJob():
            return WRITE_EXPORT, EXPORT
        case ReceiptJob():
            return APPLY_RECEIPT, RECEIPTS
