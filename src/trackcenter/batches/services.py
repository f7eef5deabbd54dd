"""Sending a batch: asked for once, fulfilled in chunks, each in one transaction."""

from collections.abc import Callable, Collection
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from trackcenter.access.visible import VisibleBuildings
from trackcenter.batches.models import BatchSend
from trackcenter.buildings.models import Channel
from trackcenter.communications.models import Batch, Communication
from trackcenter.communications.services import complete_if_done, enqueue
from trackcenter.kit.clock import now
from trackcenter.kit.errors import InputError, NotFound
from trackcenter.queue.payloads import SendBatchJob
from trackcenter.queue.publish import publish

CHUNK = 500


@transaction.atomic
def request_send(
    visible: VisibleBuildings,
    batch_id: UUID,
    *,
    channels: Collection[str] | None = None,
    unit_ids: Collection[UUID] | None = None,
    user_id: UUID | None = None,
) -> BatchSend:
    """Ask for the PENDING communications of a batch to be sent.

    Stored together with its job, so that a crash afterwards loses nothing; asking twice sends
    nothing twice, since only what is PENDING is taken. `channels=None` means all of them,
    `unit_ids=None` every unit. Raises `NotFound`, or `InputError` for a channel nobody knows or for
    units of another batch.
    """
    batches = Batch.objects.visible_to(visible).select_for_update(no_key=True)
    batch = batches.filter(id=batch_id).first()
    if batch is None:
        raise NotFound("no such batch")
    wanted = set(channels) if channels is not None else set(Channel.values)
    unknown = wanted - set(Channel.values)
    if unknown:
        raise InputError.at("body", "channels", msg=f"there is no channel {min(unknown)}")
    if unit_ids is not None:
        known = set(batch.unit_bills.filter(unit_id__in=unit_ids).values_list("unit_id", flat=True))
        strangers = set(unit_ids) - known
        if strangers:
            raise InputError.at("body", "unitIds", msg=f"{min(strangers)} is not in this batch")
    if batch.send_requested_at is None:
        batch.send_requested_at = now()
        batch.save(update_fields=["send_requested_at"])
    send = BatchSend.objects.create(
        batch=batch,
        channels=sorted(wanted),
        unit_ids=list(unit_ids) if unit_ids is not None else None,
        requested_by_id=user_id,
    )
    publish([SendBatchJob(send.id)])
    return send


def fulfil(send_id: UUID, progress: Callable[[int], None] | None = None) -> int:
    """Enqueue everything a send asked for, chunk by chunk; says how many.

    May die between any two chunks and be run again, or run twice at once: a chunk takes only what
    is PENDING and not being taken by somebody else. What others hold locked (an import, another
    worker) is left, and the send stays open: see `is_open`.
    """
    send = BatchSend.objects.filter(id=send_id).first()
    if send is None:
        raise NotFound("no such send")
    enqueued = 0
    while chunk := _enqueue_chunk(send):
        enqueued += chunk
        if progress:
            progress(chunk)
    if not _waiting(send).exists():
        BatchSend.objects.filter(id=send_id, finished_at=None).update(finished_at=now())
        complete_if_done(send.batch_id)
    return enqueued


def is_open(send_id: UUID) -> bool:
    """Whether something this send asks for may still be PENDING, so that it must go on."""
    return BatchSend.objects.filter(id=send_id, finished_at=None).exists()


@transaction.atomic
def _enqueue_chunk(send: BatchSend) -> int:
    chunk = _waiting(send).select_for_update(skip_locked=True).order_by("id")[:CHUNK]
    return enqueue(list(chunk), user_id=send.requested_by_id)


def _waiting(send: BatchSend) -> QuerySet[Communication]:
    waiting = Communication.objects.filter(
        batch_id=send.batch_id, channel__in=send.channels, delivery_status="PENDING"
    )
    return waiting if send.unit_ids is None else waiting.filter(unit_id__in=send.unit_ids)
