"""Bodies that come as JSON or as a form with files, read into one schema either way."""

import json
from typing import Any, TypeVar

from django.core.exceptions import TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from ninja.errors import HttpError
from pydantic import ValidationError

from trackcenter.kit.errors import InputError, Problem
from trackcenter.kit.wire import WireSchema, shape_fault

S = TypeVar("S", bound=WireSchema)

MULTIPART = "multipart/form-data"


def read_body(request: HttpRequest, shape: type[S], *, files: frozenset[str] = frozenset()) -> S:
    """The body as `shape`, from JSON or from a form; `files` are the form's file fields.

    An empty form field counts as left out. Raises `InputError` with every problem, and ninja's
    `HttpError` 400 for a body that cannot be read at all.
    """
    if request.content_type == MULTIPART:
        try:
            values: Any = {name: value for name, value in request.POST.items() if value != ""}
        except (TooManyFilesSent, TooManyFieldsSent, MultiPartParserError) as error:
            raise HttpError(400, f"the form cannot be read: {error}") from None
        strange = sorted(set(request.FILES) - files)
        if strange:
            raise InputError([Problem(("body", name), "no file belongs here") for name in strange])
    else:
        try:
            values = json.loads(request.body)
        except (ValueError, RecursionError):
            raise HttpError(400, "the body is neither JSON nor a form") from None
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        problems = [Problem(("body", *one["loc"]), shape_fault(one)) for one in error.errors()]
        raise InputError(problems) from error


def refuse_others(request: HttpRequest, *, fields: frozenset[str], files: frozenset[str]) -> None:
    """`InputError` for whatever a form has beside these or has twice, instead of not reading it."""
    problems = [
        Problem(("body", name), "comes twice" if name in known else "unknown field")
        for sent, known in ((request.POST, fields), (request.FILES, files))
        for name in sorted(sent)
        if name not in known or len(sent.getlist(name)) > 1
    ]
    if problems:
        raise InputError(problems)


def body_of(shape: type[WireSchema], *, one: str | None = None, many: str | None = None) -> Any:
    """For `openapi_extra`: the same body in JSON and, with its files, as a form."""
    plain = shape.model_json_schema(by_alias=True)
    binary = {"type": "string", "format": "binary"}
    files: dict[str, Any] = {}
    if one:
        files[one] = binary
    if many:
        files[many] = {"type": "array", "items": binary}
    form = {**plain, "properties": {**plain["properties"], **files}}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": plain}, MULTIPART: {"schema": form}},
        }
    }
