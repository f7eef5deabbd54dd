"""`/senders`: which of them are paused, and until when."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from ninja import Router

from trackcenter.access.request import actor
from trackcenter.delivery.pacing import pauses
from trackcenter.kit.wire import WireSchema, respond

router = Router(tags=["senders"])


class SenderPauseOut(WireSchema):
    sender: str
    channel: str
    paused_until: datetime
    code: str
    reason: str


class SenderPauses(WireSchema):
    items: list[SenderPauseOut]


@router.get("/senders", operation_id="listPausedSenders", response=SenderPauses)
def list_paused(request: HttpRequest) -> HttpResponse:
    """Senders that a provider or a daily cap has paused, and when they go on. A sender belongs to
    no building, so whoever sees only some of them is shown none."""
    return respond({"items": pauses() if actor(request).sees_everything else []})
