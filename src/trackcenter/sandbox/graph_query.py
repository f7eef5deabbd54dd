"""The OData of the mail routes: `$filter`, `$expand`, `$orderby` and paging, the parts in use.

What is not understood is refused with 400, never ignored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from trackcenter.sandbox.graph_model import check_select, property_key
from trackcenter.sandbox.wire import WireError, read_iso

_MAX_PAGE = 1000
_QUOTED = r"'((?:[^']|'')*)'"
_ANY = re.compile(
    r"singleValueExtendedProperties/any\(\s*(\w+)\s*:\s*\1/id\s+eq\s+"
    + _QUOTED
    + r"\s+and\s+\1/value\s+eq\s+"
    + _QUOTED
    + r"\s*\)",
    re.IGNORECASE,
)
_MESSAGE_ID = re.compile(r"internetMessageId\s+eq\s+" + _QUOTED)
_DRAFT = re.compile(r"isDraft\s+eq\s+(true|false)")
_RECEIVED = re.compile(
    r"(receivedDateTime|sentDateTime|createdDateTime)\s+(ge|gt|le|lt)\s+([0-9TZ:.+-]+)"
)
_OPERATORS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_EXPAND = re.compile(
    r"singleValueExtendedProperties\(\s*\$filter\s*=\s*(id\s+eq\s+"
    + _QUOTED
    + r"(?:\s+or\s+id\s+eq\s+"
    + _QUOTED
    + r")*)\s*\)",
    re.IGNORECASE,
)
_KNOWN = {"$filter", "$expand", "$select", "$top", "$skip", "$orderby", "$count"}


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """A query as SQL parts over `mails`. `where` fragments are ours, values are bound."""

    where: tuple[str, ...]
    values: tuple[object, ...]
    select: list[str] | None
    expand: frozenset[str]
    order: str
    top: int
    skip: int


def read_query(query: Mapping[str, str]) -> MessageQuery:
    """URL query parameters as a message query.

    Raises:
        WireError: 400; something in it is unknown or malformed.
    """
    for name in query:
        if name not in _KNOWN:
            raise WireError(400, "BadRequest", f"The query parameter '{name}' is not supported.")
    where, values = _filter(query.get("$filter", ""))
    select = [name.strip() for name in query["$select"].split(",")] if "$select" in query else None
    check_select(select)
    return MessageQuery(
        where=tuple(where),
        values=tuple(values),
        select=select,
        expand=_expand(query.get("$expand", "")),
        order=_order(query.get("$orderby", "receivedDateTime desc")),
        top=whole_number("$top", query.get("$top", "10"), 1, _MAX_PAGE),
        skip=whole_number("$skip", query.get("$skip", "0"), 0, 10_000_000),
    )


def whole_number(name: str, text: str, low: int, high: int) -> int:
    """A bounded whole number from a query; 400 when it is none."""
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise WireError(400, "BadRequest", f"The query parameter '{name}' has an invalid value.")
    return int(text)


def _filter(text: str) -> tuple[list[str], list[object]]:
    where: list[str] = []
    values: list[object] = []
    rest = text.strip()
    while rest:
        if found := _ANY.match(rest):
            where.append(
                "EXISTS (SELECT 1 FROM extended_properties e WHERE e.mail = mails.seq"
                " AND e.id = ? AND e.value = ?)"
            )
            values += [property_key(_unquoted(found[2])), _unquoted(found[3])]
        elif found := _MESSAGE_ID.match(rest):
            where.append("internet_message_id = ?")
            values.append(_unquoted(found[1]))
        elif found := _DRAFT.match(rest):
            where.append("folder = 'drafts'" if found[1] == "true" else "folder <> 'drafts'")
        elif (found := _RECEIVED.match(rest)) and (moment := read_iso(found[3])) is not None:
            column = "created" if found[1] == "createdDateTime" else "COALESCE(sent, created)"
            where.append(f"{column} {_OPERATORS[found[2]]} ?")
            values.append(moment)
        else:
            raise WireError(400, "ErrorInvalidUrlQueryFilter", f"Invalid filter clause: {rest}")
        rest = rest[found.end() :].strip()
        if rest:
            joined = re.match(r"and\s+", rest)
            if joined is None:
                raise WireError(400, "ErrorInvalidUrlQueryFilter", f"Invalid filter clause: {rest}")
            rest = rest[joined.end() :]
    return where, values


def _expand(text: str) -> frozenset[str]:
    if not text.strip():
        return frozenset()
    found = _EXPAND.fullmatch(text.strip())
    if found is None:
        raise WireError(
            400, "BadRequest", f"Parsing OData Select and Expand failed: '{text}' is not supported."
        )
    return frozenset(property_key(_unquoted(name)) for name in re.findall(_QUOTED, found[1]))


def _order(text: str) -> str:
    found = re.fullmatch(r"(receivedDateTime|sentDateTime|createdDateTime)(?:\s+(asc|desc))?", text)
    if found is None:
        raise WireError(400, "BadRequest", f"The query parameter '$orderby' ({text}) is invalid.")
    direction = "DESC" if found[2] == "desc" else "ASC"
    return f"COALESCE(sent, created) {direction}, seq {direction}"


def _unquoted(text: str) -> str:
    return text.replace("''", "'")
