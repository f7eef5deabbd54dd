"""Wire shapes of imports."""

from uuid import UUID

from pydantic import Field

from trackcenter.kit.wire import WireSchema


class ImportOut(WireSchema):
    """What an import did, or with `dryRun` would do. Counts but `batches` are rows of the file."""

    batches: int = Field(description="batches (a building and a year each) the file has rows for")
    created: int = Field(description="bills that were not there before")
    updated: int = Field(description="bills that differed and had not been sent")
    unchanged: int = Field(description="bills that were there already")
    batch_ids: list[UUID] = Field(description="by building code and year; after a dry run empty")
    dry_run: bool
