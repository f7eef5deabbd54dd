"""What people and the machine do to communications: enqueue, resend, vouch, annotate, complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from trackcenter.access.actor import Actor
from trackcenter.buildings.models import Channel
from trackcenter.communications import events
from trackcenter.communications.events import NEXT_ATTEMPT, NewEvent, Written
from trackcenter.communications.models import (
    Attempt,
    AttemptOutcome,
    AuditNote,
    Communication,
    Source,
)
from trackcenter.communications.payloads import (
    Enqueued,
    ManualMarked,
    Notice,
    Payload,
    ResendRequested,
    Returned,
    Sent,
)
from trackcenter.kit.canonical import clean
from trackcenter.kit.clock import now
from trackcenter.kit.errors import Conflict, InputError, NotFound
from trackcenter.queue.payloads import SendCommunicationJob
from trackcenter.queue.publish import publish

MANUAL_TYPES = ("POSTAL_DELIVERY", "HAND_DELIVERY", "RECEIPT_CONFIRMED", "OTHER", "RETURNED")


@dataclass(frozen=True, slots=True)
class Contact:
    """A correction for one attempt; None leaves what the billing file says."""

    email: str | None = None
    phone: str | None = None
    address: dict[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        pairs = {"email": self.email, "phone": self.phone, "address": self.address}
        return dict(clean({key: value for key, value in pairs.items() if value}))


def enqueue(communications: Sequence[Communication], *, user_id: UUID | None) -> int:
    """Queue PENDING communications: attempt, ENQUEUED event and job, all or none of them.

    Must run in a transaction that holds the communications locked.
    """
    if not communications:
        return 0
    written = events.append(
        [
            NewEvent(
                communication_id=communication.id,
                payload=Enqueued(channel=communication.channel),
                source=Source.USER if user_id else Source.SYSTEM,
                user_id=user_id,
            )
            for communication in communications
        ]
    )
    Attempt.objects.bulk_create(
        [
            Attempt(
                communication_id=communication.id,
                number=event.attempt,
                channel=communication.channel,
                requested_by_id=user_id,
            )
            for communication, event in zip(communications, written, strict=True)
        ]
    )
    return publish(
        SendCommunicationJob(communication.id, communication.channel, initiated_by_id=user_id)  # type: ignore[arg-type]
        for communication in communications
    )


@transaction.atomic
def resend(
    actor: Actor,
    communication_id: UUID,
    *,
    channel: str | None = None,
    note: str | None = None,
    contact: Contact | None = None,
) -> Written:
    """Open a new attempt, through the same channel or another, to a corrected address or the same.

    RESEND_REQUESTED, the attempt and the job come into being together. `Conflict` while an attempt
    is still waiting in the queue (a second click must not make a second message), or when the
    communication was never sent at all.
    """
    communication = _locked(actor, communication_id)
    channel = channel or communication.channel
    if communication.delivery_status == "PENDING":
        raise Conflict("it was never sent; send its batch, then there is something to resend")
    if communication.delivery_status == "ENQUEUED":
        raise Conflict("it is already waiting to be sent; resend once that attempt has ended")
    if communication.delivery_status == "CANCELLED":
        raise Conflict("it was cancelled by a later import of the billing file")
    correction = (contact or Contact()).as_json()
    row = communication.snapshot.row
    _check_reachable(channel, {**row, **correction})
    previous = communication.attempts.order_by("-number").first()
    written = events.append(
        [
            NewEvent(
                communication_id=communication.id,
                payload=ResendRequested(
                    channel=channel,
                    note=note or None,
                    old_contact=_contact(row, previous.contact if previous else {}),
                    new_contact=_contact(row, correction),
                ),
                source=Source.USER,
                attempt=NEXT_ATTEMPT,
                user_id=actor.user_id,
            )
        ]
    )[0]
    Attempt.objects.create(
        communication=communication,
        number=written.attempt,
        channel=channel,
        contact=correction,
        requested_by_id=actor.user_id,
    )
    if note:
        _annotate(communication, actor, note, written.id)
    publish(
        [
            SendCommunicationJob(
                communication.id,
                channel,  # type: ignore[arg-type]
                resend=True,
                initiated_by_id=actor.user_id,
            )
        ]
    )
    return written


@transaction.atomic
def resolve(
    actor: Actor, communication_id: UUID, *, action: str, note: str | None = None
) -> Written:
    """Settle an outcome nobody knows. `Conflict` when it is not (or no longer) unknown.

    - LOOK_AGAIN: the provider is asked once more what became of the message; a draft that is
      proven not to have left is then sent, and what cannot be found stays unknown.
    - COUNT_AS_SENT: a person says that it left (`note`: how they know).
    - SEND_AGAIN: a new attempt to the same address; the person accepts that it may be a second.
    """
    communication = _locked(actor, communication_id)
    if not communication.outcome_unknown:
        raise Conflict("its outcome is not unknown (any more)")
    attempt = communication.attempts.select_for_update().order_by("-number").first()
    if attempt is None or attempt.outcome != AttemptOutcome.UNKNOWN:
        raise Conflict("somebody is looking after it already")
    note = (note or "").strip()
    if action == "SEND_AGAIN":
        return resend(
            actor,
            communication_id,
            channel=attempt.channel,
            note=note or None,
            contact=Contact(**attempt.contact),
        )
    if action == "LOOK_AGAIN":
        attempt.outcome = AttemptOutcome.OPEN
        attempt.next_try_at = None
        attempt.save(update_fields=["outcome", "next_try_at"])
        detail = {"note": note} if note else {}
        written = _by_person(
            actor, communication, attempt.number, Notice(kind="look-again", detail=detail)
        )
        job = SendCommunicationJob(
            communication.id,
            attempt.channel,  # type: ignore[arg-type]
            initiated_by_id=actor.user_id,
        )
        publish([job])
    elif action == "COUNT_AS_SENT":
        if not note:
            raise InputError.at("body", "note", msg="say how you know that it was sent")
        attempt.outcome = AttemptOutcome.ACCEPTED
        attempt.handed_over_at = attempt.send_started_at
        attempt.save(update_fields=["outcome", "handed_over_at"])
        payload = Sent(
            provider=attempt.provider,
            provider_message_id=attempt.provider_message_id or attempt.internet_message_id,
            recipient=attempt.recipient,
            subject=attempt.subject,
            confirmed="BY_HAND",
            note=note,
        )
        written = _by_person(actor, communication, attempt.number, payload)
    else:
        raise InputError.at("body", "action", msg="LOOK_AGAIN, COUNT_AS_SENT or SEND_AGAIN")
    if note:
        _annotate(communication, actor, note, written.id)
    return written


def _by_person(
    actor: Actor, communication: Communication, attempt: int, payload: Payload
) -> Written:
    new = NewEvent(
        communication_id=communication.id,
        payload=payload,
        source=Source.USER,
        attempt=attempt,
        user_id=actor.user_id,
    )
    return events.append([new])[0]


def _check_reachable(channel: str, row: dict[str, Any]) -> None:
    if channel in (Channel.EMAIL, Channel.SMS):
        needed = "email" if channel == Channel.EMAIL else "phone"
        reachable = bool(row.get(needed))
    else:
        needed = "address"
        reachable = bool(row.get("address") or (row.get("street") and row.get("city")))
    if not reachable:
        raise InputError.at("body", "contact", needed, msg=f"{channel} needs one; there is none")


def _contact(row: dict[str, Any], correction: dict[str, Any]) -> dict[str, Any]:
    contact = {key: row.get(key) for key in ("email", "phone") if row.get(key)}
    return {**contact, **correction}


@transaction.atomic
def manual_event(
    actor: Actor,
    communication_id: UUID,
    *,
    type: str,
    note: str,
    occurred_at: datetime | None = None,
    proof_sha256: str | None = None,
    detail: dict[str, Any] | None = None,
) -> Written:
    """A person vouches for a delivery, or reports returned mail: the event and the audit note.

    `occurred_at` is aware and not in the future; `detail` is a delivery record's, if one is kept.
    """
    if type not in MANUAL_TYPES:
        raise InputError.at("body", "type", msg=f"one of {', '.join(MANUAL_TYPES)}")
    if not note.strip():
        raise InputError.at("body", "note", msg="say how you know; a manual mark needs a note")
    if occurred_at and occurred_at > now():
        raise InputError.at("body", "occurredAt", msg="this lies in the future")
    communication = _locked(actor, communication_id)
    if communication.delivery_status == "CANCELLED":
        raise Conflict("it was cancelled by a later import of the billing file")
    payload: Payload
    if type == "RETURNED":
        payload = Returned(note=note, proof_sha256=proof_sha256)
    else:
        payload = ManualMarked(
            method=type, note=note, proof_sha256=proof_sha256, detail=detail or {}
        )
    written = events.append(
        [
            NewEvent(
                communication_id=communication.id,
                payload=payload,
                source=Source.USER,
                user_id=actor.user_id,
                occurred_at=occurred_at,
            )
        ]
    )[0]
    _annotate(communication, actor, note, written.id)
    return written


@transaction.atomic
def add_note(actor: Actor, communication_id: UUID, note: str) -> AuditNote:
    """Write an audit note: who, when, what."""
    if not note.strip():
        raise InputError.at("body", "note", msg="an empty note says nothing")
    return _annotate(_locked(actor, communication_id), actor, note, None)


def _annotate(
    communication: Communication, actor: Actor, note: str, event_id: UUID | None
) -> AuditNote:
    return AuditNote.objects.create(
        communication=communication,
        user_id=actor.user_id,
        note=clean(note.strip()),
        event_id=event_id,
    )


def _locked(actor: Actor, communication_id: UUID) -> Communication:
    rows = Communication.objects.visible_to(actor.visible).select_for_update(of=("self",))
    communication = rows.select_related("snapshot").filter(id=communication_id).first()
    if communication is None:
        raise NotFound("no such communication")
    return communication


_COMPLETE = """
    UPDATE communication_batches AS batch SET completed_at = now()
    WHERE completed_at IS NULL AND send_requested_at IS NOT NULL AND {which}
      AND NOT EXISTS (
        SELECT FROM communications
        WHERE batch_id = batch.id AND delivery_status IN ('PENDING', 'ENQUEUED'))
"""


def complete_if_done(batch_id: UUID) -> None:
    """Mark a batch complete once nothing of it is pending or enqueued.

    Called after the commit of an outcome: of two workers that end the last two messages at once,
    the later one sees both.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COMPLETE.format(which="id = %s"), [batch_id])


def complete_finished_batches() -> None:
    """The same for every batch: for outcomes whose worker died before it could look."""
    with connection.cursor() as cursor:
        cursor.execute(_COMPLETE.format(which="true"))
