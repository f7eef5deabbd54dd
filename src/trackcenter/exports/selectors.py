"""Questions about exports. Each is for who asked for it, and for those who see everything."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from trackcenter import storage
from trackcenter.access.actor import Actor
from trackcenter.exports.files import CONTENT_TYPES
from trackcenter.exports.models import CommunicationExport, ExportStatus
from trackcenter.kit.clock import now
from trackcenter.kit.errors import NotFound
from trackcenter.kit.pagination import decode_cursor, encode_cursor

LINKS_LAST = timedelta(hours=1)


def exports_for(actor: Actor) -> "QuerySet[CommunicationExport]":
    """The exports an actor may fetch: their own, of buildings they still see."""
    rows = CommunicationExport.objects.select_related("requested_by")
    if actor.visible.ids is None:
        return rows
    return rows.filter(
        Q(buildings__contained_by=list(actor.visible.ids)), requested_by=actor.user_id
    )


def get_export(actor: Actor, export_id: UUID) -> dict[str, Any]:
    """One export (`ExportOut`)."""
    export = exports_for(actor).filter(id=export_id).first()
    if export is None:
        raise NotFound("no such export")
    return export_out(export)


def list_exports(actor: Actor, *, cursor: str | None = None, limit: int = 50) -> dict[str, Any]:
    """One page of exports, newest first (`ExportPage`)."""
    rows = exports_for(actor).order_by("-id")
    if cursor:
        rows = rows.filter(id__lt=decode_cursor(cursor, UUID)[0])
    found = list(rows[: limit + 1])
    page = found[:limit]
    return {
        "items": [export_out(export) for export in page],
        "nextCursor": encode_cursor(page[-1].id) if len(found) > limit else None,
    }


def export_out(export: CommunicationExport) -> dict[str, Any]:
    """An export as `ExportOut`, with a fresh link."""
    return {
        "id": export.id,
        "status": export.status,
        "format": export.format,
        "fileName": export.file_name,
        "progress": export.progress,
        "rowCount": export.row_count,
        "size": export.size,
        "sha256": export.sha256 or None,
        "url": _link(export),
        "expiresAt": export.expires_at,
        "reason": export.reason or None,
        "filters": export.filters,
        "requestedBy": {"id": export.requested_by.pk, "username": export.requested_by.username},
        "createdAt": export.created_at,
        "finishedAt": export.finished_at,
    }


def _link(export: CommunicationExport) -> str | None:
    if export.status != ExportStatus.READY or export.expires_at is None:
        return None
    left = export.expires_at - now()
    if left <= timedelta():
        return None
    return storage.sign_direct(
        export.sha256,
        file_name=export.file_name,
        content_type=CONTENT_TYPES[export.format],
        expires_in=min(LINKS_LAST, left),
        download=True,
    )
