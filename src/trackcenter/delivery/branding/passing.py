"""What a preview made, for as long as somebody looks at it.

Storage keeps what was sent, and for good. A preview was not, and holds somebody's bill: so it lies
in a table of its own, behind a signed link that runs out within the hour, and is then forgotten.
"""

from datetime import timedelta
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path
from django.views.decorators.http import require_safe

from trackcenter.delivery.branding.models import PreviewFile
from trackcenter.kit.clock import now
from trackcenter.storage.links import Link
from trackcenter.storage.views import dressed, refusal

LASTS = timedelta(hours=1)

_PREFIX = "/previews/"
_SALT = "trackcenter.delivery.previews"


def keep(content: bytes, *, file_name: str, content_type: str) -> str:
    """Keep a file of a preview for an hour; its signed path."""
    forget()
    file = PreviewFile.objects.create(content=content)
    return _PREFIX + signing.dumps([str(file.id), file_name, content_type], salt=_SALT)


def forget() -> None:
    """Delete what nobody can open any more."""
    PreviewFile.objects.filter(created_at__lt=now() - LASTS).delete()


@require_safe
def serve(request: HttpRequest, token: str) -> HttpResponseBase:  # noqa: ARG001
    """A preview's file, locked up as stored ones are; 403 when altered, 410 when it ran out."""
    try:
        name, file_name, content_type = signing.loads(token, salt=_SALT, max_age=LASTS)
    except signing.SignatureExpired:
        return refusal("This preview has expired. Make it again where you found it.", 410)
    except signing.BadSignature:
        return refusal("This link is not valid.", 403)
    file = PreviewFile.objects.filter(id=UUID(name)).first()
    if file is None:
        return refusal("This preview has expired. Make it again where you found it.", 410)
    content = bytes(file.content)
    link = Link(name, file_name, content_type, file.created_at + LASTS)
    return dressed(HttpResponse(content), link, len(content))


urlpatterns = [path(f"{_PREFIX.removeprefix('/')}<str:token>", serve, name="preview-file")]
