"""Years, units, activity; one communication and what can be done to it."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from ninja import Query, Router
from pydantic import Field

from trackcenter.access.request import actor
from trackcenter.communications import selectors, services, worklists
from trackcenter.communications.contact import checked_contact
from trackcenter.communications.events import Written
from trackcenter.communications.schemas import (
    ActivityPage,
    ActivityQuery,
    AuditNoteOut,
    CommunicationOut,
    EventAccepted,
    NoteIn,
    ResendIn,
    ResolveIn,
    UnitOut,
    UnitPage,
    UnitQuery,
    WorkPage,
    YearsOut,
)
from trackcenter.kit.pagination import PageQuery
from trackcenter.kit.wire import respond

router = Router(tags=["communications"])

EARLIEST_YEAR = 1900
Year = Annotated[int, Field(ge=EARLIEST_YEAR, le=9999)]


@router.get("/buildings/{building_id}/years", operation_id="listYears", response=YearsOut)
def get_years(request: HttpRequest, building_id: UUID) -> HttpResponse:
    """The years a building was billed for, newest first, with counts per channel."""
    return respond(selectors.list_years(actor(request).visible, building_id))


@router.get(
    "/buildings/{building_id}/years/{year}/units", operation_id="listUnits", response=UnitPage
)
def get_units(
    request: HttpRequest, building_id: UUID, year: Year, query: Query[UnitQuery]
) -> HttpResponse:
    """The units of a year with their communications."""
    return respond(selectors.list_units(actor(request).visible, building_id, year, **query.dict()))


@router.get(
    "/buildings/{building_id}/years/{year}/activity",
    operation_id="listActivity",
    response=ActivityPage,
)
def get_activity(
    request: HttpRequest, building_id: UUID, year: Year, query: Query[ActivityQuery]
) -> HttpResponse:
    """What happened in a building and year, newest first; only some kinds by repeated `type`."""
    options = query.dict()
    return respond(
        selectors.list_activity(
            actor(request).visible, building_id, year, types=options.pop("type"), **options
        )
    )


@router.get("/units/{unit_id}", operation_id="getUnit", response=UnitOut)
def get_unit(request: HttpRequest, unit_id: UUID) -> HttpResponse:
    """A unit and its communications of all years."""
    return respond(selectors.get_unit(actor(request).visible, unit_id))


@router.get(
    "/communications/{communication_id}",
    operation_id="getCommunication",
    response=CommunicationOut,
)
def get_communication(request: HttpRequest, communication_id: UUID) -> HttpResponse:
    """Everything about one communication."""
    return respond(selectors.get_communication(actor(request).visible, communication_id))


@router.get("/attachments/{attachment_id}", operation_id="getAttachment", response={302: None})
def get_attachment(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """Leads to the attachment's signed link."""
    return HttpResponseRedirect(selectors.attachment_link(actor(request).visible, attachment_id))


@router.post(
    "/communications/{communication_id}/resend",
    operation_id="resendCommunication",
    response={202: EventAccepted},
)
def resend(request: HttpRequest, communication_id: UUID, body: ResendIn) -> HttpResponse:
    """Send it again, through the same channel or another, to a corrected address or the same."""
    written = services.resend(
        actor(request),
        communication_id,
        channel=body.channel,
        note=body.note,
        contact=checked_contact(body.contact),
        after_attempt=body.after_attempt,
    )
    return respond(_accepted(written), 202)


@router.post(
    "/communications/{communication_id}/notes", operation_id="addNote", response={201: AuditNoteOut}
)
def add_note(request: HttpRequest, communication_id: UUID, body: NoteIn) -> HttpResponse:
    """Add an audit note."""
    note = services.add_note(actor(request), communication_id, body.note)
    return respond(selectors.audit_note(note), 201)


@router.post(
    "/communications/{communication_id}/resolve",
    operation_id="resolveUnknownOutcome",
    response={202: EventAccepted},
)
def resolve(request: HttpRequest, communication_id: UUID, body: ResolveIn) -> HttpResponse:
    """Decide what becomes of a message of which nobody knows whether it left."""
    written = services.resolve(actor(request), communication_id, action=body.action, note=body.note)
    return respond(_accepted(written), 202)


@router.get("/work/unknown", operation_id="listUnknownOutcomes", response=WorkPage)
def list_unknown(request: HttpRequest, query: Query[PageQuery]) -> HttpResponse:
    """Messages of which nobody knows whether they left; a person must decide."""
    return respond(
        worklists.list_flagged(
            actor(request).visible, "outcome_unknown", cursor=query.cursor, limit=query.limit
        )
    )


@router.get("/work/contradictory", operation_id="listContradictions", response=WorkPage)
def list_contradictory(request: HttpRequest, query: Query[PageQuery]) -> HttpResponse:
    """Messages of which one source says that they arrived and another that they did not."""
    return respond(
        worklists.list_flagged(
            actor(request).visible, "contradictory", cursor=query.cursor, limit=query.limit
        )
    )


def _accepted(written: Written) -> dict[str, Any]:
    return {
        "eventId": written.id,
        "communicationId": written.communication_id,
        "sequence": written.sequence,
        "attempt": written.attempt,
        "deliveryStatus": written.status.value,
    }
