"""Keyset pages: a cursor holds the last row's sort key, so page 1,000 costs what page 1 does."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from trackcenter.kit.canonical import clean
from trackcenter.kit.errors import InputError
from trackcenter.kit.wire import WireSchema


class PageQuery(WireSchema):
    """The query parameters of every list."""

    cursor: str | None = Field(default=None, max_length=1000)
    limit: int = Field(default=50, ge=1, le=200)


def _moment(word: str) -> datetime:
    moment = datetime.fromisoformat(word)
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC)


_READERS: dict[type, Callable[[str], Any]] = {
    str: str,
    int: int,
    UUID: UUID,
    datetime: _moment,
}


def encode_cursor(*key: str | int | UUID | datetime) -> str:
    """The sort key of the last row shown, as an opaque URL-safe word."""
    words = [part.isoformat() if isinstance(part, datetime) else str(part) for part in key]
    text = json.dumps(words, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type) -> list[Any]:
    """The sort key inside a cursor; `InputError` at `query cursor` when it is not one of ours."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        words = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not all(isinstance(word, str) and clean(word) == word for word in words):
            raise ValueError("not words")
        key = [_READERS[kind](word) for kind, word in zip(kinds, words, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise InputError.at("query", "cursor", msg="this cursor is not from this list") from None
    return key
