"""Stored files over HTTP. The signed link is the permission; there is no session here."""

import logging
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from trackcenter.kit.errors import NotFound
from trackcenter.storage.blobs import open_blob, open_stream, size
from trackcenter.storage.errors import DamagedBlob, StorageUnavailable
from trackcenter.storage.links import (
    Link,
    LinkAltered,
    LinkExpired,
    cache_control,
    disposition,
    kind_of,
    read_link,
    served_as,
)

log = logging.getLogger(__name__)

WHOLE = 4 * 1024 * 1024
"""Up to this many bytes a file is verified before the answer starts; above, while it streams."""

# What came from outside or was made for a mail client must not run here: no script, no form, no
# request, an origin of its own.
_LOCKED = "sandbox; default-src 'none'"
_HTML = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
# Browsers show a PDF by a viewer that a sandbox would keep out; it runs no script of the page.
_PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'"


@require_safe
def serve_signed(request: HttpRequest, token: str) -> HttpResponseBase:  # noqa: ARG001
    """The file of a signed link; 403 when altered, 410 when expired, 404 when there is no file.

    PDF and HTML are shown in place unless the link says otherwise, anything else is a download.
    """
    try:
        link = read_link(token)
        length = size(link.sha256)
        if length > WHOLE:
            return dressed(StreamingHttpResponse(_logged(link)), link, length)
        return dressed(HttpResponse(open_blob(link.sha256)), link, length)
    except LinkAltered:
        return refusal("This link is not valid.", 403)
    except LinkExpired:
        return refusal("This link has expired. Open the file again where you found it.", 410)
    except NotFound:
        return refusal("This file is no longer here.", 404)
    except DamagedBlob as damage:
        log.error("stored file is damaged", extra={"sha256": damage.sha256})
        return refusal("This file is damaged. Please tell your administrator.", 500)
    except StorageUnavailable as trouble:
        log.error("storage is out of reach", extra={"error": str(trouble)})
        return refusal("Files are out of reach just now. Please try again in a minute.", 503)


def _logged(link: Link) -> Iterator[bytes]:
    """The stream; damage ends it early, so that the browser sees a broken download."""
    try:
        yield from open_stream(link.sha256)
    except DamagedBlob as damage:
        log.error("stored file is damaged", extra={"sha256": damage.sha256})
        raise


def dressed(response: HttpResponseBase, link: Link, length: int) -> HttpResponseBase:
    """The response with what keeps its file locked up, and its name, type and length."""
    policy = {"text/html": _HTML, "application/pdf": _PDF}.get(kind_of(link.content_type))
    response["Content-Type"] = served_as(link.content_type)
    response["Content-Length"] = str(length)
    response["Content-Disposition"] = disposition(
        link.file_name, download=link.download or policy is None
    )
    response["Content-Security-Policy"] = f"{policy or _LOCKED}; frame-ancestors 'self'"
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Cache-Control"] = cache_control(link.expires_at)
    return _guarded(response)


def refusal(sentence: str, status: int) -> HttpResponse:
    """A sentence in place of a file."""
    response = HttpResponse(
        sentence + "\n", status=status, content_type="text/plain; charset=utf-8"
    )
    response["Content-Security-Policy"] = f"{_LOCKED}; frame-ancestors 'self'"
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Cache-Control"] = "no-store"
    _guarded(response)
    return response


def _guarded(response: HttpResponseBase) -> HttpResponseBase:
    """The address itself is the permission: it must not leak to anybody by `Referer`."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "no-referrer"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
