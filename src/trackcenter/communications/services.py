"""What people and the machine do to communications: enqueue, resend, vouch, annotate, complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Max, Q

from trackcenter.access.actor import Actor
from trackcenter.buildings.models import Channel
from trackcenter.communications import events
from trackcenter.communications.events import NEXT_ATTEMPT, NewEvent, Written
from trackcenter.communications.lifecycle import EventType, Qualifier
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
from trackcenter.kit.errors import Conflict, InputError, NotFound, Sentence
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
    after_attempt: int | None = None,
) -> Written:
    """Open a new attempt, through the same channel or another, to a corrected address or the same.

    RESEND_REQUESTED, the attempt and the job come into being together. `Conflict` while an attempt
    is still waiting in the queue (a second click must not make a second message), when the
    communication was never sent at all, or when another attempt than `after_attempt` is the newest:
    somebody else was quicker, or this is the same request once more.
    """
    communication = _locked(actor, communication_id)
    if after_attempt not in (None, communication.newest_attempt):
        newest = communication.newest_attempt
        words = f"attempt {newest} has begun since you looked; look at it before you resend"
        raise Conflict(Sentence(words, "newerAttempt", attempt=newest))
    wanted = Resend(
        communication,
        channel or communication.channel,
        correction=(contact or Contact()).as_json(),
        previous=_newest_contacts([communication]).get(communication.id, {}),
    )
    obstacle = wanted.obstacle
    if obstacle:
        raise Conflict(OBSTACLES[obstacle])
    _check_reachable(wanted.channel, wanted.reached)
    return _resend([wanted], note=note, user_id=actor.user_id)[0]


def resend_all(
    communications: Sequence[Communication],
    *,
    through: str | None,
    note: str | None,
    user_id: UUID | None,
) -> dict[UUID, str]:
    """Resend many at once, each through its own channel or all `through` one; to the newest
    correction of the address where there is one, else to what the billing file says.

    Must run in a transaction that holds the communications locked, with their snapshots. All that
    can be are resent; the others are returned with what stood in the way (`OBSTACLES`). No user:
    another producer asked.
    """
    contacts = _newest_contacts(communications)
    going, left = [], {}
    for communication in communications:
        channel = through or communication.channel
        previous = contacts.get(communication.id, {})
        correction = {key: previous[key] for key in (_needed(channel),) if key in previous}
        one = Resend(communication, channel, correction=correction, previous=previous)
        obstacle = one.obstacle or ("unreachable" if not _reachable(channel, one.reached) else "")
        if obstacle:
            left[communication.id] = obstacle
        else:
            going.append(one)
    _resend(going, note=note, user_id=user_id, in_bulk=True)
    return left


OBSTACLES = {
    "notYet": Sentence(
        "it was never sent; send its batch, then there is something to resend", "notYet"
    ),
    "inQueue": Sentence(
        "it is already waiting to be sent; resend once that attempt has ended", "inQueue"
    ),
    "cancelled": Sentence("it was cancelled by a later import of the billing file", "cancelled"),
    "unreachable": Sentence("there is no address for this channel", "unreachable"),
}
"""Why something cannot be resent now, in the API's words and in sentences."""

OBSTACLE_OF_STATUS = {"PENDING": "notYet", "ENQUEUED": "inQueue", "CANCELLED": "cancelled"}


@dataclass(frozen=True, slots=True)
class Resend:
    """A new attempt to be opened: through which channel, to which corrected contact.

    `previous` is the correction that the newest attempt had.
    """

    communication: Communication
    channel: str
    correction: dict[str, Any]
    previous: dict[str, Any]

    @property
    def obstacle(self) -> str | None:
        """What its status forbids (`OBSTACLES`)."""
        return OBSTACLE_OF_STATUS.get(self.communication.delivery_status)

    @property
    def reached(self) -> dict[str, Any]:
        """The billing row with the correction laid over it."""
        return {**self.communication.snapshot.row, **self.correction}


