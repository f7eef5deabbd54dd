"""Wire shapes of exports."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from trackcenter.communications.schemas import ChannelName, StatusName, UserOut
from trackcenter.kit.wire import WireSchema

FormatName = Literal["csv", "xlsx"]


class ExportFilters(WireSchema):
    """What an export shall hold; without any filter, everything you may see."""

    building_id: UUID | None = None
    year: int | None = Field(default=None, ge=1900, le=9999)
    channel: ChannelName | None = None
    status: StatusName | None = None
    search: str | None = Field(
        default=None, max_length=200, description="in unit number, recipient, e-mail and phone"
    )


class ExportIn(WireSchema):
    filters: ExportFilters = ExportFilters()
    format: FormatName = "csv"


class ExportOut(WireSchema):
    id: UUID
    status: Literal["PENDING", "RUNNING", "READY", "FAILED"]
    format: FormatName
    file_name: str
    progress: int = Field(description="percent")
    row_count: int | None
    size: int | None = Field(description="bytes of the file")
    sha256: str | None
    url: str | None = Field(description="a signed link, while it is READY and not expired")
    expires_at: datetime | None
    reason: str | None = Field(description="why it FAILED")
    filters: ExportFilters
    requested_by: UserOut
    created_at: datetime
    finished_at: datetime | None


class ExportPage(WireSchema):
    items: list[ExportOut]
    next_cursor: str | None
