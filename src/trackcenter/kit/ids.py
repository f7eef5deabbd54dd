"""Identifiers: UUID version 7 (RFC 9562), so that they sort by the time they were made."""

import uuid
from datetime import datetime

import uuid_utils


def new_id() -> uuid.UUID:
    """A fresh UUIDv7."""
    return uuid.UUID(int=uuid_utils.uuid7().int)


def first_id(moment: datetime) -> uuid.UUID:
    """What sorts before every UUIDv7 that is made at or after a moment (aware)."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)
