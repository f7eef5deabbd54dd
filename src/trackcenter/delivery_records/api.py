"""What people say about deliveries: manual events and delivery records."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router

from trackcenter.access.request import actor
from trackcenter.communications import selectors
from trackcenter.communications.events import Written
from trackcenter.communications.schemas import EventAccepted
from trackcenter.delivery_records import services
from trackcenter.delivery_records.proofs import accept, accept_all
from trackcenter.delivery_records.schemas import DeliveryRecordIn, ManualEventIn, RecordAccepted
from trackcenter.kit.forms import body_of, read_body
from trackcenter.kit.wire import respond

router = Router(tags=["communications"])


@router.post(
    "/communications/{communication_id}/manual-event",
    operation_id="recordManualEvent",
    response={201: EventAccepted},
    openapi_extra=body_of(ManualEventIn, one="proofFile"),
)
def manual_event(request: HttpRequest, communication_id: UUID) -> HttpResponse:
    """Vouch for a delivery, or report returned mail, with a note that says how you know.

    As a form it may carry a proof (PDF, JPEG, PNG, HEIC or TIFF, 20 MB).
    """
    body = read_body(request, ManualEventIn, files=frozenset({"proofFile"}))
    # Who may not see it does not get files checked either.
    selectors.require_communication(actor(request).visible, communication_id)
    file = request.FILES.get("proofFile")
    written = services.manual_event(
        actor(request),
        communication_id,
        type=body.type,
        note=body.note,
        occurred_at=body.occurred_at,
        dispatched_at=body.dispatched_at,
        witness=body.witness,
        proof=accept(file, "body", "proofFile") if file else None,
    )
    return respond(event_accepted(written), 201)


@router.post(
    "/units/{unit_id}/delivery-record",
    operation_id="recordDelivery",
    response={200: RecordAccepted, 201: RecordAccepted},
    openapi_extra=body_of(DeliveryRecordIn, many="files"),
)
def delivery_record(request: HttpRequest, unit_id: UUID) -> HttpResponse:
    """Create or change the record of a unit, year and method; every change is an event.

    As a form it may carry files (PDF, JPEG, PNG, HEIC or TIFF, 20 MB each).
    """
    body = read_body(request, DeliveryRecordIn, files=frozenset({"files"}))
    selectors.get_unit(actor(request).visible, unit_id)
    recorded = services.record_delivery(
        actor(request),
        unit_id,
        year=body.year,
        method=body.method,
        given=body.model_dump(include=body.model_fields_set & set(services.FIELDS)),
        proofs=accept_all(request.FILES.getlist("files"), "body", "files"),
    )
    answer = {
        **selectors.delivery_record(recorded.record),
        "communicationId": recorded.communication.id,
        "eventId": recorded.event.id if recorded.event else None,
    }
    return respond(answer, 201 if recorded.created else 200)


def event_accepted(written: Written) -> dict[str, object]:
    """An event as `EventAccepted`."""
    return {
        "eventId": written.id,
        "communicationId": written.communication_id,
        "sequence": written.sequence,
        "attempt": written.attempt,
        "deliveryStatus": written.status.value,
    }
