"""Who is asking."""

from django.http import HttpRequest

from trackcenter.access.actor import Actor


def actor(request: HttpRequest) -> Actor:
    """The actor the guard let in; only for routes behind it."""
    found = getattr(request, "auth", None)
    if isinstance(found, Actor):
        return found
    raise RuntimeError("this route is not behind the guard")
