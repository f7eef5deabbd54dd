"""The short way to the webhooks, past Django: from the request's bytes to the committed receipt.

It takes only what is as it should be: a POST to an address of ours, of a size that it says or in
chunks, with the right secret and readable, and it gives the answer that Django would give. Anything
else (a handshake, a wrong secret, a body that cannot be read) goes to Django, whose views say what
is to be said about it.
"""

import io
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http.request import split_domain_port, validate_host

from trackcenter.kit import problems
from trackcenter.kit.context import request_id
from trackcenter.receipts.store import GRID_EMAIL, GRID_SMS, Arrival, store
from trackcenter.receipts.webhooks import MAX_BODY, from_event_grid, from_graph, knows_secret

log = logging.getLogger(__name__)

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]

_PREFIX = "api/track/providers/"
_LINES = {200: "200 OK", 202: "202 Accepted", 503: "503 Service Unavailable"}
_HEADERS = [
    ("Cache-Control", "private, no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
_AWAY = problems.problem_response(503, detail="the database does not answer; try again").content


class DirectWebhooks:
    """WSGI (PEP 3333) around the application: answers the providers' POSTs itself."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        read = _ROUTES.get(environ["PATH_INFO"])
        if read is None or environ["REQUEST_METHOD"] != "POST" or not _is_plain(environ):
            return self._application(environ, start_response)
        begun = time.monotonic()
        try:
            body = environ["wsgi.input"].read(_most(environ))
        except OSError:  # it broke off; Django meets the same
            return self._application(environ, start_response)
        known_as = request_id.set(secrets.token_hex(8))
        try:
            status = _keep(read(environ, body) if len(body) <= MAX_BODY else None)
            if status is None:
                environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
                return self._application(environ, start_response)
            name = request_id.get()
            _tell(environ, status, begun)
        finally:
            request_id.reset(known_as)
        answer = _AWAY if status == 503 else b""
        kind = [("Content-Type", problems.CONTENT_TYPE)] if answer else []
        length = ("Content-Length", str(len(answer)))
        start_response(_LINES[status], [length, *kind, *_HEADERS, ("X-Request-ID", name)])
        return (answer,)


def _is_plain(environ: Environ) -> bool:
    """Whether nothing about the request's envelope needs Django's judgement."""
    return (
        _most(environ) > -1
        and _is_our_host(environ.get("HTTP_HOST", ""), tuple(settings.ALLOWED_HOSTS))
        and not (settings.BEHIND_TLS and environ.get("HTTP_X_FORWARDED_PROTO", "https") != "https")
    )


def _most(environ: Environ) -> int:
    """How many bytes of the body there are to read; -1 where it is not for us to read it.

    In chunks it is read as well, though the rest of the house refuses those: JSON that breaks off
    is no JSON, and a provider's report would be lost.
    """
    length = environ.get("CONTENT_LENGTH") or ""
    if (
        not length
        and environ.get("HTTP_TRANSFER_ENCODING")
        and environ.get("wsgi.input_terminated")
    ):
        return MAX_BODY + 1
    return int(length) if length.isascii() and length.isdigit() and int(length) <= MAX_BODY else -1


@lru_cache(maxsize=64)
def _is_our_host(host: str, allowed: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


Taken = tuple[int, Sequence[Arrival]]
"""The status that says 'kept', and what is to be kept."""


def _graph(environ: Environ, body: bytes) -> Taken | None:
    if "validationToken" in environ.get("QUERY_STRING", ""):
        return None
    arrivals = from_graph(body)
    return None if arrivals is None else (202, arrivals)


def _event_grid(origin: str) -> Callable[[Environ, bytes], Taken | None]:
    def read(environ: Environ, body: bytes) -> Taken | None:
        query = environ.get("QUERY_STRING", "")
        code = dict(parse_qsl(query)).get("code", "") if query else ""
        if not knows_secret(code, environ.get("HTTP_AEG_SAS_KEY", "")):
            return None
        arrivals = from_event_grid(origin, body, environ.get("CONTENT_TYPE", ""))
        return None if arrivals is None else (200, arrivals)

    return read


_ROUTES: dict[str, Callable[[Environ, bytes], Taken | None]] = {
    f"/{_PREFIX}msgraph/email": _graph,
    f"/{_PREFIX}msgraph/sms": _event_grid(GRID_SMS),
    f"/{_PREFIX}acs/email": _event_grid(GRID_EMAIL),
}


def _keep(taken: Taken | None) -> int | None:
    """The answer, after the commit; None where Django is to answer."""
    if taken is None:
        return None
    status, arrivals = taken
    try:
        store(arrivals)
    except (OperationalError, InterfaceError):
        return 503
    finally:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()  # as at the end of Django's requests
    return status


def _tell(environ: Environ, status: int, begun: float) -> None:
    """The line that every request gets in the log."""
    if log.isEnabledFor(logging.INFO):
        log.info(
            "answered",
            extra={
                "method": "POST",
                "route": environ["PATH_INFO"].removeprefix("/"),
                "status": status,
                "milliseconds": round((time.monotonic() - begun) * 1000),
            },
        )
