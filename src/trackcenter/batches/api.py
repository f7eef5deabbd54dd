"""`/batches`."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router

from trackcenter.access.request import actor
from trackcenter.batches import selectors, services
from trackcenter.batches.schemas import BatchOut, SendIn
from trackcenter.kit.wire import respond

router = Router(tags=["batches"])


@router.get("/batches/{batch_id}", operation_id="getBatch", response=BatchOut)
def get_batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """A batch and how far it is."""
    return respond(selectors.get_batch(actor(request).visible, batch_id))


@router.post("/batches/{batch_id}/send", operation_id="sendBatch", response={202: BatchOut})
def send_batch(request: HttpRequest, batch_id: UUID, body: SendIn | None = None) -> HttpResponse:
    """Send what is still PENDING; all channels that can be sent, or some, to all units or some."""
    who = actor(request)
    wanted = body or SendIn()
    services.request_send(
        who.visible,
        batch_id,
        channels=wanted.channels,
        unit_ids=wanted.unit_ids,
        user_id=who.user_id,
    )
    return respond(selectors.get_batch(who.visible, batch_id), 202)
