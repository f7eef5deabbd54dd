"""The one publisher: a job becomes visible when the transaction that decided it commits."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from django.conf import settings
from django.db import connection
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

from trackcenter.kit.ids import new_id
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

TOPICS = (*CHANNEL_QUEUES.values(), EXPORT)
"""The topics of the Service Bus, where it is in use."""

RELAY = "relay"
"""Queue and task that carry messages on to the Service Bus."""

QUEUES = (*TOPICS, RECEIPTS, MAINTENANCE, RELAY)

DELIVER = "deliver"
SEND_BATCH = "send-batch"
BULK_RESEND = "bulk-resend"
MAKE_PRINT_RUN = "make-print-run"
WRITE_EXPORT = "write-export"
APPLY_RECEIPT = "apply-receipt"

TASKS = (DELIVER, SEND_BATCH, BULK_RESEND, MAKE_PRINT_RUN, WRITE_EXPORT, APPLY_RECEIPT, RELAY)
"""The tasks that carry a message. The rest run on a schedule: a failed run is nobody's business."""


class _Place(NamedTuple):
    task: str
    queue: str
    priority: int


# Higher goes first. What a person waits for, and news that has come, must not stand behind a batch
# of ten thousand messages; within one priority the oldest goes first.
_BATCH, _PERSON, _NEWS = 0, 5, 10

_CHUNK = 200
"""Messages a relay job carries: some 40 KB, far below what one batch of the Service Bus takes."""

OURS = "trackcenter"
"""The source of what this publisher sends, as against other producers' messages."""


class Relayed(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message on its way to the Service Bus.

    `id` becomes its MessageId: made with the message, so that a relay that is repeated after a
    crash repeats it, and duplicate detection drops the second. `source` is `OURS`, or topic and id
    under which another producer sent it first; `failures`, the failed runs it has behind it.
    """

    id: str
    body: dict[str, Any]
    source: str = OURS
    failures: int = 0


def service_bus_in_use() -> bool:
    """Whether deliveries and exports go by the Service Bus."""
    return bool(settings.QUEUE == "servicebus")


def publish(messages: Iterable[Message], *, in_bulk: bool = False) -> int:
    """Queue messages inside the running transaction, one statement a queue. Says how many.

    `in_bulk`: they are many of one kind, and no person waits for a single one of them.

    Raises `RuntimeError` outside a transaction: a job must never exist without the fact it is for.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("jobs are published inside the transaction that decided them")
    by_place: dict[_Place, list[dict[str, Any]]] = defaultdict(list)
    for message in messages:
        place = _place(message)._replace(priority=_BATCH) if in_bulk else _place(message)
        by_place[place].append(msgspec.to_builtins(message))
    # On Django's own connection: inside a worker the shared app has another one, and a job
    # published there could be seen, and taken, before the attempt it is for.
    manager = JobManager(DjangoConnector())
    for place, arguments in by_place.items():
        if service_bus_in_use() and place.queue in TOPICS and place.task in (DELIVER, WRITE_EXPORT):
            jobs = list(_relay_jobs(place, arguments))
        else:
            jobs = [_job(place, message) for message in arguments]
        manager.batch_defer_jobs(jobs)
    return sum(len(arguments) for arguments in by_place.values())


def relay(topic: str, message: Relayed, *, at: datetime | None = None) -> None:
    """Send one message to a topic, at once or at `at` (aware): a copy that waits, or goes again.

    Inside the running transaction, like `publish`.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("jobs are published inside the transaction that decided them")
    job = _relay_job(topic, [message], priority=_PERSON, lock=None, at=at)
    JobManager(DjangoConnector()).batch_defer_jobs([job])


def bring_home(topic: str, messages: Sequence[Relayed]) -> None:
    """Queue in the database what was to go to a topic, now that the Service Bus is not in use.

    Inside the running transaction, like `publish`.
    """
    place = _Place(WRITE_EXPORT if topic == EXPORT else DELIVER, topic, _BATCH)
    jobs = [_job(place, message.body) for message in messages]
    JobManager(DjangoConnector()).batch_defer_jobs(jobs)


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


def _relay_jobs(place: _Place, messages: Sequence[dict[str, Any]]) -> Iterator[Job]:
    """Chunks, the oldest first. A lock a topic keeps those of batches in their order; what a person
    waits for overtakes them."""
    lock = relay_lock(place.queue) if place.priority == _BATCH else None
    for start in range(0, len(messages), _CHUNK):
        chunk = [Relayed(str(new_id()), body) for body in messages[start : start + _CHUNK]]
        yield _relay_job(place.queue, chunk, priority=place.priority, lock=lock)


def relay_lock(topic: str) -> str:
    """Held by the one chunk of a topic's batches that is under way."""
    return f"{RELAY} {topic}"


def _relay_job(
    topic: str,
    messages: Sequence[Relayed],
    *,
    priority: int,
    lock: str | None,
    at: datetime | None = None,
) -> Job:
    return Job(
        id=None,
        queue=RELAY,
        priority=priority,
        lock=lock,
        queueing_lock=None,
        task_name=RELAY,
        task_kwargs={
            "topic": topic,
            "messages": msgspec.to_builtins(messages),
            **({"ordered": True} if lock else {}),
        },
        scheduled_at=at,
    )


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
