"""Wire shapes of retention."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from trackcenter.kit.pagination import PageQuery
from trackcenter.kit.wire import WireSchema

DecisionName = Literal["KEEP", "ARCHIVE", "PURGE"]


class RetentionBuilding(WireSchema):
    id: UUID
    code: str
    name: str


class RetentionUnit(WireSchema):
    id: UUID
    number: str
    reason: str = Field(description="of the legal hold")


class RetentionItem(WireSchema):
    """What is to become of one kind of content; with `unit`, of that held unit alone."""

    batch_id: UUID
    building: RetentionBuilding
    year: int
    content: Literal["BODIES", "ATTACHMENTS"]
    unit: RetentionUnit | None
    decision: DecisionName
    due_at: datetime | None = Field(description="from when it is, or would be, archived or purged")
    why: str
    communications: int = Field(description="of the batch, held units among them")


class RetentionCounts(WireSchema):
    keep: int
    archive: int
    purge: int


class RetentionReport(WireSchema):
    """Nothing is deleted: this is what would be, soonest first."""

    items: list[RetentionItem]
    next_cursor: str | None
    on: date
    counts: RetentionCounts = Field(description="of all pages, whatever `decision` asks for")
    last_run_at: datetime | None = Field(description="when the nightly run last decided anything")


class RetentionQuery(PageQuery):
    on: date | None = Field(default=None, description="as if it were that day; default: today")
    decision: DecisionName | None = None


class LegalHoldIn(WireSchema):
    reason: str = Field(min_length=1, max_length=1000)
