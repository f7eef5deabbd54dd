"""Who a building's messages come from, and in whose words they speak.

Read afresh for every message, a row by its key: what somebody saved counts from the next message
on, in every process.
"""

from collections.abc import Mapping
from functools import lru_cache
from uuid import UUID

from django.conf import settings

from trackcenter import storage
from trackcenter.channels.sender import Sender
from trackcenter.channels.snapshot import Snapshot
from trackcenter.delivery.branding.models import BuildingSender, BuildingTemplate

LETTER_FIELDS = ("subject", "greeting", "intro", "closing")
FIELDS = (*LETTER_FIELDS, "sms_text")


def sender_for(snapshot: Snapshot, building_id: UUID) -> Sender:
    """The sender of a bill: the building's own where it has one, else the installation's."""
    row = BuildingSender.objects.filter(building_id=building_id).first()
    return sender_from(row or BuildingSender(), snapshot.payee)


def sender_from(row: BuildingSender, payee: str | None) -> Sender:
    """The sender of a row that may be unsaved, filled up with the installation's settings.

    `payee` is the bill's own, which always counts first.
    """
    name = row.sender_name or settings.SENDER_NAME
    # Where nobody names a payee it is who writes, not who would have written.
    usual = settings.PAYEE_NAME if settings.PAYEE_NAME != settings.SENDER_NAME else name
    return Sender(
        name=name,
        address=row.sender_address or settings.SENDER_ADDRESS or "",
        reply_to=row.reply_to or None,
        phone=row.phone or None,
        payee=payee or row.payee or usual,
    )


def wording_for(building_id: UUID, language: str) -> Mapping[str, str]:
    """The building's texts for letters and e-mails in the language of the words (`de`, `en`)."""
    return letter_wording(_texts(building_id, language))


def sms_wording_for(building_id: UUID, language: str) -> Mapping[str, str]:
    """The same for text messages."""
    return sms_wording(_texts(building_id, language))


def logo_for(building_id: UUID) -> bytes | None:
    """The building's logo as it is stored: PNG, JPEG or SVG that `channels.letter` accepted."""
    rows = BuildingSender.objects.filter(building_id=building_id)
    sha256 = rows.values_list("logo_sha256", flat=True).first()
    return stored_logo(sha256) if sha256 else None


@lru_cache(maxsize=64)
def stored_logo(sha256: str) -> bytes:
    """A logo by its hash; what has a hash never changes."""
    return storage.open(sha256)


def letter_wording(texts: Mapping[str, str]) -> dict[str, str]:
    """Of a language's texts (by `FIELDS`) those that `render_letter` and `render_email` take."""
    return {name: texts[name] for name in LETTER_FIELDS if texts.get(name)}


def sms_wording(texts: Mapping[str, str]) -> dict[str, str]:
    """Of a language's texts (by `FIELDS`) what `render_sms` takes."""
    return {"text": texts["sms_text"]} if texts.get("sms_text") else {}


def _texts(building_id: UUID, language: str) -> dict[str, str]:
    rows = BuildingTemplate.objects.filter(building_id=building_id, language=language)
    return dict(rows.values(*FIELDS).first() or {})
