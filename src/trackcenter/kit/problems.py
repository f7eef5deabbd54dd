"""Problem documents (RFC 9457): the one shape of everything that goes wrong over HTTP."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse

from trackcenter.kit.errors import Problem, coded

CONTENT_TYPE = "application/problem+json"


def problem_response(
    status: int,
    *,
    title: str | None = None,
    detail: str | None = None,
    errors: Sequence[Problem] | None = None,
) -> HttpResponse:
    """An `application/problem+json` answer; `title` is the status' own name unless given.

    A detail that is a `Sentence` brings its `code` and `values` along.
    401 names the way in (`WWW-Authenticate: Bearer`, RFC 6750).
    """
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": title or HTTPStatus(status).phrase,
        "status": int(status),
    }
    if detail:
        document |= {"detail": detail, **coded(detail)}
    if errors is not None:
        document["errors"] = [problem.as_json() for problem in errors]
    response = HttpResponse(
        json.dumps(document, ensure_ascii=False), status=status, content_type=CONTENT_TYPE
    )
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Track Center"'
    response.headers["Cache-Control"] = "no-store"
    return response
