"""A building's templates, previews of messages, and the estimate before sending."""

from typing import Any, Final
from uuid import UUID

from django.core.exceptions import TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from ninja import Query, Router
from pydantic import Field

from trackcenter.access.guard import readers_too
from trackcenter.access.request import actor
from trackcenter.channels.letter.logo import MAX_BYTES, too_large
from trackcenter.communications.schemas import ChannelName
from trackcenter.delivery.branding import services
from trackcenter.delivery.branding.estimate import estimate
from trackcenter.delivery.branding.preview import preview
from trackcenter.delivery.branding.schemas import (
    EstimateOut,
    PreviewIn,
    PreviewOut,
    TemplatesIn,
    TemplatesOut,
)
from trackcenter.delivery.branding.settings_page import get_templates
from trackcenter.kit.errors import InputError
from trackcenter.kit.wire import WireSchema, respond

router = Router(tags=["templates"])

_LOGO_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": f"PNG, JPEG or SVG of up to {MAX_BYTES // 1024} KB",
                        }
                    },
                }
            }
        },
    }
}


class EstimateQuery(WireSchema):
    channel: list[ChannelName] = Field(default=[], description="only these channels")


@router.get(
    "/buildings/{building_id}/templates", operation_id="getTemplates", response=TemplatesOut
)
def read_templates(request: HttpRequest, building_id: UUID) -> HttpResponse:
    """A building's sender, logo and texts, the built-in ones, and what texts may show."""
    return respond(get_templates(actor(request).visible, building_id))


@router.put(
    "/buildings/{building_id}/templates", operation_id="saveTemplates", response=TemplatesOut
)
def save_templates(request: HttpRequest, building_id: UUID, body: TemplatesIn) -> HttpResponse:
    """Replace the sender, the texts of all languages, or both. Faulty texts are 422 by field."""
    services.save_templates(actor(request), building_id, body)
    return respond(get_templates(actor(request).visible, building_id))


@router.put(
    "/buildings/{building_id}/logo",
    operation_id="saveLogo",
    response=TemplatesOut,
    openapi_extra=_LOGO_FORM,
)
def save_logo(request: HttpRequest, building_id: UUID) -> HttpResponse:
    """Replace the logo that letters, statements and e-mails bear."""
    services.save_logo(actor(request), building_id, _sent_file(request))
    return respond(get_templates(actor(request).visible, building_id))


@router.delete("/buildings/{building_id}/logo", operation_id="removeLogo", response=TemplatesOut)
def remove_logo(request: HttpRequest, building_id: UUID) -> HttpResponse:
    """Go without a logo."""
    services.remove_logo(actor(request), building_id)
    return respond(get_templates(actor(request).visible, building_id))


@router.post(
    "/templates/preview", operation_id="previewMessage", auth=readers_too, response=PreviewOut
)
def preview_message(request: HttpRequest, body: PreviewIn) -> HttpResponse:
    """One bill as it would be sent now, with saved or unsaved texts; nothing is sent.

    422 when it could not be sent, in the words its failure would have.
    """
    return respond(preview(actor(request), body))


@router.get("/batches/{batch_id}/estimate", operation_id="estimateBatch", response=EstimateOut)
def estimate_batch(
    request: HttpRequest, batch_id: UUID, query: Query[EstimateQuery]
) -> HttpResponse:
    """What sending the rest of a batch takes: messages by channel, segments of text messages."""
    return respond(estimate(actor(request).visible, batch_id, query.channel))


def _sent_file(request: HttpRequest) -> bytes:
    """The form's `file`. Django reads forms of POST alone; a PUT has to be asked for its own."""
    if request.content_type != "multipart/form-data":
        raise InputError.at("body", msg="send the picture as multipart/form-data, field `file`")
    if int(request.META.get("CONTENT_LENGTH") or 0) > 2 * MAX_BYTES:
        raise _too_large()
    try:
        _, files = MultiPartParser(request.META, request, request.upload_handlers).parse()
    except (MultiPartParserError, TooManyFilesSent) as error:
        raise InputError.at("body", msg="is no form that can be read") from error
    sent = files.get("file")
    if sent is None:
        raise InputError.at("body", "file", msg="is missing")
    if sent.size > MAX_BYTES:
        raise _too_large()
    content: bytes = sent.read()
    return content


def _too_large() -> InputError:
    return InputError.at("body", "file", msg=too_large())
