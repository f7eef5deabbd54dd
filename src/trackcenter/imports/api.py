"""`/imports`."""

from typing import Annotated, BinaryIO, cast

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Router
from ninja.files import UploadedFile

from trackcenter.access.request import actor
from trackcenter.imports import services
from trackcenter.imports.schemas import ImportOut
from trackcenter.kit.forms import refuse_others
from trackcenter.kit.wire import respond

router = Router(tags=["imports"])


@router.post("/imports", operation_id="importBillingFile", response={201: ImportOut})
def import_billing_file(
    request: HttpRequest,
    file: Annotated[UploadedFile, File(description="CSV, XLSX or JSON")],
    dry_run: Annotated[bool, Form(alias="dryRun")] = False,
) -> HttpResponse:
    """Import a billing file, whole or not at all; `dryRun` does everything and takes it back.

    422 lists every bad row. A dry run answers 201 too, so that a rehearsal looks like the real
    run.
    """
    # A misspelt `dryRun` would be the real run.
    refuse_others(request, fields=frozenset({"dryRun"}), files=frozenset({"file"}))
    result = services.import_file(
        cast("BinaryIO", file.file),
        file.name or "upload",
        user_id=actor(request).user_id,
        dry_run=dry_run,
    )
    return respond(
        {
            "batches": result.batches,
            "created": result.created,
            "updated": result.updated,
            "unchanged": result.unchanged,
            "batchIds": result.batch_ids,
            "dryRun": result.dry_run,
        },
        201,
    )
