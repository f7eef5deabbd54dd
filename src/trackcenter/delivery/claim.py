"""Taking an attempt, so that one worker at a time works on it, and saving how far it got."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from trackcenter.channels.snapshot import Snapshot
from trackcenter.communications import events
from trackcenter.communications.models import Attempt, AttemptOutcome, Communication, Source
from trackcenter.communications.payloads import Deferred
from trackcenter.delivery.pacing import turn
from trackcenter.delivery.senders import sender_of
from trackcenter.kit.clock import now
from trackcenter.providers.base import LostClaim
from trackcenter.queue.payloads import MalformedMessage, SendCommunicationJob
from trackcenter.queue.retry import RetryAt


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt that is ours until the lease runs out, and the bill it is to deliver."""

    token: UUID
    attempt: Attempt
    communication: Communication
    snapshot: Snapshot
    sender: str
    first_call: bool

    @property
    def email(self) -> str:
        return str(self.attempt.contact.get("email") or self.snapshot.email or "")

    @property
    def phone(self) -> str:
        return str(self.attempt.contact.get("phone") or self.snapshot.phone or "")


def lease_end() -> datetime:
    """When a claim made or confirmed now runs out."""
    return now() + timedelta(seconds=settings.LEASE_SECONDS)


def take(job: SendCommunicationJob) -> Claim | None:
    """Claim the newest attempt of the job's communication; None when there is nothing (more) to do.

    Commits before it returns. Raises `RetryAt` while another worker holds the attempt, while a
    pause lasts, or while the provider's pace allows nothing; `MalformedMessage` for a job that no
    attempt was ever made for.
    """
    with transaction.atomic():
        communication = (
            Communication.objects.select_related("snapshot").filter(id=job.communication_id).first()
        )
        if communication is None:
            raise MalformedMessage(f"there is no communication {job.communication_id}")
        attempt = (
            Attempt.objects.select_for_update()
            .filter(communication=communication)
            .order_by("-number")
            .first()
        )
        if attempt is None:
            raise MalformedMessage("this communication was never asked to be sent")
        if attempt.channel != job.channel:
            if not communication.attempts.filter(channel=job.channel).exists():
                raise MalformedMessage(f"no attempt of this communication goes by {job.channel}")
            return (
                None  # a later attempt, through another channel, replaced the one this job was for
            )
        if attempt.outcome != AttemptOutcome.OPEN:
            return None
        moment = now()
        if attempt.lease_until and attempt.lease_until > moment:
            raise RetryAt(attempt.lease_until, "another worker holds this attempt")
        if attempt.next_try_at and attempt.next_try_at > moment:
            raise RetryAt(attempt.next_try_at, "a pause after trouble lasts")
        snapshot = Snapshot.from_row(communication.snapshot.row)
        sender = sender_of(attempt, snapshot.building_code)
        mine = turn(attempt, sender)
        if mine.at is None:
            token = uuid4()
            attempt.claim = token
            attempt.lease_until = lease_end()
            attempt.tries += 1
            if attempt.send_started_at is None:
                attempt.first_sent_at = moment
        else:
            attempt.next_try_at = mine.at
            if mine.trouble and (attempt.error or {}).get("code") != mine.trouble.code:
                attempt.error = mine.trouble.as_json()
                waits = events.NewEvent(
                    communication_id=communication.id,
                    payload=Deferred(error=mine.trouble, retry_at=mine.at),
                    source=Source.WORKER,
                    attempt=attempt.number,
                )
                events.append([waits])
        attempt.save(
            update_fields=["claim", "lease_until", "tries", "first_sent_at", "next_try_at", "error"]
        )
    if mine.at is not None:
        raise RetryAt(mine.at, "the provider's pace")
    return Claim(
        token=token,
        attempt=attempt,
        communication=communication,
        snapshot=snapshot,
        sender=sender,
        first_call=attempt.tries == 1,
    )


def save(mine: Claim, /, **values: Any) -> None:
    """Write to a claimed attempt and extend its lease; `LostClaim` when it is no longer ours.

    Commits at once unless the caller holds a transaction open.
    """
    held = Attempt.objects.filter(id=mine.attempt.id, claim=mine.token)
    if not held.update(**{"lease_until": lease_end(), **values}):
        raise LostClaim
    for name, value in values.items():
        setattr(mine.attempt, name, value)


class SavedMarks:
    """A provider's progress, committed on the attempt as it is made."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim

    def draft_created(self, *, draft_id: str, internet_message_id: str) -> None:
        save(self._claim, draft_id=draft_id, internet_message_id=internet_message_id)

    def send_started(self) -> None:
        save(self._claim, send_started_at=self._claim.attempt.send_started_at or now())
