"""`/buildings`."""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from trackcenter.access.request import actor
from trackcenter.buildings.schemas import BuildingPage, BuildingQuery
from trackcenter.buildings.selectors import list_buildings
from trackcenter.kit.wire import respond

router = Router(tags=["buildings"])


@router.get("/buildings", operation_id="listBuildings", response=BuildingPage)
def get_buildings(request: HttpRequest, query: Query[BuildingQuery]) -> HttpResponse:
    """The buildings you may see, with their counts."""
    return respond(list_buildings(actor(request).visible, **query.dict()))
