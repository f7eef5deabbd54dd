"""One bill as it would be sent now, with texts that may be unsaved. Nothing is sent or stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from trackcenter.access.actor import Actor
from trackcenter.access.log import record_reading
from trackcenter.access.models import Act
from trackcenter.buildings.models import Building
from trackcenter.channels.email import render_email
from trackcenter.channels.errors import RenderError
from trackcenter.channels.language import text_language
from trackcenter.channels.letter import (
    RenderedLetter,
    check_document,
    render_letter,
    render_statement,
)
from trackcenter.channels.proofreading import sample_row
from trackcenter.channels.sender import Sender
from trackcenter.channels.sms import render_sms
from trackcenter.channels.snapshot import Snapshot
from trackcenter.channels.texts import LANGUAGES
from trackcenter.communications.models import AttachmentKind, Communication
from trackcenter.delivery.branding.estimate import cost_hint
from trackcenter.delivery.branding.models import BuildingSender, BuildingTemplate
from trackcenter.delivery.branding.passing import keep
from trackcenter.delivery.branding.schemas import PreviewIn
from trackcenter.delivery.branding.selectors import (
    FIELDS,
    letter_wording,
    sender_from,
    sms_wording,
    stored_logo,
)
from trackcenter.delivery.branding.services import apply_sender, checked_texts
from trackcenter.delivery.letters import bill_date, corrected
from trackcenter.kit.clock import now
from trackcenter.kit.errors import InputError, NotFound


@dataclass(frozen=True, slots=True)
class _Bill:
    """What is to be shown; without a communication it is a sample."""

    building: Building
    snapshot: Snapshot
    imported_at: datetime
    channel: str
    contact: Mapping[str, Any]
    communication: Communication | None


def preview(actor: Actor, wanted: PreviewIn) -> dict[str, Any]:
    """The message, as `PreviewOut`.

    Who looks at somebody's bill is written down in the access log. Raises NotFound, and InputError
    for faulty texts and for a bill that cannot be rendered, in the words its failure would have.
    """
    bill = _found(actor, wanted)
    snapshot = corrected(bill.snapshot, bill.contact)
    if wanted.language:
        if wanted.language not in LANGUAGES:
            known = ", ".join(sorted(LANGUAGES))
            raise InputError.at("body", "language", msg=f"known are {known}")
        snapshot = msgspec.structs.replace(snapshot, language=wanted.language)
    language = text_language(snapshot.language, snapshot.country)
    row = BuildingSender.objects.filter(building=bill.building).first()
    row = row or BuildingSender(building=bill.building)
    if wanted.sender is not None:
        row = apply_sender(row, wanted.sender)
    if wanted.templates is not None:
        texts = checked_texts(wanted.templates).get(language, {})
    else:
        saved = BuildingTemplate.objects.filter(building=bill.building, language=language)
        texts = dict(saved.values(*FIELDS).first() or {})
    if bill.communication is not None:
        record_reading(actor, Act.COMMUNICATION_READ, bill.communication.id)
    try:
        shown = _rendered(bill, snapshot, row, texts)
    except RenderError as error:
        raise InputError.at("body", msg=error.message) from error
    one = bill.communication
    return {
        "buildingId": bill.building.id,
        "unitId": one.unit_id if one else None,
        "unitNumber": snapshot.unit,
        "communicationId": one.id if one and one.channel == bill.channel else None,
        "year": snapshot.year,
        "channel": bill.channel,
        "language": language,
        "recipientName": snapshot.recipient,
        **shown,
    }


def _rendered(
    bill: _Bill, snapshot: Snapshot, row: BuildingSender, texts: Mapping[str, str]
) -> dict[str, Any]:
    sender = sender_from(row, snapshot.payee)
    nothing = dict.fromkeys(
        ("subject", "text", "htmlUrl", "sms", "pdfUrl", "documentCode", "pages")
    )
    if bill.channel == "SMS":
        to = bill.contact.get("phone") or snapshot.phone
        if not to:
            raise RenderError("there is no phone number")
        return {**nothing, "recipient": to, "sms": _sms(snapshot, sender, texts)}
    document = _document(bill, snapshot, sender, row, texts)
    shown = {
        **nothing,
        "subject": document.subject,
        "pdfUrl": keep(document.pdf, file_name=document.file_name, content_type="application/pdf"),
        "documentCode": document.document_code,
        "pages": document.pages,
        "recipient": "\n".join(document.address),
    }
    if bill.channel != "EMAIL":
        return shown
    to = bill.contact.get("email") or snapshot.email
    if not to:
        raise RenderError("there is no e-mail address")
    mail = render_email(
        snapshot,
        sender=sender,
        wording=letter_wording(texts),
        logo=_logo(row),
        attachments=[document.as_attachment(AttachmentKind.STATEMENT)],
    )
    html = keep(
        mail.html.encode(), file_name="message.html", content_type="text/html; charset=utf-8"
    )
    return shown | {"subject": mail.subject, "text": mail.text, "htmlUrl": html, "recipient": to}


def _document(
    bill: _Bill,
    snapshot: Snapshot,
    sender: Sender,
    row: BuildingSender,
    texts: Mapping[str, str],
) -> RenderedLetter:
    """The letter, or an e-mail's statement. No postal number is used up for a preview."""
    render = render_statement if bill.channel == "EMAIL" else render_letter
    document = render(
        snapshot,
        sender=sender,
        issued_on=bill_date(snapshot, bill.imported_at),
        logo=_logo(row),
        wording=letter_wording(texts),
    )
    check_document(
        document.pdf,
        document_code=document.document_code,
        unit=snapshot.unit,
        recipient=snapshot.recipient,
    )
    return document


