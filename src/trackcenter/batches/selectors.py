"""How far a batch is, its print runs, and what a code on a page leads to."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, DateTimeField, F, Func, Max, Min, Q, Value

from trackcenter import storage
from trackcenter.access.visible import VisibleBuildings
from trackcenter.batches.models import PrintRun
from trackcenter.batches.printing import letters_to_print, scan_of, visible_runs
from trackcenter.buildings.models import ChannelRollup
from trackcenter.buildings.stats import COUNTERS, stats, total_of
from trackcenter.channels.documents.code import read_code
from trackcenter.channels.documents.s10 import S10
from trackcenter.communications.lifecycle import EventType, Qualifier
from trackcenter.communications.models import (
    Attempt,
    Batch,
    Communication,
    Event,
)
from trackcenter.communications.selectors import attachment_url, batch_status
from trackcenter.kit.errors import NotFound

_COUNTED: Final = {
    "sent": (EventType.SENT, EventType.POSTED),
    "delivered": (EventType.DELIVERED,),
    "opened": (EventType.OPENED,),
    "failed": (EventType.FAILED, EventType.RETURNED),
}
_MOST_STEPS: Final = 60
_STEPS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 86_400, 7 * 86_400, 28 * 86_400)
)
_ORIGIN: Final = datetime(2001, 1, 1, tzinfo=UTC)  # a Monday


def get_batch(visible: VisibleBuildings, batch_id: UUID) -> dict[str, Any]:
    """A batch and its progress (`BatchOut`): four rows of counts, at any size."""
    batch = Batch.objects.visible_to(visible).select_related("building").filter(id=batch_id).first()
    if batch is None:
        raise NotFound("no such batch")
    rollups = ChannelRollup.objects.visible_to(visible).filter(
        building_id=batch.building_id, year=batch.year
    )
    channels = {
        channel: stats(counts)
        for channel, *counts in rollups.order_by("channel").values_list("channel", *COUNTERS)
    }
    total = total_of(channels.values())
    return {
        "id": batch.id,
        "buildingId": batch.building_id,
        "buildingCode": batch.building.code,
        "year": batch.year,
        "batchStatus": batch_status(
            batch, total, send_under_way=batch.sends.filter(finished_at=None).exists()
        ),
        "sendRequestedAt": batch.send_requested_at,
        "completedAt": batch.completed_at,
        "retentionHint": batch.retention_hint or None,
        "progress": {
            "total": total["total"],
            "enqueued": total["enqueued"],
            "done": total["total"] - total["pending"] - total["enqueued"] - total["failed"],
            "failed": total["failed"],
        },
        "channels": channels,
    }


def get_progress(visible: VisibleBuildings, batch_id: UUID) -> dict[str, Any]:
    """What became of a batch over time (`ProgressOverTime`), by when it was recorded.

    Counts events, at most some sixty steps of them: a message that was sent twice counts twice,
    and a letter counts as sent once it is posted, not when it is made. Steps in which nothing
    happened are left out.
    """
    batch = Batch.objects.visible_to(visible).filter(id=batch_id).first()
    if batch is None:
        raise NotFound("no such batch")
    counted = [kind for kinds in _COUNTED.values() for kind in kinds]
    happened = (
        Event.objects.visible_to(visible)
        .filter(building_id=batch.building_id, year=batch.year, type__in=counted)
        .exclude(qualifier=Qualifier.READY_TO_PRINT)
    )
    span = happened.aggregate(first=Min("recorded_at"), last=Max("recorded_at"))
    if span["first"] is None:
        return {"stepSeconds": int(_STEPS[0].total_seconds()), "items": []}
    length = span["last"] - span["first"]
    step = next((step for step in _STEPS if length / step <= _MOST_STEPS), _STEPS[-1])
    at = Func(
        Value(step),
        F("recorded_at"),
        Value(_ORIGIN),
        function="date_bin",
        output_field=DateTimeField(),
    )
    rows = (
        happened.annotate(at=at)
        .values("at")
        .annotate(
            **{name: Count("id", filter=Q(type__in=kinds)) for name, kinds in _COUNTED.items()}
        )
        .order_by("at")
    )
    return {"stepSeconds": int(step.total_seconds()), "items": list(rows)}


def list_print_runs(visible: VisibleBuildings, batch_id: UUID) -> dict[str, Any]:
    """The print runs of a batch, newest first, and how many letters wait for one."""
    batch = Batch.objects.visible_to(visible).filter(id=batch_id).first()
    if batch is None:
        raise NotFound("no such batch")
    runs = visible_runs(visible).filter(batch=batch).order_by("-id")
    return {"items": [_print_run(run) for run in runs], "ready": letters_to_print(batch)}


def get_print_run(visible: VisibleBuildings, run_id: UUID) -> dict[str, Any]:
    """One print run with links to its files (`PrintRunOut`)."""
    run = visible_runs(visible).filter(id=run_id).first()
    if run is None:
        raise NotFound("no such print run")
    return _print_run(run)


def _print_run(run: PrintRun) -> dict[str, Any]:
    def link(sha256: str, name: str) -> str | None:
        if not sha256:
            return None
        place = f"{run.batch.building.code}-{run.batch.year}"
        return storage.sign(
            sha256,
            file_name=f"{name}-{place}.pdf",
            content_type="application/pdf",
            expires_in=timedelta(hours=1),
        )

    scan = scan_of(run)
    return {
        "id": run.id,
        "batchId": run.batch_id,
        "buildingId": run.batch.building_id,
        "year": run.batch.year,
        "status": run.status,
        "letterCount": run.letter_count,
        "registeredCount": run.items.filter(attempt__channel="LETTER_WITH_RECEIPT").count(),
        "pageCount": run.page_count,
        "reason": run.reason,
        "createdAt": run.created_at,
        "postedOn": run.posted_on,
        "lettersUrl": link(run.letters_sha256, "letters"),
        "labelsUrl": link(run.labels_sha256, "labels"),
        "slipUrl": link(run.slip_sha256, "lodgement-slip"),
        "scanUrl": attachment_url(scan) if scan else None,
        "scanName": scan.file_name if scan else None,
    }


def find_document(visible: VisibleBuildings, code: str) -> dict[str, Any]:
    """The unit, year and communications of a document code or postal number (`DocumentOut`).

    For what lies on the desk: both are read with or without spaces and in small letters.
    """
    attempts = Attempt.objects.filter(communication__in=Communication.objects.visible_to(visible))
    document = read_code(code)
    if document is None:
        try:
            number = S10.parse(code)
        except ValueError:
            raise NotFound("this is neither a document code nor a postal number") from None
        document = (
            attempts.filter(postal_number=str(number))
            .values_list("document_code", flat=True)
            .first()
        )
    found = list(
        attempts.filter(document_code=document or "-")
        .select_related("communication__unit")
        .order_by("communication__channel", "number")
    )
    if not found:
        raise NotFound("no document of yours bears this code")
    one = found[0].communication
    return {
        "documentCode": document,
        "buildingId": one.building_id,
        "unitId": one.unit_id,
        "unitNumber": one.unit.number,
        "recipientName": one.recipient_name,
        "year": one.year,
        "communications": [
            {
                "id": attempt.communication_id,
                "channel": attempt.channel,
                "deliveryStatus": attempt.communication.delivery_status,
                "attempt": attempt.number,
                "postalNumber": attempt.postal_number,
            }
            for attempt in found
        ],
    }
