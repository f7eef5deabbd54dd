"""What every answer carries, and what no request may: the content security policy, TLS, sizes."""

import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from csp.constants import NONCE, NONE, SELF, UNSAFE_INLINE
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from trackcenter.config.logs import request_id
from trackcenter.kit.problems import problem_response

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
        known_as = request_id.set(secrets.token_hex(8))
        try:
            response = self._refuse(request) or self.get_response(request)
            response.headers["X-Request-ID"] = request_id.get()
        finally:
            request_id.reset(known_as)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if request.path.startswith("/api/"):
            # Personal data: no cache on the way or on a shared machine's disk may keep it.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def _refuse(self, request: HttpRequest) -> HttpResponse | None:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isascii() or not length.isdigit():
            return problem_response(HTTPStatus.BAD_REQUEST, detail="Content-Length is not a number")
        if int(length) > LARGEST_BODY:
            return problem_response(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                detail=f"a request may have {LARGEST_BODY // 1024 // 1024} MB",
            )
        return None
