"""Wire shapes of buildings and their counts."""

from uuid import UUID

from pydantic import Field

from trackcenter.kit.pagination import PageQuery
from trackcenter.kit.wire import WireSchema


class Stats(WireSchema):
    """Exclusive statuses that sum to `total`; `readyToPrint` is in `sent`, `cancelled` apart."""

    total: int
    pending: int
    enqueued: int
    sent: int
    delivered: int
    opened: int
    failed: int
    manual: int
    ready_to_print: int
    cancelled: int
    outcome_unknown: int = Field(description="part of `failed`: nobody knows whether it left")


class BuildingStats(Stats):
    by_channel: dict[str, Stats]


class BuildingOut(WireSchema):
    id: UUID
    code: str
    name: str
    address: str
    time_zone: str
    unit_count: int
    years: list[int]
    stats: BuildingStats


class BuildingPage(WireSchema):
    items: list[BuildingOut]
    next_cursor: str | None


class BuildingQuery(PageQuery):
    search: str = Field(default="", max_length=200, description="in code, name and address")
    id: UUID | None = Field(default=None, description="only this one")
