"""Wire shapes of batches."""

from datetime import date, datetime
from typing import Literal
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


class ProgressStep(WireSchema):
    at: datetime = Field(description="when the step begins")
    sent: int
    delivered: int
    opened: int
    failed: int


class ProgressOverTime(WireSchema):
    step_seconds: int = Field(description="how long a step lasts; chosen by how long it all took")
    items: list[ProgressStep] = Field(description="oldest first; without empty steps")


class SendIn(WireSchema):
    channels: list[ChannelName] | None = Field(default=None, min_length=1, max_length=4)
    unit_ids: list[UUID] | None = Field(default=None, min_length=1, max_length=10_000)


class PrintRunOut(WireSchema):
    """A print run; the links work for an hour and are null until the run is READY."""

    id: UUID
    batch_id: UUID
    building_id: UUID
    year: int
    status: Literal["PENDING", "READY", "FAILED", "POSTED"]
    letter_count: int
    registered_count: int
    page_count: int | None
    reason: str
    created_at: datetime
    posted_on: date | None
    letters_url: str | None
    labels_url: str | None
    slip_url: str | None
    scan_url: str | None = Field(description="the slip as the post office stamped it")
    scan_name: str | None


class PrintRunList(WireSchema):
    items: list[PrintRunOut] = Field(description="newest first")
    ready: int = Field(description="letters that lie ready and are in no run yet")


class PostedIn(WireSchema):
    """As a form it may also carry `scan`."""

    date: date


class DocumentCommunication(WireSchema):
    id: UUID
    channel: ChannelName
    delivery_status: str
    attempt: int
    postal_number: str


class DocumentOut(WireSchema):
    """What a document code or postal number on a page leads to."""

    document_code: str
    building_id: UUID
    unit_id: UUID
    unit_number: str
    recipient_name: str
    year: int
    communications: list[DocumentCommunication]
