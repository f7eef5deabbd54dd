"""The pages around the API: `/track` with the React screen in it, and what stands at `/`."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import DisallowedHost, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.defaults import bad_request

from trackcenter.access.models import User
from trackcenter.access.signin import message_page
from trackcenter.kit.errors import Sentence
from trackcenter.kit.problems import problem_response

BUILT: Final = Path(__file__).resolve().parent.parent / "static" / "track"
"""Where Vite's build puts the screen."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The built screen's files, below `/static/track/`."""

    script: str
    styles: tuple[str, ...]
    preloads: tuple[str, ...]


def read_manifest(manifest: dict[str, Any]) -> Screen:
    """What the page loads at once, from Vite's manifest: the one entry, its imports, their styles.

    Raises `LookupError` when there is no entry.
    """
    entries = [key for key, chunk in manifest.items() if chunk.get("isEntry")]
    if not entries:
        raise LookupError("Vite's manifest names no entry")
    styles: dict[str, None] = {}
    chunks: dict[str, None] = {}

    def collect(key: str) -> None:
        if key in chunks:
            return
        chunks[key] = None
        for imported in manifest[key].get("imports", []):
            collect(imported)
        styles.update(dict.fromkeys(manifest[key].get("css", [])))

    collect(entries[0])
    files = [manifest[key]["file"] for key in chunks]
    return Screen(script=files[0], styles=tuple(styles), preloads=tuple(files[1:]))


@lru_cache(maxsize=4)
def _screen(path: Path, _changed_at: int) -> Screen:
    return read_manifest(json.loads(path.read_bytes()))


def built_screen() -> Screen | None:
    """The screen as it was built last, or None if it was not."""
    path = BUILT / ".vite" / "manifest.json"
    try:
        return _screen(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@require_safe
@never_cache
@login_required
def track(request: HttpRequest) -> HttpResponse:
    """The screen, for whoever is signed in; what it may show is the API's business."""
    screen = built_screen()
    if screen is None:
        return message_page(request, "unbuilt", status=503)
    user = request.user
    assert isinstance(user, User)  # noqa: S101  login_required saw to it
    page = {
        "icon": static("access/icon.svg"),
        "script": static(f"track/{screen.script}"),
        "styles": [static(f"track/{name}") for name in screen.styles],
        "preloads": [static(f"track/{name}") for name in screen.preloads],
        "bootstrap": {
            "user": {"username": user.username, "role": user.role.lower()},
            "csrfToken": get_token(request),
            "timeZone": settings.TIME_ZONE,
            "logoutUrl": reverse("account_logout"),
        },
    }
    return render(request, "track.html", page)


@require_safe
def root(_request: HttpRequest) -> HttpResponse:
    """`/` is the screen's address for people who type."""
    return HttpResponseRedirect(reverse("track"))


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a problem document below `/api/`, Django's own page elsewhere."""
    if not request.path.startswith("/api/"):
        return bad_request(request, exception)
    if isinstance(exception, DisallowedHost):
        return problem_response(400, detail="this server does not go by that name")
    # What else Django finds suspicious may speak of our own insides.
    form = isinstance(exception, (MultiPartParserError, TooManyFieldsSent, TooManyFilesSent))
    about = f"the form cannot be read: {exception}" if form else "the request cannot be read"
    return problem_response(400, detail=about)


def not_found(
    request: HttpRequest,
    exception: Exception | None = None,  # noqa: ARG001
) -> HttpResponse:
    """404: a problem document below `/api/`, a page elsewhere."""
    if request.path.startswith("/api/"):
        return problem_response(404, detail="there is nothing at this address")
    return message_page(request, "missing", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """500, with no word about the reason: that stands in the log."""
    if request.path.startswith("/api/"):
        words = Sentence("this is our fault; the log has the reason", "ourFault")
        return problem_response(500, detail=words)
    return message_page(request, "broken", status=500)
