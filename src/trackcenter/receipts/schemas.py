"""Wire shapes of what receipts leave to a person."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from trackcenter.communications.schemas import ChannelName, StatusName, UnitRef, WorkBuilding
from trackcenter.kit.wire import WireSchema


class SuggestionOut(WireSchema):
    """A mail that may be a bounce of this message: `reason` holds its words."""

    id: UUID
    reason: str
    received_at: datetime
    communication_id: UUID
    channel: ChannelName
    year: int
    delivery_status: StatusName
    recipient_name: str
    attempt: int
    recipient: str
    building: WorkBuilding
    unit: UnitRef


class SuggestionPage(WireSchema):
    items: list[SuggestionOut]
    next_cursor: str | None


class VerdictIn(WireSchema):
    verdict: Literal["BOUNCED", "DISMISSED"]
    note: str | None = Field(default=None, max_length=4000)


class SettledOut(WireSchema):
    settled: int


class ReceiptOut(WireSchema):
    """A report about a message nobody here knows."""

    id: UUID
    origin: str
    received_at: datetime
    reason: str
    correlation: list[str] = Field(description="the ids it quotes")


class ReceiptPage(WireSchema):
    items: list[ReceiptOut]
    next_cursor: str | None
