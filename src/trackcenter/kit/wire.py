"""JSON on the wire: camelCase names, and answers written without a second validation."""

from typing import Any

import msgspec
from django.http import HttpResponse
from ninja import Schema
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

_encoder = msgspec.json.Encoder()


class WireSchema(Schema):
    """A shape of the API: snake_case here, camelCase outside; unknown fields are refused."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", str_strip_whitespace=True
    )


def respond(value: Any, status: int = 200) -> HttpResponse:
    """A finished JSON answer. For lists whose rows come from SQL already in the wire's shape:
    their schema stands in OpenAPI, but is not run over every row again."""
    return HttpResponse(_encoder.encode(value), status=status, content_type="application/json")
