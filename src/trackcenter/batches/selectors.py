"""How far a batch is."""

from typing import Any
from uuid import UUID

from trackcenter.access.visible import VisibleBuildings
from trackcenter.buildings.models import ChannelRollup
from trackcenter.buildings.stats import COUNTERS, stats, total_of
from trackcenter.communications.models import Batch
from trackcenter.communications.selectors import batch_status
from trackcenter.kit.errors import NotFound


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
