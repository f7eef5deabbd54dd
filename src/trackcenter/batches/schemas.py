"""Wire shapes of batches."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from trackcenter.buildings.schemas import Stats
from trackcenter.communications.schemas import BatchStatus, ChannelName, StatusName
from trackcenter.kit.wire import Moment, WireSchema


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


class ResendChoiceIn(WireSchema):
    """Which messages of the batch are meant: as the unit list filters, or some units of it."""

    channel: ChannelName | None = None
    status: StatusName | None = None
    search: str = Field(default="", max_length=200, description="number, recipient, address")
    unit_ids: list[UUID] | None = Field(default=None, min_length=1, max_length=10_000)
    through: ChannelName | None = Field(
        default=None, description="null: each through its own channel"
    )
    repeats: bool = Field(
        default=False, description="also those that were sent, or may have been: a second copy"
    )


Obstacle = Literal["notYet", "inQueue", "cancelled", "unreachable", "sameUnit"]


class PlannedResend(WireSchema):
    """One message of a dry run, as it would go."""

    communication_id: UUID
    unit_number: str
    recipient_name: str
    channel: ChannelName
    to: str = Field(description="address, on one line; empty where there is none")
    corrected_from: str | None = Field(
        description="the billing file's address, where a later correction took its place"
    )
    repeat: Literal["sent", "unknown", "readyToPrint"] | None = Field(
        description="it would be a second copy: it was sent already, may have been, or lies ready"
    )
    obstacle: Obstacle | None = Field(description="why it cannot be resent now")
    goes: bool


class ResendPlan(WireSchema):
    """What a bulk resend would do now."""

    key: UUID = Field(description="names this dry run when it is confirmed")
    looked_at: datetime
    total: int = Field(description="messages that are meant")
    going: int = Field(description="messages that would be resent: the number to confirm")
    repeats: int = Field(description="messages that would be second copies; in `going` if wanted")
    corrected: int = Field(description="of `going`, those to an address corrected since")
    by_channel: dict[str, int] = Field(description="`going` by channel")
    obstacles: dict[str, int] = Field(description="messages that cannot be resent, by reason")
    examples: list[PlannedResend] = Field(description="the first hundred, by unit number")


class BulkResendIn(ResendChoiceIn):
    key: UUID = Field(description="of the dry run; the same again is the same request")
    looked_at: Moment = Field(
        description="of the dry run; what something has happened to since is left out"
    )
    expected: int = Field(ge=1, description="`going` of the dry run; 409 if it is more by now")
    note: str | None = Field(default=None, max_length=4000)


class SkippedResend(WireSchema):
    communication_id: UUID
    unit_number: str
    recipient_name: str
    reason: Obstacle | Literal["resentMeanwhile", "sentMeanwhile"]


class BulkResendOut(WireSchema):
    """A bulk resend and how far it is."""

    id: UUID
    batch_id: UUID
    created_at: datetime
    finished_at: datetime | None
    total: int
    resent: int
    skipped: int = Field(description="left alone: by then they could not be resent any more")
    skipped_items: list[SkippedResend] = Field(description="the first hundred, by unit number")


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
    ready: int = Field(
        description="letters that lie ready: in no run yet, or in one that failed or was given up"
    )


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
