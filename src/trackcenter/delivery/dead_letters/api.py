"""`/dead-letters`: messages that were given up, for administrators."""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from trackcenter.access.guard import office_only
from trackcenter.access.request import actor
from trackcenter.delivery.dead_letters.schemas import (
    DeadLetterDecisionOut,
    DeadLetterOut,
    DeadLetterPage,
    DiscardIn,
)
from trackcenter.delivery.dead_letters.selectors import (
    decision_out,
    get_dead_letter,
    list_dead_letters,
)
from trackcenter.delivery.dead_letters.services import discard
from trackcenter.kit.pagination import PageQuery
from trackcenter.kit.wire import respond
from trackcenter.queue import dead_letters

router = Router(tags=["dead letters"], auth=office_only)


@router.get("/dead-letters", operation_id="listDeadLetters", response=DeadLetterPage)
def list_letters(request: HttpRequest, query: Query[PageQuery]) -> HttpResponse:
    """Messages that were given up, newest first, each with its reason and what it is about."""
    return respond(
        list_dead_letters(actor(request).visible, cursor=query.cursor, limit=query.limit)
    )


@router.get("/dead-letters/{letter_id}", operation_id="getDeadLetter", response=DeadLetterOut)
def get_letter(request: HttpRequest, letter_id: str) -> HttpResponse:
    """One of them; 404 once it was queued again or discarded."""
    return respond(get_dead_letter(actor(request).visible, letter_id))


@router.post(
    "/dead-letters/{letter_id}/requeue",
    operation_id="requeueDeadLetter",
    response={202: DeadLetterDecisionOut},
)
def requeue_letter(request: HttpRequest, letter_id: str) -> HttpResponse:
    """Queue it again, after the cause was mended. Sends nothing twice: what was sent stays sent."""
    decision = dead_letters.requeue(letter_id, user_id=actor(request).user_id)
    return respond(decision_out(decision), 202)


@router.post(
    "/dead-letters/{letter_id}/discard",
    operation_id="discardDeadLetter",
    response=DeadLetterDecisionOut,
)
def discard_letter(request: HttpRequest, letter_id: str, body: DiscardIn) -> HttpResponse:
    """Give it up for good. Who, when, why, the message and its reason stay on record.

    The communication that it was to send fails with the note (`GIVEN_UP`), and can be resent.
    """
    decision = discard(letter_id, body.note, user_id=actor(request).user_id)
    return respond(decision_out(decision))