def _newest_contacts(communications: Sequence[Communication]) -> dict[UUID, dict[str, Any]]:
    """The corrections that the newest attempts were made with, by communication."""
    newest = Attempt.objects.filter(
        communication__in=communications, number=F("communication__newest_attempt")
    )
    return dict(newest.values_list("communication_id", "contact"))


def _resend(
    resends: Sequence[Resend], *, note: str | None, user_id: UUID | None, in_bulk: bool = False
) -> list[Written]:
    """RESEND_REQUESTED, attempt, note and job of each, in the caller's transaction."""
    written = events.append(
        [
            NewEvent(
                communication_id=one.communication.id,
                payload=ResendRequested(
                    channel=one.channel,
                    note=note or None,
                    old_contact=_contact(one.communication.snapshot.row, one.previous),
                    new_contact=_contact(one.communication.snapshot.row, one.correction),
                ),
                source=Source.USER if user_id else Source.SYSTEM,
                attempt=NEXT_ATTEMPT,
                user_id=user_id,
            )
            for one in resends
        ]
    )
    pairs = list(zip(resends, written, strict=True))
    Attempt.objects.bulk_create(
        Attempt(
            communication=one.communication,
            number=event.attempt,
            channel=one.channel,
            contact=one.correction,
            requested_by_id=user_id,
        )
        for one, event in pairs
    )
    if note and user_id:
        AuditNote.objects.bulk_create(
            _note(one.communication, user_id, note, event.id) for one, event in pairs
        )
    publish(
        (
            SendCommunicationJob(
                one.communication.id,
                one.channel,  # type: ignore[arg-type]
                resend=True,
                initiated_by_id=user_id,
            )
            for one in resends
        ),
        in_bulk=in_bulk,
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
    visible = Communication.objects.visible_to(actor.visible).filter(id=communication_id)
    attempts = Attempt.objects.select_for_update().filter(communication__in=visible)
    # The attempt first, as a worker does that ends one: else each could wait for the other.
    attempt = attempts.order_by("-number").first()
    communication = _locked(actor, communication_id)
    if not communication.outcome_unknown:
        raise Conflict(Sentence("its outcome is not unknown (any more)", "outcomeIsKnown"))
    newest = attempt is not None and attempt.number == communication.newest_attempt
    if attempt is None or not newest or attempt.outcome != AttemptOutcome.UNKNOWN:
        raise Conflict(Sentence("somebody is looking after it already", "lookedAfter"))
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
        attempt.next_try_at = attempt.trouble_since = attempt.looking_since = None
        attempt.save(update_fields=["outcome", "next_try_at", "trouble_since", "looking_since"])
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
            msg = Sentence("say how you know that it was sent", "sayHowYouKnow")
            raise InputError.at("body", "note", msg=msg)
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


def _needed(channel: str) -> str:
    """What a channel needs of a contact."""
    return {Channel.EMAIL: "email", Channel.SMS: "phone"}.get(Channel(channel), "address")


def _reachable(channel: str, row: dict[str, Any]) -> bool:
    needed = _needed(channel)
    written_out = needed == "address" and row.get("street") and row.get("city")
    return bool(row.get(needed) or written_out)


def _check_reachable(channel: str, row: dict[str, Any]) -> None:
    if not _reachable(channel, row):
        needed = _needed(channel)
        words = f"{channel} needs one; there is none"
        msg = Sentence(words, "channelNeedsContact", channel=channel)
        raise InputError.at("body", "contact", needed, msg=msg)


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

    An envelope that came back is news of the attempt that went by post: where a later one has
    reached the recipient another way, the status stays. `occurred_at` is aware, not in the future
    and not before the billed year; `detail` is a delivery record's, if one is kept.
    """
    if type not in MANUAL_TYPES:
        raise InputError.at("body", "type", msg=f"one of {', '.join(MANUAL_TYPES)}")
    if not note.strip():
        msg = Sentence("say how you know; a manual mark needs a note", "sayHowYouKnow")
        raise InputError.at("body", "note", msg=msg)
    if occurred_at and occurred_at > now():
        msg = Sentence("this lies in the future", "inFuture")
        raise InputError.at("body", "occurredAt", msg=msg)
    communication = _locked(actor, communication_id)
    if occurred_at and occurred_at.year < communication.year:
        year = communication.year
        msg = Sentence(f"this is before {year}", "beforeYear", year=year)
        raise InputError.at("body", "occurredAt", msg=msg)
    if communication.delivery_status == "CANCELLED":
        raise Conflict(OBSTACLES["cancelled"])
    payload: Payload
    attempt = None
    if type == "RETURNED":
        attempt = _newest_on_paper(communication)
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
                attempt=attempt,
                user_id=actor.user_id,
                occurred_at=occurred_at,
            )
        ]
    )[0]
    _annotate(communication, actor, note, written.id)
    return written


def _newest_on_paper(communication: Communication) -> int | None:
    """The newest attempt that was posted, by a print run or by a person who vouched for it; else
    the newest whose letter was made; None if nothing is known to have gone by post."""
    posted = Q(type=EventType.POSTED) | Q(
        type=EventType.MANUAL_MARKED, payload_row__payload__method="POSTAL_DELIVERY"
    )
    made = Q(qualifier=Qualifier.READY_TO_PRINT)
    found: dict[str, int | None] = communication.events.aggregate(
        posted=Max("attempt", filter=posted), made=Max("attempt", filter=made)
    )
    return found["posted"] or found["made"]


@transaction.atomic
def add_note(actor: Actor, communication_id: UUID, note: str) -> AuditNote:
    """Write an audit note: who, when, what."""
    if not note.strip():
        msg = Sentence("an empty note says nothing", "emptyNote")
        raise InputError.at("body", "note", msg=msg)
    return _annotate(_locked(actor, communication_id), actor, note, None)


def _annotate(
    communication: Communication, actor: Actor, note: str, event_id: UUID | None
) -> AuditNote:
    written = _note(communication, actor.user_id, note, event_id)
    written.save(force_insert=True)
    return written


def _note(
    communication: Communication, user_id: UUID, note: str, event_id: UUID | None
) -> AuditNote:
    return AuditNote(
        communication=communication, user_id=user_id, note=clean(note.strip()), event_id=event_id
    )


def _locked(actor: Actor, communication_id: UUID) -> Communication:
    rows = Communication.objects.visible_to(actor.visible).select_for_update(of=("self",))
    communication = rows.select_related("snapshot").filter(id=communication_id).first()
    if communication is None:
        raise NotFound("no such communication")
    return communication


_COMPLETE = """
    completed_at IS NULL AND send_requested_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM communications
        WHERE batch_id = batch.id AND delivery_status IN ('PENDING', 'ENQUEUED'))
"""


def complete_if_done(batch_id: UUID) -> None:
    """Mark a batch complete once nothing of it is pending or enqueued.

    Called after the commit of an outcome: of two workers that end the last two messages at once,
    the later one sees both. While an import writes into the batch, it waits for the look that is
    taken every minute.
    """
    _complete("id = %s", batch_id)


def complete_finished_batches() -> None:
    """The same for every batch: for outcomes whose worker died before it could look."""
    _complete("true")


def _complete(which: str, *values: UUID) -> None:
    with connection.cursor() as cursor:
        looks = f"SELECT id FROM communication_batches AS batch WHERE {which} AND {_COMPLETE}"
        cursor.execute(looks, values)
        found = [row[0] for row in cursor.fetchall()]
        if not found:
            return
        # Looked at again once it is ours: what an import has written meanwhile is seen only by a
        # statement that begins when the import has let go of the batch.
        with transaction.atomic():
            cursor.execute(
                "SELECT id FROM communication_batches WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED",
                [found],
            )
            ours = [row[0] for row in cursor.fetchall()]
            cursor.execute(
                "UPDATE communication_batches AS batch SET completed_at = now() "
                f"WHERE id = ANY(%s) AND {_COMPLETE}",
                [ours],
            )
