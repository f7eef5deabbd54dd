"""`/buildings`."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import Field

from trackcenter.access.request import actor
from trackcenter.buildings.schemas import BuildingPage
from trackcenter.buildings.selectors import list_buildings
from trackcenter.kit.pagination import DEFAULT_LIMIT, MAX_LIMIT
from trackcenter.kit.wire import respond

router = Router(tags=["buildings"])


@router.get("/buildings", operation_id="listBuildings", response=BuildingPage)
def get_buildings(
    request: HttpRequest,
    search: Annotated[str, Field(max_length=200), Query()] = "",
    cursor: Annotated[str | None, Field(max_length=1000), Query()] = None,
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT), Query()] = DEFAULT_LIMIT,
) -> HttpResponse:
    """The buildings you may see, with their counts; those of one name or code by `search`."""
    visible = actor(request).visible
    return respond(list_buildings(visible, search=search, cursor=cursor, limit=limit))
