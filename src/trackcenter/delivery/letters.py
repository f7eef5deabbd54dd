"""Printed matter: a letter is rendered, checked, numbered, labelled and laid ready.

A letter has no provider that could accept it twice, so a worker that dies here simply begins
again: with the letter that the attempt has, or from the start. An attempt has one letter, whatever
became of the building's texts in between.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from trackcenter import storage
from trackcenter.channels.documents.reading import page_count
from trackcenter.channels.documents.s10 import S10
from trackcenter.channels.language import text_language
from trackcenter.channels.letter import (
    SHEETS,
    Label,
    RenderedLetter,
    check_document,
    render_labels,
    render_letter,
    render_statement,
)
from trackcenter.channels.rendered import RenderedAttachment
from trackcenter.channels.sender import Sender
from trackcenter.channels.snapshot import Snapshot
from trackcenter.communications.models import Attachment, AttachmentKind
from trackcenter.delivery.branding.selectors import logo_for, wording_for
from trackcenter.delivery.claim import Claim, save
from trackcenter.providers.base import Accepted, ProviderFailure

PRINTER = "print"
"""The provider of letters: this house."""


class Branding(TypedDict):
    """What a document has of its building."""

    logo: bytes | None
    wording: Mapping[str, str]


def make_letter(claim: Claim, *, sender: Sender) -> Accepted:
    """Render, check and store a claimed letter with its label; it lies ready afterwards.

    Raises `RenderError` (which fails this letter alone) when the letter cannot be made or does not
    say for whom it is, and `ProviderFailure` while no postal numbers are to be had.
    """
    pages = _made_before(claim)
    if pages:
        return _ready(claim, pages)
    number = postal_number(claim) if claim.attempt.channel == "LETTER_WITH_RECEIPT" else None
    snapshot = addressed(claim)
    issued_on = issue_date(claim)
    letter = render_letter(
        snapshot,
        sender=sender,
        issued_on=issued_on,
        registered=number,
        **_branding(claim, snapshot),
    )
    _check(letter, snapshot)
    label = render_labels(
        [Label(letter.address, letter.document_code)],
        issued_on=issued_on,
        sheet=SHEETS["SINGLE"],
        language=snapshot.language,
        author=sender.name,
    )
    with transaction.atomic():
        save(
            claim,
            recipient="\n".join(letter.address),
            subject=letter.subject,
            document_code=letter.document_code,
        )
        attach(
            claim,
            [
                letter.as_attachment(AttachmentKind.LETTER),
                RenderedAttachment(
                    f"label-{letter.document_code}.pdf",
                    "application/pdf",
                    label,
                    AttachmentKind.LABEL,
                ),
            ],
        )
    return _ready(claim, letter.pages)


def _made_before(claim: Claim) -> int | None:
    """The pages of the letter that an earlier worker made, checked and stored for this attempt."""
    made = Attachment.objects.filter(attempt_id=claim.attempt.id, kind=AttachmentKind.LETTER)
    sha256 = made.values_list("sha256", flat=True).first()
    return page_count(storage.open(sha256)) if sha256 else None


def _ready(claim: Claim, pages: int) -> Accepted:
    attempt = claim.attempt
    return Accepted(
        provider=PRINTER,
        provider_message_id=attempt.postal_number or attempt.document_code,
        detail={"documentCode": attempt.document_code, "pages": pages},
    )


def make_statement(claim: Claim, *, sender: Sender) -> RenderedLetter:
    """The document that goes with an e-mail: the same bytes as the unit's letter.

    Raises `RenderError`.
    """
    snapshot = addressed(claim)
    statement = render_statement(
        snapshot, sender=sender, issued_on=issue_date(claim), **_branding(claim, snapshot)
    )
    _check(statement, claim.snapshot)
    return statement


def _branding(claim: Claim, snapshot: Snapshot) -> Branding:
    building_id = claim.communication.building_id
    language = text_language(snapshot.language, snapshot.country)
    return {"logo": logo_for(building_id), "wording": wording_for(building_id, language)}


def attach(claim: Claim, files: Iterable[RenderedAttachment]) -> None:
    """Store files under their hashes and tie them to the attempt, each once."""
    Attachment.objects.bulk_create(
        [
            Attachment(
                communication_id=claim.communication.id,
                attempt_id=claim.attempt.id,
                kind=file.kind,
                file_name=file.file_name,
                content_type=file.content_type,
                size=len(file.content),
                sha256=storage.save(file.content, content_type=file.content_type),
            )
            for file in files
        ],
        ignore_conflicts=True,
    )


def issue_date(claim: Claim) -> date:
    """The date a bill bears: the building's day on which its snapshot was imported.

    Never the day of rendering, so that every copy of a bill has the same bytes.
    """
    return bill_date(claim.snapshot, claim.communication.snapshot.created_at)


def bill_date(snapshot: Snapshot, imported_at: datetime) -> date:
    """The same for a snapshot and the moment it was imported."""
    zone = ZoneInfo(snapshot.time_zone or settings.TIME_ZONE)
    return imported_at.astimezone(zone).date()


def addressed(claim: Claim) -> Snapshot:
    """The bill with the attempt's corrected postal address, if it has one."""
    return corrected(claim.snapshot, claim.attempt.contact)


def corrected(snapshot: Snapshot, contact: Mapping[str, Any]) -> Snapshot:
    """The bill with the postal address of a correction, if that has one."""
    address = contact.get("address")
    if not address:
        return snapshot
    fields = ("street", "street2", "postcode", "city", "country")
    return msgspec.structs.replace(snapshot, **{name: address.get(name) or None for name in fields})


def _check(letter: RenderedLetter, snapshot: Snapshot) -> None:
    check_document(
        letter.pdf,
        document_code=letter.document_code,
        unit=snapshot.unit,
        recipient=snapshot.recipient,
    )


def postal_number(claim: Claim) -> S10:
    """The attempt's own S10 number: the one it has, or the next free one, never one used before."""
    if claim.attempt.postal_number:
        return S10.parse(claim.attempt.postal_number)
    block = settings.S10_RANGE
    if block is None:
        raise _no_numbers("Registered letters need postal numbers: set TRACKCENTER_S10_RANGE.")
    name = f"{block.service}{block.first}-{block.last}{block.country}"
    _open_block(name, block.first)
    while True:
        try:
            with transaction.atomic():
                serial = _next_serial(name, block.last)
                if serial is None:
                    raise _no_numbers(
                        "The range of postal numbers is used up: set TRACKCENTER_S10_RANGE to a "
                        "new one."
                    )
                number = S10(block.service, serial, block.country)
                save(claim, postal_number=str(number))
                return number
        except IntegrityError:
            _skip(name)  # an earlier, overlapping range used this one


def _open_block(name: str, first: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO postal_number_ranges (block, next_serial) VALUES (%s, %s)
            ON CONFLICT (block) DO NOTHING
            """,
            [name, first],
        )


def _next_serial(name: str, last: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE postal_number_ranges SET next_serial = next_serial + 1
            WHERE block = %s AND next_serial <= %s RETURNING next_serial - 1
            """,
            [name, last],
        )
        row = cursor.fetchone()
        return row[0] if row else None


def _skip(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE postal_number_ranges SET next_serial = next_serial + 1 WHERE block = %s", [name]
        )


def _no_numbers(message: str) -> ProviderFailure:
    return ProviderFailure(message, code="postal-numbers", misconfigured=True)
