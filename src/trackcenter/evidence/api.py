"""`/communications/{id}/evidence`."""

from uuid import UUID

from django.http import FileResponse, HttpRequest
from ninja import Router

from trackcenter.access.request import actor
from trackcenter.evidence.bundle import make_bundle

router = Router(tags=["communications"])

ZIP = {
    "description": "A zip with the record, the files, the proofs and a program that checks them",
    "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
}


@router.get(
    "/communications/{communication_id}/evidence",
    operation_id="getEvidence",
    response={200: None},
    openapi_extra={"responses": {200: ZIP}},
)
def get_evidence(request: HttpRequest, communication_id: UUID) -> FileResponse:
    """Everything on record about one communication, with proofs that need no trust in us.

    Unpack it and run `python3 verify.py`, offline; `README.txt` says what it proves.
    """
    bundle, name = make_bundle(actor(request), communication_id)
    response = FileResponse(bundle, as_attachment=True, filename=name)
    response["Content-Type"] = "application/zip"
    response["Cache-Control"] = "no-store"
    return response
