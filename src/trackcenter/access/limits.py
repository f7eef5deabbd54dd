"""How often one address may guess wrong. Who knows the secret is never slowed down."""

from http import HTTPStatus

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse

from trackcenter.kit.problems import problem_response

PAUSE = 60
"""Seconds that somebody who guessed too often is asked to wait."""


def wrong_secret(request: HttpRequest, detail: str) -> HttpResponse:
    """The answer to a wrong secret of a webhook: 401, and 429 once an address has guessed often.

    The limit is `webhook` of `ACCOUNT_RATE_LIMITS`. Both are refusals; the second costs its sender
    (and our log) less, and providers that were set up wrong come back to it later.
    """
    if ratelimit.consume(request, action="webhook"):
        return problem_response(HTTPStatus.UNAUTHORIZED, detail=detail)
    response = problem_response(HTTPStatus.TOO_MANY_REQUESTS, detail="too many wrong secrets")
    response.headers["Retry-After"] = str(PAUSE)
    return response
