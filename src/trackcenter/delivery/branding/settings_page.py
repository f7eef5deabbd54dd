"""What the settings of a building's templates show (`TemplatesOut`)."""

from typing import Any
from uuid import UUID

from django.conf import settings

from trackcenter import storage
from trackcenter.access.visible import VisibleBuildings
from trackcenter.buildings.models import Building
from trackcenter.channels.proofreading import MAX_SOURCE, variables
from trackcenter.channels.texts import LANGUAGES, source
from trackcenter.communications.selectors import LINKS_LAST
from trackcenter.delivery.branding.models import BuildingSender, BuildingTemplate
from trackcenter.delivery.branding.selectors import LETTER_FIELDS
from trackcenter.kit.errors import NotFound


def get_templates(visible: VisibleBuildings, building_id: UUID) -> dict[str, Any]:
    """A building's sender, logo and texts, and what applies where it has none (`TemplatesOut`)."""
    if not Building.objects.visible_to(visible).filter(id=building_id).exists():
        raise NotFound("no such building")
    sender = BuildingSender.objects.select_related("updated_by").filter(building_id=building_id)
    rows = BuildingTemplate.objects.select_related("updated_by").filter(building_id=building_id)
    mine, own = sender.first(), {row.language: row for row in rows}
    saved: list[BuildingSender | BuildingTemplate] = [*own.values(), *([mine] if mine else [])]
    latest = max(saved, key=lambda row: row.updated_at, default=None)
    by = latest.updated_by if latest else None
    return {
        "buildingId": building_id,
        "sender": _sender(mine or BuildingSender()),
        "installation": {
            "name": settings.SENDER_NAME,
            "address": settings.SENDER_ADDRESS,
            "replyTo": None,
            "phone": None,
            "payee": settings.PAYEE_NAME,
        },
        "logo": _logo(mine) if mine and mine.logo_sha256 else None,
        "languages": {
            language: _language(language, own.get(language)) for language in sorted(LANGUAGES)
        },
        "limits": {_wire(field): most for field, most in MAX_SOURCE.items()},
        "updatedAt": latest.updated_at if latest else None,
        "updatedBy": {"id": by.pk, "username": by.username} if by else None,
    }


def _sender(row: BuildingSender) -> dict[str, str | None]:
    return {
        "name": row.sender_name or None,
        "address": row.sender_address or None,
        "replyTo": row.reply_to or None,
        "phone": row.phone or None,
        "payee": row.payee or None,
    }


def _logo(row: BuildingSender) -> dict[str, Any]:
    suffix = row.logo_content_type.partition("/")[2].partition("+")[0]
    return {
        "sha256": row.logo_sha256,
        "contentType": row.logo_content_type,
        "size": storage.size(row.logo_sha256),
        "url": storage.sign(
            row.logo_sha256,
            file_name=f"logo.{suffix}",
            content_type=row.logo_content_type,
            expires_in=LINKS_LAST,
        ),
    }


def _language(language: str, own: BuildingTemplate | None) -> dict[str, Any]:
    return {
        "texts": {_wire(field): getattr(own, field, "") or None for field in MAX_SOURCE},
        "builtIn": {
            "email": {field: source(language, "email", field) for field in LETTER_FIELDS},
            "letter": {field: source(language, "letter", field) for field in LETTER_FIELDS},
            "smsText": source(language, "sms", "text"),
        },
        "variables": [
            {"name": one.name, "example": one.example, "always": one.always, "isList": one.is_list}
            for one in variables(language)
        ],
    }


def _wire(field: str) -> str:
    return "smsText" if field == "sms_text" else field
