"""Canonical JSON (RFC 8785), and the cleaning that makes a value survive PostgreSQL's jsonb.

What is hashed must read back byte for byte the same. jsonb keeps neither the spelling of a float
nor U+0000, so both are replaced before anything is stored or hashed.
"""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import rfc8785

from trackcenter.kit.clock import iso

Json = Any
"""A JSON value: None, bool, int, str, list or dict with string keys."""

_SAFE_INTEGER = 2**53 - 1


def clean(value: object) -> Json:
    """The same value as JSON that reads back from jsonb unchanged.

    Floats, decimals and integers beyond 2^53 become strings; moments become ISO 8601 UTC; U+0000
    and lone surrogates become U+FFFD.
    """
    match value:
        case None | bool():
            return value
        case str():
            text = value.replace("\x00", "\ufffd")
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        case int():
            return value if abs(value) <= _SAFE_INTEGER else str(value)
        case float() | Decimal() | uuid.UUID():
            return str(value)
        case datetime():
            return iso(value)
        case date():
            return value.isoformat()
        case Mapping():
            return {clean(str(key)): clean(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [clean(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no place in canonical JSON")


def dumps(value: Json) -> bytes:
    """A cleaned value as RFC 8785 bytes."""
    return rfc8785.dumps(value)
