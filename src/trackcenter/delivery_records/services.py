"""What people say about deliveries: manual marks and delivery records, with their proofs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from trackcenter.access.actor import Actor
from trackcenter.buildings.models import Channel, Unit
from trackcenter.communications import events, services
from trackcenter.communications.events import NewEvent, Written
from trackcenter.communications.models import AuditNote, Communication, Source
from trackcenter.communications.payloads import ManualMarked, Notice, Payload
from trackcenter.delivery_records.models import UnitDeliveryRecord
from trackcenter.delivery_records.proofs import Proof, attach
from trackcenter.kit.clock import iso, now
from trackcenter.kit.errors import Conflict, InputError, NotFound, Sentence

CHANNEL_OF_METHOD = {
    "EMAIL": Channel.EMAIL,
    "SMS": Channel.SMS,
    "LETTER": Channel.LETTER,
    "POST": Channel.LETTER,
    "POSTAL": Channel.LETTER,
    "POSTAL_DELIVERY": Channel.LETTER,
    "HAND_DELIVERY": Channel.LETTER,
    "LETTER_WITH_RECEIPT": Channel.LETTER_WITH_RECEIPT,
    "REGISTERED_LETTER": Channel.LETTER_WITH_RECEIPT,
    "RECEIPT_CONFIRMED": Channel.LETTER_WITH_RECEIPT,
}
"""Which communication a record is about. Another word is about the unit's newest."""

RETURNED = "RETURNED"

POSTED = "POSTAL_DELIVERY"
"""A letter that left us: its moment is the posting, and nobody says that it arrived."""

FIELDS = ("dispatched_at", "delivered_at", "witness", "note")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a record: the event is None when nothing was new."""

    record: UnitDeliveryRecord
    communication: Communication
    event: Written | None
    created: bool


@transaction.atomic
def manual_event(
    actor: Actor,
    communication_id: UUID,
    *,
    type: str,
    note: str,
    occurred_at: datetime | None = None,
    dispatched_at: datetime | None = None,
    witness: str | None = None,
    proof: Proof | None = None,
) -> Written:
    """`communications.services.manual_event`, with a proof that hangs on the communication.

    Who says when it was dispatched or who saw it also keeps the delivery record of that unit, year
    and way (`type`): one event tells both. `occurred_at` is the day of delivery in it, or of
    dispatch where it only was posted. Raises `InputError` for moments that cannot be.
    """
    given = {"dispatched_at": dispatched_at, "witness": witness, "delivered_at": occurred_at}
    if type == POSTED:
        given |= {"dispatched_at": dispatched_at or occurred_at, "delivered_at": None}
    kept = None
    if dispatched_at or witness:
        if type == RETURNED:
            words = "mail that came back was neither handed over nor witnessed"
            msg = Sentence(words, "returnedHasNoHandover")
            raise InputError.at("body", "type", msg=msg)
        communication = _visible(actor, communication_id)
        kept = _keep(
            actor,
            _locked(actor, communication.unit_id),
            communication,
            year=communication.year,
            method=type,
            given={"note": note.strip(), **{key: said for key, said in given.items() if said}},
            proofs=[proof] if proof else [],
        )
    written = services.manual_event(
        actor,
        communication_id,
        type=type,
        note=note,
        occurred_at=occurred_at,
        proof_sha256=proof.sha256 if proof else None,
        detail=kept.detail if kept else None,
    )
    if proof and not kept:
        attach(_visible(actor, communication_id), [proof])
    return written


@transaction.atomic
def record_delivery(
    actor: Actor,
    unit_id: UUID,
    *,
    year: int,
    method: str,
    given: dict[str, Any],
    proofs: Sequence[Proof] = (),
) -> Recorded:
    """Create or change the record of a unit, year and method.

    `given` holds those of `FIELDS` that were said: a moment (aware), a text, or None to take it
    back. Every change is an event with the old and the new values: MANUAL_MARKED when the delivery
    itself is vouched for or dated anew, else a NOTICE. Saying the same again changes nothing.
    Raises `InputError` for moments that cannot be and for a new record that says nothing, and
    `Conflict` for a unit without bills.
    """
    unit = _locked(actor, unit_id)
    communication = _communication_of(actor, unit, year, method)
    kept = _keep(actor, unit, communication, year=year, method=method, given=given, proofs=proofs)
    record, changes = kept.record, kept.changes
    if not kept.created and not changes and not proofs:
        return Recorded(record, communication, None, created=False)
    event = events.append(
        [
            NewEvent(
                communication_id=communication.id,
                payload=_payload(kept, proofs),
                source=Source.USER,
                user_id=actor.user_id,
                occurred_at=record.delivered_at if "deliveredAt" in changes else None,
            )
        ]
    )[0]
    AuditNote.objects.create(
        communication=communication,
        user_id=actor.user_id,
        event_id=event.id,
        note=_words(record, changes),
    )
    return Recorded(record, communication, event, kept.created)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A record as it now stands, and what an event says about the change."""

    record: UnitDeliveryRecord
    created: bool
    changes: dict[str, dict[str, Any]]
    detail: dict[str, Any]


