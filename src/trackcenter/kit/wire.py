"""JSON on the wire: camelCase names, and answers written without a second validation."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from django.http import HttpResponse
from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, ConfigDict, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from trackcenter.kit.canonical import clean
from trackcenter.kit.errors import Sentence

_encoder = msgspec.json.Encoder()

EARLIEST_YEAR = 1900


def _in_utc(moment: datetime) -> datetime:
    """Offsets may be larger than PostgreSQL takes, and years too small."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        moment = datetime.min.replace(tzinfo=UTC)
    if moment.year < EARLIEST_YEAR:
        raise PydanticCustomError("before_year", "this is before {year}", {"year": EARLIEST_YEAR})
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment that somebody tells us: with its offset, any offset, and then in UTC."""


class WireSchema(Schema):
    """A shape of the API: snake_case here, camelCase outside; unknown fields are refused.

    So is a text that PostgreSQL cannot keep: one with U+0000 or half a surrogate pair.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", str_strip_whitespace=True
    )

    @field_validator("*")
    @classmethod
    def _can_be_kept(cls, value: Any) -> Any:
        for text in value if isinstance(value, (list, dict)) else (value,):
            if isinstance(text, str) and clean(text) != text:
                raise ValueError("a text may not hold U+0000 or half a surrogate pair")
        return value


def shape_fault(error: Mapping[str, Any]) -> str:
    """What pydantic says of a value (one of its `errors()`), with its kind of error as the code."""
    words, kind = str(error["msg"]), str(error["type"])
    if kind == "value_error":  # all kinds of ours
        return words
    context = {to_camel(name): value for name, value in error.get("ctx", {}).items()}
    values = {name: value for name, value in context.items() if isinstance(value, str | int)}
    return Sentence(words, to_camel(kind), **values)


def respond(value: Any, status: int = 200) -> HttpResponse:
    """A finished JSON answer. For lists whose rows come from SQL already in the wire's shape:
    their schema stands in OpenAPI, but is not run over every row again."""
    return HttpResponse(_encoder.encode(value), status=status, content_type="application/json")
