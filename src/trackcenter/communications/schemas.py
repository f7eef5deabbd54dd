"""Wire shapes of communications, their events and the lists made of them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from trackcenter.buildings.schemas import Stats
from trackcenter.kit.pagination import PageQuery
from trackcenter.kit.wire import WireSchema

ChannelName = Literal["EMAIL", "SMS", "LETTER", "LETTER_WITH_RECEIPT"]
StatusName = Literal[
    "PENDING", "ENQUEUED", "SENT", "DELIVERED", "OPENED", "FAILED", "MANUAL", "CANCELLED"
]
EventName = Literal[
    "CREATED",
    "ENQUEUED",
    "SENT",
    "DELIVERED",
    "OPENED",
    "FAILED",
    "DEFERRED",
    "NOTICE",
    "RESEND_REQUESTED",
    "MANUAL_MARKED",
    "POSTED",
    "RETURNED",
    "CANCELLED",
]
SourceName = Literal["SYSTEM", "WORKER", "WEBHOOK", "POLL", "USER"]
BatchStatus = Literal["IMPORTED", "SENDING", "PARTLY_SENT", "COMPLETED"]
UnitSort = Literal["unitNumber", "-unitNumber", "recipientName", "-recipientName"]
ManualType = Literal["POSTAL_DELIVERY", "HAND_DELIVERY", "RECEIPT_CONFIRMED", "OTHER", "RETURNED"]


class ErrorOut(WireSchema):
    """Why it failed: the provider's words, and where there are some, ours."""

    code: str | None = None
    message: str
    explanation: str | None = None
    next_step: str | None = None


class YearOut(WireSchema):
    year: int
    batch_id: UUID
    batch_status: BatchStatus
    send_requested_at: datetime | None
    completed_at: datetime | None
    channels: dict[str, Stats]


class YearsOut(WireSchema):
    items: list[YearOut]
    default_year: int = Field(description="most recent completed batch, else last year")


class CommunicationBrief(WireSchema):
    id: UUID
    channel: ChannelName
    delivery_status: StatusName
    ready_to_print: bool
    outcome_unknown: bool
    contradictory: bool = Field(default=False, description="two sources disagree about delivery")
    last_event_type: EventName
    last_event_at: datetime
    error: ErrorOut | None


class LastEvent(WireSchema):
    type: EventName
    at: datetime
    communication_id: UUID


class UnitRow(WireSchema):
    unit_id: UUID
    unit_number: str
    recipient_name: str
    communications: list[CommunicationBrief]
    counts: dict[str, int] = Field(description="communications per status")
    last_event: LastEvent | None
    manual_letter: bool = Field(description="a person vouched for one of them")


class UnitPage(WireSchema):
    items: list[UnitRow]
    next_cursor: str | None
    total: int


class UnitQuery(PageQuery):
    channel: ChannelName | None = None
    status: StatusName | None = None
    search: str = Field(default="", max_length=200, description="number, recipient, address")
    sort: UnitSort = "unitNumber"


class ActivityQuery(PageQuery):
    type: list[EventName] = Field(default=[], description="only events of these kinds")


class UserOut(WireSchema):
    id: UUID
    username: str


class EventOut(WireSchema):
    id: UUID
    sequence: int
    attempt: int
    type: EventName
    source: SourceName
    occurred_at: datetime
    recorded_at: datetime
    user: UserOut | None
    payload: dict[str, Any]
    hash: str


class ActivityUnit(WireSchema):
    id: UUID
    number: str
    recipient_name: str


class ActivityCommunication(WireSchema):
    id: UUID
    channel: ChannelName
    delivery_status: StatusName


class ActivityItem(EventOut):
    unit: ActivityUnit
    communication: ActivityCommunication


class ActivityPage(WireSchema):
    items: list[ActivityItem]
    next_cursor: str | None


class BuildingRef(WireSchema):
    id: UUID
    code: str
    name: str
    time_zone: str


class UnitRef(WireSchema):
    id: UUID
    number: str


class RecipientOut(WireSchema):
    """As the billing file has it; an attempt may have gone elsewhere (see its `recipient`)."""

    name: str
    email: str | None
    phone: str | None
    street: str | None
    street2: str | None
    postcode: str | None
    city: str | None
    country: str | None
    language: str | None


class AttachmentOut(WireSchema):
    id: UUID
    kind: Literal["STATEMENT", "LETTER", "LABEL", "LODGEMENT_SLIP", "PROOF"]
    file_name: str
    content_type: str
    size: int
    sha256: str
    url: str
    thumbnail_url: str | None = Field(default=None, description="a JPEG of the first page")
    created_at: datetime


class FieldChange(WireSchema):
    old: str | None
    new: str | None


class RecordChangeOut(WireSchema):
    """One change of a delivery record: by whom, and each field's old and new value."""

    event_id: UUID
    at: datetime
    user: UserOut | None
    changes: dict[str, FieldChange] = Field(
        description="by field: dispatchedAt, deliveredAt, witness, note"
    )
    proofs: int = Field(description="files added")


