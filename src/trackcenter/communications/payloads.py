"""What each kind of event says: one typed payload a kind, camelCase on the wire.

The payload's class decides the event's type, so an event can never carry another kind's words.
"""

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from trackcenter.communications.lifecycle import EventType, Qualifier
from trackcenter.kit import canonical


class Payload(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The base of all payloads."""

    event_type: ClassVar[EventType]

    @property
    def qualifier(self) -> Qualifier:
        """What the fold must know besides the type."""
        return Qualifier.NONE

    def as_json(self) -> dict[str, Any]:
        """As it is stored, hashed and shown."""
        return dict(canonical.clean(msgspec.to_builtins(self)))


class Trouble(Payload, frozen=True, kw_only=True):
    """What went wrong, in the provider's words (`message`, `raw` whole) and in ours."""

    code: str | None = None
    message: str
    explanation: str | None = None
    next_step: str | None = None
    raw: str | None = None


class Created(Payload, frozen=True, kw_only=True):
    event_type: ClassVar = EventType.CREATED
    snapshot_sha256: str
    file_name: str | None = None


class Enqueued(Payload, frozen=True, kw_only=True):
    event_type: ClassVar = EventType.ENQUEUED
    channel: str


class Sent(Payload, frozen=True, kw_only=True):
    """Handed over to a provider, or (`stage` READY_TO_PRINT) printed matter that lies ready.

    `confirmed` says how an unknown outcome was settled: LOOKED_UP (the provider knew it after
    all) or BY_HAND (a person counts it as sent; `note` says why). `content_sha256` are the hashes
    of what left: the text, the HTML, each file.
    """

    event_type: ClassVar = EventType.SENT
    provider: str
    provider_message_id: str = ""
    recipient: str = ""
    subject: str = ""
    content_sha256: tuple[str, ...] = ()
    stage: str | None = None
    confirmed: str | None = None
    note: str | None = None
    detail: dict[str, Any] = {}

    @property
    def qualifier(self) -> Qualifier:
        if self.stage == "READY_TO_PRINT":
            return Qualifier.READY_TO_PRINT
        return Qualifier.CONFIRMED if self.confirmed else Qualifier.NONE


class _Report(Payload, frozen=True, kw_only=True):
    """What a receipt said, and which receipt it was; `receipt_sha256` is over the mail that it came
    as, else over its body."""

    receipt_id: str | None = None
    receipt_sha256: str | None = None
    recipient: str | None = None
    status_code: str | None = None
    diagnostic: str | None = None
    detail: dict[str, Any] = {}


class Delivered(_Report, frozen=True, kw_only=True):
    event_type: ClassVar = EventType.DELIVERED


class Opened(_Report, frozen=True, kw_only=True):
    event_type: ClassVar = EventType.OPENED


class Notice(_Report, frozen=True, kw_only=True):
    """News that changes nothing: relayed, expanded, delayed, clicked, deleted unread.

    Two are a person's: DELIVERY_RECORD, whose `detail` says what changed in it from what to what,
    and POSTING_PROOF, the scan of the stamped slip of a print run that was marked posted before.
    """

    event_type: ClassVar = EventType.NOTICE
    kind: str


class Failed(_Report, frozen=True, kw_only=True):
    """It did not arrive, or (`outcome` UNKNOWN) nobody can say whether it left."""

    event_type: ClassVar = EventType.FAILED
    error: Trouble
    outcome: str | None = None

    @property
    def qualifier(self) -> Qualifier:
        return Qualifier.UNKNOWN if self.outcome == "UNKNOWN" else Qualifier.NONE


class Deferred(Payload, frozen=True, kw_only=True):
    """Temporary trouble; the worker tries again."""

    event_type: ClassVar = EventType.DEFERRED
    error: Trouble
    retry_at: datetime


class ResendRequested(Payload, frozen=True, kw_only=True):
    event_type: ClassVar = EventType.RESEND_REQUESTED
    channel: str
    note: str | None = None
    old_contact: dict[str, Any] = {}
    new_contact: dict[str, Any] = {}


class ManualMarked(Payload, frozen=True, kw_only=True):
    """`detail` is a delivery record's: its id, and what changed from what to what."""

    event_type: ClassVar = EventType.MANUAL_MARKED
    method: str
    note: str
    proof_sha256: str | None = None
    detail: dict[str, Any] = {}


class Posted(Payload, frozen=True, kw_only=True):
    """`posted_on` is a day of the building's time zone (ISO 8601): nobody says at what hour."""

    event_type: ClassVar = EventType.POSTED
    print_run_id: str
    posted_on: str | None = None
    proof_sha256: str | None = None


class Returned(Payload, frozen=True, kw_only=True):
    event_type: ClassVar = EventType.RETURNED
    note: str
    proof_sha256: str | None = None


class Cancelled(Payload, frozen=True, kw_only=True):
    event_type: ClassVar = EventType.CANCELLED
    reason: str
