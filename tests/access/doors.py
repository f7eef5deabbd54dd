"""A small API with every kind of door, behind the real guard, for the guard's tests."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import NinjaAPI
from ninja.errors import AuthenticationError

from trackcenter.access.guard import admin_only, readers_too
from trackcenter.config.urls import urlpatterns as real
from trackcenter.kit.errors import TrackCenterError
from trackcenter.kit.problems import problem_response

doors = NinjaAPI(auth=admin_only, urls_namespace="doors", docs_url=None, openapi_url=None)


@doors.exception_handler(TrackCenterError)
def refused(request: HttpRequest, error: TrackCenterError) -> HttpResponse:
    return problem_response(error.status, title=error.title, detail=str(error))


@doors.exception_handler(AuthenticationError)
def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return problem_response(401)


@doors.get("/who")
def who(request: Any) -> dict[str, object]:
    actor = request.auth
    seen = actor.visible.ids
    return {
        "username": actor.user.username,
        "role": actor.role,
        "buildings": None if seen is None else sorted(str(pk) for pk in seen),
    }


@doors.api_operation(["GET", "POST", "PUT", "PATCH", "DELETE"], "/buildings/{building_id}")
def building(request: HttpRequest, building_id: UUID) -> str:
    return "in"


@doors.api_operation(["GET", "POST"], "/units/{unit_id}/{year}")
def unit(request: HttpRequest, unit_id: UUID, year: int) -> str:
    return "in"


@doors.get("/batches/{batch_id}")
def batch(request: HttpRequest, batch_id: UUID) -> str:
    return "in"


@doors.get("/unheard-of/{thing_id}")
def unheard_of(request: HttpRequest, thing_id: UUID) -> str:
    return "in"


@doors.post("/imports")
def imports(request: HttpRequest) -> str:
    return "in"


@doors.post("/export", auth=readers_too)
def export(request: HttpRequest) -> str:
    return "in"


urlpatterns = [*real, path("doors/", doors.urls)]
