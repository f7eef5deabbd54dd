"""Wire shapes of batches."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from trackcenter.buildings.schemas import Stats
from trackcenter.communications.schemas import BatchStatus, ChannelName
from trackcenter.kit.wire import WireSchema


class Progress(WireSchema):
    total: int = Field(description="all but the cancelled")
    enqueued: int = Field(description="waiting in the queue or being handed over")
    done: int = Field(description="handed over, delivered, opened or vouched for")
    failed: int


class BatchOut(WireSchema):
    id: UUID
    building_id: UUID
    building_code: str
    year: int
    batch_status: BatchStatus
    send_requested_at: datetime | None
    completed_at: datetime | None
    retention_hint: str | None
    progress: Progress
    channels: dict[str, Stats]


class SendIn(WireSchema):
    channels: list[ChannelName] | None = Field(default=None, min_length=1, max_length=4)
    unit_ids: list[UUID] | None = Field(default=None, min_length=1, max_length=10_000)
