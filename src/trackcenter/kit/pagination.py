"""Keyset pages: a cursor holds the sort key of the last row, so page one thousand costs as page one."""

import base64
import binascii
import json
from typing import Any

from trackcenter.kit.errors import InputError

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


def encode_cursor(key: list[Any]) -> str:
    """The sort key of the last row shown, as an opaque URL-safe word."""
    text = json.dumps(key, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *, length: int) -> list[Any]:
    """The sort key inside a cursor; `InputError` at `query cursor` when it is not one of ours."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        key = None
    fits = isinstance(key, list) and len(key) == length
    if not fits or not all(isinstance(part, str | int) and "\x00" not in str(part) for part in key):
        raise InputError.at("query", "cursor", msg="this cursor does not come from this list")
    return list(key)
