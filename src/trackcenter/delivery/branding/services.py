"""Changing a building's sender, logo and texts. What could not be sent is not saved."""

import re
from collections.abc import Mapping
from datetime import date
from uuid import UUID

from django.db import transaction
from email_validator import EmailNotValidError, validate_email

from trackcenter import storage
from trackcenter.access.actor import Actor
from trackcenter.buildings.models import Building
from trackcenter.channels.email import render_email
from trackcenter.channels.errors import RenderError
from trackcenter.channels.letter import read_logo, render_letter
from trackcenter.channels.proofreading import proofread, sample_row
from trackcenter.channels.sender import Sender
from trackcenter.channels.snapshot import Snapshot
from trackcenter.channels.texts import LANGUAGES
from trackcenter.delivery.branding.models import BuildingSender, BuildingTemplate
from trackcenter.delivery.branding.schemas import SenderIn, TemplateIn, TemplatesIn
from trackcenter.delivery.branding.selectors import (
    FIELDS,
    letter_wording,
    sender_from,
    stored_logo,
)
from trackcenter.kit.clock import now
from trackcenter.kit.errors import InputError, NotFound, Problem, Sentence

_PHONE = re.compile(r"[+(]?\d[\d ()/.-]{3,38}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BROKEN_LINE = Sentence("has a line break or control character in it", "lineBreakOrControl")
_MAX_LINES = 6
_ANY_DAY = date(2026, 1, 31)

Texts = Mapping[str, str]


def save_templates(actor: Actor, building_id: UUID, wanted: TemplatesIn) -> None:
    """Replace the building's sender, or its texts, or both: what `wanted` has.

    Raises InputError naming every field that is wrong, and why; then nothing is saved.
    """
    building = _building(actor, building_id)
    kept = BuildingSender.objects.filter(building=building).first()
    sender = kept or BuildingSender(building=building)
    if wanted.sender is not None:
        sender = apply_sender(sender, wanted.sender)
    texts = checked_texts(wanted.templates) if wanted.templates is not None else None
    _rehearse(sender, texts)
    changed = {"updated_at": now(), "updated_by_id": actor.user_id}
    with transaction.atomic():
        if wanted.sender is not None:
            names = ("sender_name", "sender_address", "reply_to", "phone", "payee")
            values = {name: getattr(sender, name) for name in names}
            BuildingSender.objects.update_or_create(
                building=building, defaults={**values, **changed}
            )
        if texts is not None:
            spoken = [language for language, own in texts.items() if any(own.values())]
            mine = BuildingTemplate.objects.filter(building=building)
            mine.exclude(language__in=spoken).delete()
            for language in spoken:
                BuildingTemplate.objects.update_or_create(
                    building=building, language=language, defaults={**texts[language], **changed}
                )


def save_logo(actor: Actor, building_id: UUID, content: bytes) -> None:
    """Check and keep a logo. Raises InputError saying what is wrong with it."""
    building = _building(actor, building_id)
    try:
        logo = read_logo(content)
    except RenderError as error:
        raise InputError.at("body", "file", msg=error.message) from error
    kind = _kind(content)
    if kind == "image/svg+xml":
        content = logo.svg.encode()  # what an editor noted in it is nobody's business
    sender = BuildingSender.objects.filter(building=building).first()
    sender = sender or BuildingSender(building=building)
    _rehearse(sender, None, logo=content)
    BuildingSender.objects.update_or_create(
        building=building,
        defaults={
            "logo_sha256": storage.save(content, content_type=kind),
            "logo_content_type": kind,
            "updated_at": now(),
            "updated_by_id": actor.user_id,
        },
    )


def remove_logo(actor: Actor, building_id: UUID) -> None:
    """Go without a logo from now on; without one already, nothing changes."""
    building = _building(actor, building_id)
    BuildingSender.objects.filter(building=building).exclude(logo_sha256="").update(
        logo_sha256="", logo_content_type="", updated_at=now(), updated_by_id=actor.user_id
    )


def apply_sender(row: BuildingSender, wanted: SenderIn) -> BuildingSender:
    """The same row, unsaved, with another sender block. Raises InputError naming each field."""
    values = {
        "name": wanted.name or "",
        "address": wanted.address or "",
        "replyTo": wanted.reply_to or "",
        "phone": wanted.phone or "",
        "payee": wanted.payee or "",
    }
    problems = [
        Problem(("body", "sender", field), _BROKEN_LINE)
        for field, value in values.items()
        if (_CONTROL_BUT_LINES if field == "address" else _CONTROL).search(value)
    ]
    if len(re.split(r"[\r\n,]+", values["address"])) > _MAX_LINES:
        problems.append(Problem(("body", "sender", "address"), f"at most {_MAX_LINES} lines"))
    if values["phone"] and not _PHONE.fullmatch(values["phone"]):
        problems.append(Problem(("body", "sender", "phone"), "is no telephone number"))
    if values["replyTo"]:
        try:
            checked = validate_email(values["replyTo"], check_deliverability=False)
            values["replyTo"] = checked.normalized
        except EmailNotValidError as error:
            problems.append(Problem(("body", "sender", "replyTo"), str(error)))
    if problems:
        raise InputError(problems)
    return BuildingSender(
        building_id=row.building_id,
        sender_name=values["name"],
        sender_address=values["address"],
        reply_to=values["replyTo"],
        phone=values["phone"],
        payee=values["payee"],
        logo_sha256=row.logo_sha256,
        logo_content_type=row.logo_content_type,
    )


def checked_texts(wanted: Mapping[str, TemplateIn]) -> dict[str, dict[str, str]]:
    """Texts by language and field, proofread. Raises InputError naming each that is faulty."""
    problems: list[Problem] = []
    texts: dict[str, dict[str, str]] = {}
    for language, template in wanted.items():
        if language not in LANGUAGES:
            known = ", ".join(sorted(LANGUAGES))
            problems.append(Problem(("body", "templates", language), f"known are {known}"))
            continue
        texts[language] = {field: getattr(template, field) or "" for field in FIELDS}
        for field, source in texts[language].items():
            if source:
                problems += [
                    Problem(_place(language, field), complaint)
                    for complaint in proofread(field, source, language)
                ]
    if problems:
        raise InputError(problems)
    return texts


def _rehearse(
    sender: BuildingSender,
    texts: Mapping[str, Texts] | None,
    *,
    logo: bytes | None = None,
) -> None:
    """Render a sample bill as it would be sent. Raises InputError where that fails."""
    if logo is None and sender.logo_sha256:
        logo = stored_logo(sender.logo_sha256)
    fails = _failure("en", sender, {}, logo)
    if fails:
        where = ("body", "sender") if _failure("en", sender, {}, None) else ("body", "file")
        raise InputError.at(*where, msg=fails)
    problems = []
    for language, own in (texts or {}).items():
        if _failure(language, sender, letter_wording(own), logo):
            for field, source in letter_wording(own).items():
                if fails := _failure(language, sender, {field: source}, logo):
                    problems.append(Problem(_place(language, field), fails))
    if problems:
        raise InputError(problems)


def _failure(language: str, row: BuildingSender, wording: Texts, logo: bytes | None) -> str | None:
    """Why a sample letter or e-mail cannot be made, if so: no font, no room …"""
    bill = Snapshot.from_row(sample_row(language))
    sender: Sender = sender_from(row, bill.payee)
    try:
        render_email(bill, sender=sender, wording=wording)
        render_letter(bill, sender=sender, issued_on=_ANY_DAY, logo=logo, wording=wording)
    except RenderError as error:
        return error.message
    return None


def _place(language: str, field: str) -> tuple[str, ...]:
    return ("body", "templates", language, "smsText" if field == "sms_text" else field)


def _kind(content: bytes) -> str:
    if content.startswith(b"\x89PNG"):
        return "image/png"
    return "image/jpeg" if content.startswith(b"\xff\xd8") else "image/svg+xml"


def _building(actor: Actor, building_id: UUID) -> Building:
    building = Building.objects.visible_to(actor.visible).filter(id=building_id).first()
    if building is None:
        raise NotFound("no such building")
    return building
