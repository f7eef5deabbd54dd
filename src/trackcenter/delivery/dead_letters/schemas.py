"""Wire shapes of dead letters."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from trackcenter.communications.schemas import ChannelName, StatusName, UnitRef, WorkBuilding
from trackcenter.kit.wire import WireSchema


class DeadLetterOut(WireSchema):
    """A message that was given up, and what it is about as far as that is known."""

    id: str
    queue: str
    task: str = Field(description="deliver, write-export, send-batch, make-print-run, …")
    channel: ChannelName | None
    message: dict[str, Any] = Field(description="as its producer sent it")
    reason: str
    runs: int
    failed_at: datetime
    communication_id: UUID | None
    delivery_status: StatusName | None
    recipient_name: str | None
    year: int | None
    unit: UnitRef | None
    building: WorkBuilding | None


class DeadLetterPage(WireSchema):
    items: list[DeadLetterOut]
    next_cursor: str | None


class DiscardIn(WireSchema):
    note: str = Field(min_length=1, max_length=4000, description="why it may be forgotten")


class DeadLetterDecisionOut(WireSchema):
    """The record of what somebody decided about a dead letter."""

    id: UUID
    letter_id: str
    verdict: Literal["REQUEUED", "DISCARDED"]
    at: datetime
    username: str | None
    note: str
