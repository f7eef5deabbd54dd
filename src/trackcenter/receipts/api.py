"""What receipts leave to a person."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from trackcenter.access.request import actor
from trackcenter.kit.pagination import PageQuery
from trackcenter.kit.wire import respond
from trackcenter.receipts import work
from trackcenter.receipts.schemas import ReceiptPage, SettledOut, SuggestionPage, VerdictIn

router = Router(tags=["work"])


@router.get("/work/suggestions", operation_id="listSuggestions", response=SuggestionPage)
def list_suggestions(request: HttpRequest, query: Query[PageQuery]) -> HttpResponse:
    """Mails in the sending mailbox that may be bounces; a person must look."""
    return respond(
        work.list_suggestions(actor(request).visible, cursor=query.cursor, limit=query.limit)
    )


@router.post(
    "/communications/{communication_id}/suggestions",
    operation_id="settleSuggestions",
    response=SettledOut,
)
def settle_suggestions(
    request: HttpRequest, communication_id: UUID, body: VerdictIn
) -> HttpResponse:
    """Say whether it bounced, for everything that is suggested about a communication."""
    settled = work.settle_suggestions(
        actor(request), communication_id, verdict=body.verdict, note=body.note
    )
    return respond({"settled": settled})


@router.get("/work/receipts", operation_id="listUnresolvedReceipts", response=ReceiptPage)
def list_receipts(request: HttpRequest, query: Query[PageQuery]) -> HttpResponse:
    """Reports that found no message of ours within a day."""
    return respond(
        work.list_unresolved(actor(request).visible, cursor=query.cursor, limit=query.limit)
    )
