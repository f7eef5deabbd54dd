"""`admin_only`: the one guard of every API route.

In this order: no valid credentials → 401; an id of somebody else's building in the path → 404, on
every verb; a change by somebody who may only read → 403. With a session cookie a change also needs
the CSRF token; a bearer token needs none, as no browser sends it by itself.
"""

import uuid
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from trackcenter.access.actor import Actor, actor_of
from trackcenter.access.models import User
from trackcenter.access.tokens import find_token
from trackcenter.kit.errors import Forbidden, NotFound

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class _Owner(NamedTuple):
    """Where a path parameter's row is, and how its building is found from there."""

    model: str
    building: str


# Models by name, as in a foreign key: they stand above this package.
PATH_PARAMETERS: Final[dict[str, _Owner | None]] = {
    "building_id": _Owner("buildings.Building", "id"),
    "unit_id": _Owner("buildings.Unit", "building_id"),
    "batch_id": _Owner("communications.Batch", "building_id"),
    "communication_id": _Owner("communications.Communication", "building_id"),
    "attachment_id": _Owner("communications.Attachment", "communication__building_id"),
    "print_run_id": _Owner("batches.PrintRun", "batch__building_id"),
    "resend_id": _Owner("batches.BulkResend", "batch__building_id"),
    # Of no building: the endpoint looks after them.
    "document_code": None,
    "year": None,
    "export_id": None,
    "letter_id": None,
    "token_id": None,
}
"""Every path parameter the API may have. One that is missing here shuts its route for everybody
who does not see all buildings."""


class AdminOnly(AuthBase):
    """The guard as django-ninja's `auth`; what it returns becomes `request.auth` (an `Actor`)."""

    openapi_type = "http"
    openapi_scheme = "bearer"
    openapi_description = (
        "A token of `trackcenter token create`, or a session cookie and CSRF token"
    )

    def __init__(self, *, readers_may_write: bool = False, readers_may_read: bool = True) -> None:
        super().__init__()
        self._readers_may_write = readers_may_write
        self._readers_may_read = readers_may_read

    def __call__(self, request: HttpRequest) -> Actor | None:
        """The actor, or None (401). Raises `NotFound` (404) and `Forbidden` (403)."""
        actor, by_session = _who(request)
        if actor is None:
            return None
        kwargs = request.resolver_match.kwargs if request.resolver_match else {}
        located = _locate(actor, kwargs)
        if request.method in SAFE_METHODS:
            if not self._readers_may_read and not (actor.is_admin and actor.sees_everything):
                raise Forbidden("only administrators of every building may see this")
            return actor
        if by_session and check_csrf(request) is not None:
            raise Forbidden("the CSRF token is missing or wrong; reload the page")
        if self._readers_may_write:
            return actor
        if not actor.is_admin:
            raise Forbidden("a viewer may only read")
        if not actor.sees_everything and not located:
            raise Forbidden("this token is limited to some buildings")
        return actor


admin_only = AdminOnly()
readers_too = AdminOnly(readers_may_write=True)
"""For the few POSTs that change nothing a reader must not change: a viewer may export."""
office_only = AdminOnly(readers_may_read=False)
"""For what shows the insides of the installation: a viewer may not even read it."""


def _who(request: HttpRequest) -> tuple[Actor | None, bool]:
    """The actor and whether a session says so. An `Authorization` header always decides alone."""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, secret = header.partition(" ")
        token = find_token(secret.strip()) if scheme.lower() == "bearer" else None
        return (actor_of(token.user, token) if token else None), False
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None, False
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return None, False
    return actor_of(user), True


def _locate(actor: Actor, kwargs: dict[str, Any]) -> bool:
    """Whether the path names a building (or something in one) that the actor may see.

    Raises `NotFound` when it names another one, or something that is not there. Who sees
    everything is not asked: the endpoint says itself what does not exist.
    """
    if actor.sees_everything:
        return False
    located = False
    for name, value in kwargs.items():
        if name not in PATH_PARAMETERS:
            raise NotFound("no such thing")
        owner = PATH_PARAMETERS[name]
        if owner is None:
            continue
        try:
            key = uuid.UUID(str(value))
        except ValueError:
            raise NotFound("no such thing") from None
        rows = apps.get_model(owner.model)._base_manager.filter(pk=key)
        building_id = rows.values_list(owner.building, flat=True).first()
        if building_id is None or building_id not in actor.visible:
            raise NotFound("no such thing")
        located = True
    return located