def _keep(
    actor: Actor,
    unit: Unit,
    communication: Communication,
    *,
    year: int,
    method: str,
    given: dict[str, Any],
    proofs: Sequence[Proof],
) -> _Kept:
    """Write what was said into the record of a unit, year and method; its event is the caller's."""
    record = UnitDeliveryRecord.objects.filter(unit=unit, year=year, method=method).first()
    created = record is None
    record = record or UnitDeliveryRecord(
        unit=unit, year=year, method=method, recorded_by_id=actor.user_id
    )
    changes = _apply(record, given)
    _check(record, changes)
    said = [str(change["new"] or "").strip() for change in changes.values()]
    if created and not any(said) and not proofs:
        # That it was delivered somehow proves nothing.
        msg = Sentence("a record takes a day, a witness, a note or a file", "recordSaysNothing")
        raise InputError.at("body", "note", msg=msg)
    if created or changes or proofs:
        record.updated_at = now()
        record.save()
        record.attachments.add(*attach(communication, proofs))
    detail = {
        "recordId": str(record.id),
        "method": method,
        "year": year,
        "created": created,
        "changes": changes,
        "proofs": [proof.sha256 for proof in proofs],
    }
    return _Kept(record, created, changes, detail)


def _locked(actor: Actor, unit_id: UUID) -> Unit:
    """The unit, locked: two requests about one record come one after the other."""
    units = Unit.objects.visible_to(actor.visible).select_for_update()
    unit = units.filter(id=unit_id).first()
    if unit is None:
        raise NotFound("no such unit")
    return unit


def _visible(actor: Actor, communication_id: UUID) -> Communication:
    communications = Communication.objects.visible_to(actor.visible)
    communication = communications.filter(id=communication_id).first()
    if communication is None:
        raise NotFound("no such communication")
    return communication


def _communication_of(actor: Actor, unit: Unit, year: int, method: str) -> Communication:
    """The unit's communication of that year and channel, else its newest."""
    rows = Communication.objects.visible_to(actor.visible).filter(unit=unit)
    rows = rows.exclude(delivery_status="CANCELLED").order_by("-year", "-created_at", "-id")
    of_year = rows.filter(year=year)
    found = of_year.filter(channel=CHANNEL_OF_METHOD.get(method, "")).first()
    found = found or of_year.first() or rows.first()
    if found is None:
        words = "this unit has no bill yet that a delivery could be recorded for"
        raise Conflict(Sentence(words, "unitWithoutBill"))
    return found


def _apply(record: UnitDeliveryRecord, given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Set what was given; the changes as {wire name: {old, new}}."""
    changes = {}
    for name in FIELDS:
        if name not in given:
            continue
        old, new = getattr(record, name), given[name]
        if new is None and name in ("witness", "note"):
            new = ""
        if old != new:
            setattr(record, name, new)
            changes[_WIRE[name]] = {"old": old or None, "new": new or None}
    return changes


_WIRE = {
    "dispatched_at": "dispatchedAt",
    "delivered_at": "deliveredAt",
    "witness": "witness",
    "note": "note",
}


def _check(record: UnitDeliveryRecord, changes: dict[str, dict[str, Any]]) -> None:
    for name in ("dispatched_at", "delivered_at"):
        moment = getattr(record, name)
        if moment and moment > now():
            msg = Sentence("this lies in the future", "inFuture")
            raise InputError.at("body", _WIRE[name], msg=msg)
        if moment and moment.year < record.year:
            msg = Sentence(f"this is before {record.year}", "beforeYear", year=record.year)
            raise InputError.at("body", _WIRE[name], msg=msg)
    if record.dispatched_at and record.delivered_at and record.delivered_at < record.dispatched_at:
        msg = Sentence("this is before it was dispatched", "beforeDispatch")
        raise InputError.at("body", "deliveredAt", msg=msg)
    if "deliveredAt" in changes and record.delivered_at is None:
        # Somebody vouched; that stays in the history, and only better knowledge replaces it.
        words = "a recorded delivery can be corrected but not taken back; mark the mail as returned"
        msg = Sentence(words, "deliveryStays")
        raise InputError.at("body", "deliveredAt", msg=msg)


def _payload(kept: _Kept, proofs: Sequence[Proof]) -> Payload:
    if "deliveredAt" in kept.changes:
        return ManualMarked(
            method=kept.record.method,
            note=_words(kept.record, kept.changes),
            proof_sha256=proofs[0].sha256 if proofs else None,
            detail=kept.detail,
        )
    return Notice(kind="DELIVERY_RECORD", detail=kept.detail)


def _words(record: UnitDeliveryRecord, changes: dict[str, dict[str, Any]]) -> str:
    """The audit note: what the person wrote, else what was recorded.

    The screen knows the latter by its beginning, and tells it from the event in the reader's
    language and time zone (`noteText` in web/src/features/delivery-records/words.ts).
    """
    if record.note and "note" in changes:
        return record.note
    said = [f"Delivery record {record.method} of {record.year}"]
    if record.dispatched_at:
        said.append(f"dispatched {iso(record.dispatched_at)}")
    if record.delivered_at:
        said.append(f"delivered {iso(record.delivered_at)}")
    if record.witness:
        said.append(f"witness {record.witness}")
    return "; ".join(said)
