"""`/export` and `/exports`."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from trackcenter.access.guard import readers_too
from trackcenter.access.request import actor
from trackcenter.exports import selectors, services
from trackcenter.exports.schemas import ExportIn, ExportOut, ExportPage
from trackcenter.kit.pagination import PageQuery
from trackcenter.kit.wire import respond

router = Router(tags=["exports"])


@router.post("/export", operation_id="requestExport", auth=readers_too, response={202: ExportOut})
def request_export(request: HttpRequest, body: ExportIn) -> HttpResponse:
    """Ask for a file of communications, as CSV or XLSX; a worker writes it."""
    filters = body.filters.model_dump(mode="json", by_alias=True, exclude_none=True)
    export = services.request_export(actor(request), filters, body.format)
    return respond(selectors.export_out(export), 202)


@router.get("/export/{export_id}", operation_id="getExport", response=ExportOut)
def get_export(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """How far an export is, and once READY, where its file is."""
    return respond(selectors.get_export(actor(request), export_id))


@router.get("/exports", operation_id="listExports", response=ExportPage)
def list_exports(request: HttpRequest, query: Query[PageQuery]) -> HttpResponse:
    """Your exports, newest first; who sees every building sees everybody's."""
    return respond(selectors.list_exports(actor(request), **query.dict()))
