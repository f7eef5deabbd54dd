"""Wire shapes of delivery records and manual events."""

from uuid import UUID

from pydantic import Field

from trackcenter.communications.schemas import DeliveryRecordOut, ManualType
from trackcenter.kit.wire import Moment, WireSchema


class ManualEventIn(WireSchema):
    """As a form it may also carry `proofFile`.

    With `dispatchedAt` or `witness` the unit's delivery record of that year and way is kept, too:
    `occurredAt` is the day of delivery in it, but of dispatch for POSTAL_DELIVERY, since a letter
    that was posted has not arrived.
    """

    type: ManualType
    note: str = Field(min_length=1, max_length=4000)
    occurred_at: Moment | None = None
    dispatched_at: Moment | None = None
    witness: str | None = Field(default=None, max_length=200)


class DeliveryRecordIn(WireSchema):
    """As a form it may also carry `files`. What is left out stays as it is.

    A new record takes at least a moment, a witness, a note or a file.
    """

    year: int = Field(ge=1900, le=9999)
    method: str = Field(
        pattern="^[A-Z][A-Z0-9_]{1,39}$",
        description="how, in capitals: POSTAL_DELIVERY, REGISTERED_LETTER, HAND_DELIVERY, EMAIL, "
        "SMS, or a word of your own; one record a unit, year and method",
    )
    dispatched_at: Moment | None = None
    delivered_at: Moment | None = None
    witness: str | None = Field(default=None, max_length=200)
    note: str | None = Field(default=None, max_length=4000)


class RecordAccepted(DeliveryRecordOut):
    """The record as it stands, and the event its change became (none: nothing changed)."""

    communication_id: UUID
    event_id: UUID | None
