"""`/batches`, `/resends`, `/print-runs`, `/documents`."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router

from trackcenter.access.request import actor
from trackcenter.batches import printing, resends, selectors, services
from trackcenter.batches.schemas import (
    BatchOut,
    BulkResendIn,
    BulkResendOut,
    DocumentOut,
    PostedIn,
    PrintRunList,
    PrintRunOut,
    ProgressOverTime,
    ResendChoiceIn,
    ResendPlan,
    SendIn,
)
from trackcenter.delivery_records.proofs import accept
from trackcenter.kit.forms import body_of, read_body
from trackcenter.kit.wire import respond

router = Router(tags=["batches"])


@router.get("/batches/{batch_id}", operation_id="getBatch", response=BatchOut)
def get_batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """A batch and how far it is."""
    return respond(selectors.get_batch(actor(request).visible, batch_id))


@router.get("/batches/{batch_id}/progress", operation_id="getProgress", response=ProgressOverTime)
def get_progress(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """What was sent, delivered, opened and what failed, step by step."""
    return respond(selectors.get_progress(actor(request).visible, batch_id))


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


@router.post(
    "/batches/{batch_id}/resend/dry-run", operation_id="planBulkResend", response=ResendPlan
)
def plan_bulk_resend(request: HttpRequest, batch_id: UUID, body: ResendChoiceIn) -> HttpResponse:
    """Who would get what, through what, and what would be a second copy. Changes nothing."""
    return respond(resends.plan(actor(request).visible, batch_id, _choice(body)))


@router.post("/batches/{batch_id}/resend", operation_id="bulkResend", response={202: BulkResendOut})
def bulk_resend(request: HttpRequest, batch_id: UUID, body: BulkResendIn) -> HttpResponse:
    """Confirm a dry run, of any number of messages; a worker resends them, each once.

    What something has happened to since the dry run is left out. 409 when by now it would be more.
    """
    who = actor(request)
    resend = resends.request_resend(
        who,
        batch_id,
        _choice(body),
        key=body.key,
        looked_at=body.looked_at,
        expected=body.expected,
        note=body.note or "",
    )
    return respond(resends.get_resend(who.visible, resend.id), 202)


@router.get("/resends/{resend_id}", operation_id="getBulkResend", response=BulkResendOut)
def get_bulk_resend(request: HttpRequest, resend_id: UUID) -> HttpResponse:
    """A bulk resend: how far it is, and what was left alone."""
    return respond(resends.get_resend(actor(request).visible, resend_id))


def _choice(body: ResendChoiceIn) -> resends.Choice:
    return resends.Choice(
        channel=body.channel,
        status=body.status,
        search=body.search,
        unit_ids=body.unit_ids,
        through=body.through,
        repeats=body.repeats,
    )


@router.post(
    "/batches/{batch_id}/print-run", operation_id="makePrintRun", response={202: PrintRunOut}
)
def make_print_run(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """One file of the letters that lie ready, labels and lodgement slip; asked again, the same.

    Registered letters first, then the others, each by unit number. 409 when none is ready.
    """
    who = actor(request)
    run = printing.request_run(who, batch_id)
    return respond(selectors.get_print_run(who.visible, run.id), 202)


@router.get("/batches/{batch_id}/print-runs", operation_id="listPrintRuns", response=PrintRunList)
def list_print_runs(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """The print runs of a batch, and how many letters wait for one."""
    return respond(selectors.list_print_runs(actor(request).visible, batch_id))


@router.get("/print-runs/{print_run_id}", operation_id="getPrintRun", response=PrintRunOut)
def get_print_run(request: HttpRequest, print_run_id: UUID) -> HttpResponse:
    """A print run and links to its files."""
    return respond(selectors.get_print_run(actor(request).visible, print_run_id))


@router.post(
    "/print-runs/{print_run_id}/posted",
    operation_id="markPosted",
    response=PrintRunOut,
    openapi_extra=body_of(PostedIn, one="scan"),
)
def mark_posted(request: HttpRequest, print_run_id: UUID) -> HttpResponse:
    """Say on which day the letters of a run were posted: an event for each of them.

    As a form it may carry a scan of the stamped slip (PDF, JPEG, PNG, HEIC or TIFF, 20 MB), which
    becomes a proof of each registered letter; also later, with the same day again.
    """
    who = actor(request)
    body = read_body(request, PostedIn, files=frozenset({"scan"}))
    # Who may not see the run does not get files checked either.
    selectors.get_print_run(who.visible, print_run_id)
    file = request.FILES.get("scan")
    scan = accept(file, "body", "scan") if file else None
    printing.mark_posted(who, print_run_id, posted_on=body.date, scan=scan)
    return respond(selectors.get_print_run(who.visible, print_run_id))


@router.get("/documents/{document_code}", operation_id="findDocument", response=DocumentOut)
def find_document(request: HttpRequest, document_code: str) -> HttpResponse:
    """The unit and communications of a document code or postal number, typed or scanned."""
    return respond(selectors.find_document(actor(request).visible, document_code))
