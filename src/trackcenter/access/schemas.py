"""What the API says about tokens: everything but the token."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from trackcenter.kit.pagination import PageQuery
from trackcenter.kit.wire import WireSchema


class TokenOut(WireSchema):
    """A bearer token."""

    id: UUID
    username: str
    role: Literal["admin", "viewer"]
    buildings: list[str] | None = Field(description="codes; null: not limited to some")
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="to the minute")
    revoked_at: datetime | None


class TokenPage(WireSchema):
    items: list[TokenOut]
    next_cursor: str | None


class TokenQuery(PageQuery):
    username: str = Field(default="", max_length=150, description="only this user's")
