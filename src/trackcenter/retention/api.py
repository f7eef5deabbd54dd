"""`/retention/report`, and a unit's legal hold."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from trackcenter.access.request import actor
from trackcenter.communications.schemas import UnitOut
from trackcenter.communications.selectors import get_unit
from trackcenter.kit.wire import respond
from trackcenter.retention import selectors, services
from trackcenter.retention.schemas import LegalHoldIn, RetentionQuery, RetentionReport

router = Router(tags=["retention"])


@router.get("/retention/report", operation_id="getRetentionReport", response=RetentionReport)
def get_report(request: HttpRequest, query: Query[RetentionQuery]) -> HttpResponse:
    """What would be archived or purged, when, and why; nothing is."""
    return respond(selectors.report(actor(request).visible, **query.dict()))


@router.put("/units/{unit_id}/legal-hold", operation_id="placeLegalHold", response=UnitOut)
def place_hold(request: HttpRequest, unit_id: UUID, body: LegalHoldIn) -> HttpResponse:
    """Keep everything of a unit until the hold is lifted."""
    services.place_hold(actor(request), unit_id, body.reason)
    return respond(get_unit(actor(request).visible, unit_id))


@router.delete("/units/{unit_id}/legal-hold", operation_id="liftLegalHold", response=UnitOut)
def lift_hold(request: HttpRequest, unit_id: UUID) -> HttpResponse:
    """Lift the hold; it stays on record."""
    services.lift_hold(actor(request), unit_id)
    return respond(get_unit(actor(request).visible, unit_id))