def _logo(row: BuildingSender) -> bytes | None:
    return stored_logo(row.logo_sha256) if row.logo_sha256 else None


def _sms(snapshot: Snapshot, sender: Sender, texts: Mapping[str, str]) -> dict[str, Any]:
    sms = render_sms(snapshot, sender=sender, wording=sms_wording(texts))
    return {
        "text": sms.text,
        "encoding": sms.encoding,
        "characters": len(sms.text),
        "segments": sms.segments,
        "costHint": cost_hint(sms.segments),
    }


def _found(actor: Actor, wanted: PreviewIn) -> _Bill:
    rows = (
        Communication.objects.visible_to(actor.visible)
        .select_related("building", "snapshot", "unit")
        .order_by("-year", "unit__sort_key", "channel")
    )
    if wanted.communication_id is not None:
        one = rows.filter(id=wanted.communication_id).first()
        if one is None:
            raise NotFound("no such communication")
        return _bill_of(one, wanted.channel)
    building_id = wanted.building_id
    rows = rows.filter(**({"unit_id": wanted.unit_id} if wanted.unit_id else {}))
    rows = rows.filter(**({"building_id": building_id} if building_id else {}))
    rows = rows.filter(**({"year": wanted.year} if wanted.year else {}))
    one = rows.filter(channel=wanted.channel).first() if wanted.channel else None
    one = one or rows.first()
    if one is not None:
        return _bill_of(one, wanted.channel)
    if building_id is None:
        raise NotFound("no bill of that unit and year")
    building = Building.objects.visible_to(actor.visible).filter(id=building_id).first()
    if building is None:
        raise NotFound("no such building")
    return _sample(building, wanted)


def _bill_of(one: Communication, channel: str | None) -> _Bill:
    attempt = one.attempts.order_by("-number").first()
    return _Bill(
        building=one.building,
        snapshot=Snapshot.from_row(one.snapshot.row),
        imported_at=one.snapshot.created_at,
        channel=channel or (attempt.channel if attempt else one.channel),
        contact=attempt.contact if attempt else {},
        communication=one,
    )


def _sample(building: Building, wanted: PreviewIn) -> _Bill:
    row = sample_row(wanted.language if wanted.language in LANGUAGES else "de")
    row |= {
        "buildingCode": building.code,
        "buildingName": building.name,
        "buildingAddress": building.address or None,
        "year": wanted.year or row["year"],
    }
    return _Bill(building, Snapshot.from_row(row), now(), wanted.channel or "EMAIL", {}, None)