class DeliveryRecordOut(WireSchema):
    """A person's record of how a unit's bill of one year was handed over."""

    id: UUID
    year: int
    method: str
    dispatched_at: datetime | None
    delivered_at: datetime | None
    witness: str
    note: str
    files: list[AttachmentOut]
    recorded_by: UserOut
    history: list[RecordChangeOut] = Field(description="oldest first; the first made the record")
    created_at: datetime
    updated_at: datetime


class AttemptOut(WireSchema):
    id: UUID
    number: int
    channel: ChannelName
    recipient: str
    provider: str
    provider_message_id: str
    outcome: Literal["OPEN", "ACCEPTED", "FAILED", "UNKNOWN"]
    tries: int
    next_try_at: datetime | None
    created_at: datetime
    send_started_at: datetime | None
    handed_over_at: datetime | None
    sms_segments: int | None
    error: dict[str, Any] | None
    requested_by: UserOut | None


class AuditNoteOut(WireSchema):
    id: UUID
    note: str
    user: UserOut
    created_at: datetime
    event_id: UUID | None


class CommunicationOut(WireSchema):
    id: UUID
    building: BuildingRef
    unit: UnitRef
    year: int
    batch_id: UUID
    channel: ChannelName
    delivery_status: StatusName
    ready_to_print: bool
    outcome_unknown: bool
    contradictory: bool = Field(default=False, description="two sources disagree about delivery")
    in_unposted_run: bool = Field(
        default=False,
        description="a letter of it is in the files of a print run that is not posted yet",
    )
    recipient: RecipientOut
    subject: str
    body_text: str | None = Field(description="None until it was rendered for the first time")
    body_html_url: str | None
    attachments: list[AttachmentOut]
    attempts: list[AttemptOut]
    events: list[EventOut]
    audit_notes: list[AuditNoteOut]
    delivery_records: list[DeliveryRecordOut] = Field(description="of the unit and year")
    queued_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    failed_at: datetime | None
    provider_message_id: str
    error: ErrorOut | None


class UnitCommunication(CommunicationBrief):
    year: int
    recipient_name: str


class LegalHoldOut(WireSchema):
    """Why a unit's files must be kept, whatever their retention says."""

    id: UUID
    reason: str
    placed_by: UserOut
    placed_at: datetime


class UnitOut(WireSchema):
    """A unit and all its communications, newest year first."""

    id: UUID
    number: str
    building: BuildingRef
    legal_hold: LegalHoldOut | None = Field(description="while one stands, nothing is purged")
    delivery_records: list[DeliveryRecordOut]
    communications: list[UnitCommunication]


class AddressIn(WireSchema):
    street: str = Field(min_length=1, max_length=200)
    street2: str | None = Field(default=None, max_length=200)
    postcode: str = Field(min_length=1, max_length=20)
    city: str = Field(min_length=1, max_length=100)
    country: str = Field(pattern="^[A-Z]{2}$")


class ContactIn(WireSchema):
    email: str | None = Field(default=None, max_length=320)
    phone: str | None = Field(default=None, max_length=40)
    address: AddressIn | None = None


class ResendIn(WireSchema):
    channel: ChannelName | None = None
    note: str | None = Field(default=None, max_length=4000)
    contact: ContactIn | None = None
    after_attempt: int | None = Field(
        default=None,
        ge=1,
        description="the newest attempt the caller knows of; 409 when another has begun since, "
        "so that a repeated request sends nothing twice",
    )


class EventAccepted(WireSchema):
    """The event that was written, and where the communication stands now."""

    event_id: UUID
    communication_id: UUID
    sequence: int
    attempt: int
    delivery_status: StatusName


class WorkBuilding(WireSchema):
    id: UUID
    code: str
    name: str


class WorkAttempt(WireSchema):
    number: int
    channel: ChannelName
    recipient: str
    provider: str
    send_started_at: datetime | None


class WorkItem(WireSchema):
    """A communication that waits for a person's decision, with its newest attempt."""

    communication_id: UUID
    channel: ChannelName
    year: int
    delivery_status: StatusName
    outcome_unknown: bool
    contradictory: bool
    recipient_name: str
    error: ErrorOut | None
    last_event_at: datetime | None
    building: WorkBuilding
    unit: UnitRef
    attempt: WorkAttempt | None


class WorkPage(WireSchema):
    items: list[WorkItem]
    next_cursor: str | None


class ResolveIn(WireSchema):
    action: Literal["LOOK_AGAIN", "COUNT_AS_SENT", "SEND_AGAIN"]
    note: str | None = Field(
        default=None, max_length=4000, description="required for COUNT_AS_SENT: how do you know?"
    )


class NoteIn(WireSchema):
    note: str = Field(min_length=1, max_length=4000)
