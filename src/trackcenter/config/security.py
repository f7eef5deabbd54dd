"""What every answer carries, and what no request may: the content security policy, TLS, sizes."""

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from csp.constants import NONCE, NONE, SELF, UNSAFE_INLINE
from django.conf import settings
from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from trackcenter.kit.context import communication_id, request_id
from trackcenter.kit.errors import Sentence
from trackcenter.kit.problems import problem_response

log = logging.getLogger(__name__)

Answer = Callable[[HttpRequest], HttpResponseBase]

CONTENT_SECURITY_POLICY: Mapping[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        # Mantine positions by style attributes; they cannot load or run anything.
        "style-src-attr": [UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "frame-src": [SELF],
        "manifest-src": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
    }
}

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes. A billing file of 100,000 rows has about 30 MB, a scanned proof a tenth of that."""

_PROBES = frozenset({"healthz", "readyz", "metrics"})

PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class EdgeMiddleware:
    """The outermost step: a request id, the size limit, and headers Django has no setting for.

    Behind an https `PUBLIC_URL` a proxy ends TLS. One that does not say so by `X-Forwarded-Proto`
    is believed to have: the alternative is an endless redirect.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.BEHIND_TLS:
            request.META.setdefault("HTTP_X_FORWARDED_PROTO", "https")
        started = time.monotonic()
        known_as = request_id.set(secrets.token_hex(8))
        about = communication_id.set("")
        try:
            if request.path.removeprefix("/") in _PROBES:
                # Probes ask by address and in plain http, wherever this runs: any host will do.
                request.META["HTTP_HOST"] = _known_host()
                request.META["HTTP_X_FORWARDED_PROTO"] = "https"
            response = self._refuse(request) or self.get_response(request)
            response.headers["X-Request-ID"] = request_id.get()
            _tell(request, response.status_code, time.monotonic() - started)
        finally:
            communication_id.reset(about)
            request_id.reset(known_as)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if request.path.startswith("/api/"):
            # Personal data: no cache on the way or on a shared machine's disk may keep it.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def process_view(
        self,
        request: HttpRequest,  # noqa: ARG002
        view: Answer,  # noqa: ARG002
        args: Sequence[object],  # noqa: ARG002
        kwargs: Mapping[str, object],
    ) -> None:
        """Let every line of the log name the communication that the address names."""
        communication_id.set(str(kwargs.get("communication_id", "")))

    def _refuse(self, request: HttpRequest) -> HttpResponse | None:
        length = request.META.get("CONTENT_LENGTH") or ""
        if not length and request.META.get("HTTP_TRANSFER_ENCODING"):
            # Django takes it for a request without a body; and where it breaks off, the web server
            # says that it ended. 'Send these' must never be read as 'send all'.
            return problem_response(
                HTTPStatus.LENGTH_REQUIRED,
                detail="send the body with its Content-Length, not in chunks",
            )
        length = length or "0"
        if not length.isascii() or not length.isdigit():
            return problem_response(HTTPStatus.BAD_REQUEST, detail="Content-Length is not a number")
        if int(length) > LARGEST_BODY:
            words = f"a request may have {LARGEST_BODY // 1024 // 1024} MB"
            return problem_response(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail=Sentence(words, "bodyTooLarge")
            )
        return None


class WholeBodies:
    """WSGI (PEP 3333) around the application: a body that breaks off does not pass for complete.

    Granian ends it where the connection ended. Read as if it were whole, a body is another one,
    and none at all may mean 'everything'.
    """

    def __init__(self, application: Callable[[dict[str, Any], Any], Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        if length.isascii() and length.isdigit():
            environ["wsgi.input"] = _Body(environ["wsgi.input"], int(length))
        return self._application(environ, start_response)


class _Body(LimitedStream):
    """A request's body of so many bytes; `ConnectionAbortedError` where fewer come."""

    def __init__(self, stream: Any, length: int) -> None:
        super().__init__(stream, length)
        self._left = length

    def read(self, size: int | None = -1, /) -> bytes:
        part: bytes = super().read(size)
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        if len(part) < wanted:
            raise ConnectionAbortedError("the connection ended before the body did")
        self._left -= len(part)
        return part


def _known_host() -> str:
    """A host name that is allowed, the first of the setting (`.example.org` and `*` are one)."""
    return str(settings.ALLOWED_HOSTS[0]).removeprefix(".").replace("*", "localhost")


def _tell(request: HttpRequest, status: int, seconds: float) -> None:
    """One line a request: which route, not which address, as a signed link is a secret."""
    route = request.resolver_match.route if request.resolver_match else ""
    if route in _PROBES or (not route and request.path.startswith(settings.STATIC_URL)):
        return
    log.info(
        "answered",
        extra={
            "method": request.method,
            "route": route,
            "status": status,
            "milliseconds": round(seconds * 1000),
        },
    )
