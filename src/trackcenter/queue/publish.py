"""The one publisher: a job becomes visible when the transaction that decided it commits."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from django.db import connection
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

from trackcenter.queue.payloads import (
    BulkResendJob,
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
BULK_RESEND = "bulk-resend"
MAKE_PRINT_RUN = "make-print-run"
WRITE_EXPORT = "write-export"
APPLY_RECEIPT = "apply-receipt"

TASKS = (DELIVER, SEND_BATCH, BULK_RESEND, MAKE_PRINT_RUN, WRITE_EXPORT, APPLY_RECEIPT)
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
    # On Django's own connection: inside a worker the shared app has another one, and a job
    # published there could be seen, and taken, before the attempt it is for.
    manager = JobManager(DjangoConnector())
    for place, arguments in by_place.items():
        manager.batch_defer_jobs([_job(place, message) for message in arguments])
    return sum(len(arguments) for arguments in by_place.values())


def receipt_jobs(source: str) -> str:
    """SQL, for one statement with the INSERT it belongs to: the ids of the jobs that apply the
    receipts whose `id` stands in the common table expression `source`.

    What `publish` does in a transaction of three statements, for the webhooks: they answer after
    the commit, so each way to the database and back is felt.
    """
    return f"""
        procrastinate_defer_jobs_v1(ARRAY(
            SELECT ROW('{RECEIPTS}', '{APPLY_RECEIPT}', {_NEWS}, NULL, NULL,
                       jsonb_build_object('receiptId', id), NULL)::procrastinate_job_to_defer_v1
            FROM {source}))
    """


def _job(place: _Place, message: dict[str, Any]) -> Job:
    return Job(
        id=None,
        queue=place.queue,
        priority=place.priority,
        lock=None,
        queueing_lock=None,
        task_name=place.task,
        task_kwargs=message,
    )


def _place(message: Message) -> _Place:
    match message:
        case SendCommunicationJob(channel=channel, resend=resend):
            return _Place(DELIVER, CHANNEL_QUEUES[channel], _PERSON if resend else _BATCH)
        case SendBatchJob():
            return _Place(SEND_BATCH, MAINTENANCE, _PERSON)
        case BulkResendJob():
            return _Place(BULK_RESEND, MAINTENANCE, _PERSON)
        case PrintRunJob():
            return _Place(MAKE_PRINT_RUN, CHANNEL_QUEUES["LETTER"], _PERSON)
        case ExportJob():
            return _Place(WRITE_EXPORT, EXPORT, _PERSON)
        case ReceiptJob():
            return _Place(APPLY_RECEIPT, RECEIPTS, _NEWS)
