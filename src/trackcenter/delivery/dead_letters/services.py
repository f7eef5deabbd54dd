"""Discarding a dead letter, and what becomes of the message it was to deliver."""

from uuid import UUID

from django.db import transaction
from django.db.models import F

from trackcenter.communications import events
from trackcenter.communications.models import Attempt, AttemptOutcome, Source
from trackcenter.communications.payloads import Failed, Trouble
from trackcenter.communications.services import complete_if_done
from trackcenter.kit.clock import iso, now
from trackcenter.kit.errors import Conflict, Sentence
from trackcenter.queue import dead, dead_letters
from trackcenter.queue.letters import DeadLetter
from trackcenter.queue.models import DeadLetterDecision
from trackcenter.queue.payloads import MalformedMessage, SendCommunicationJob, read
from trackcenter.queue.publish import DELIVER

GIVEN_UP = "GIVEN_UP"


def discard(letter_id: str, note: str, *, user_id: UUID) -> DeadLetterDecision:
    """Give a dead letter up for good, and with it the message that nothing else would send.

    Decision and FAILED event come into being together: a message that waits for nothing any more
    may not stay Queued, for then nobody could resend it. Raises what `dead_letters.discard` does,
    and `Conflict` while a worker may still be at the message.
    """

    def give_up(letter: DeadLetter) -> None:
        _give_up(letter, note.strip(), user_id)

    return dead_letters.discard(letter_id, note, user_id=user_id, together_with=give_up)


def _give_up(letter: DeadLetter, note: str, user_id: UUID) -> None:
    attempt = _waiting_for(letter)
    if attempt is None:
        return
    # Where the provider may have been asked, a person must find out; a receipt still counts.
    unknown = attempt.send_started_at is not None
    trouble = Trouble(code=GIVEN_UP, message=note, raw=letter.reason)
    attempt.outcome = AttemptOutcome.UNKNOWN if unknown else AttemptOutcome.FAILED
    attempt.error = trouble.as_json()
    attempt.claim = attempt.lease_until = attempt.next_try_at = None
    attempt.save(update_fields=["outcome", "error", "claim", "lease_until", "next_try_at"])
    given_up = events.NewEvent(
        communication_id=attempt.communication_id,
        payload=Failed(error=trouble, outcome="UNKNOWN" if unknown else None),
        source=Source.USER,
        user_id=user_id,
        attempt=attempt.number,
    )
    events.append([given_up])
    batch_id = attempt.communication.batch_id
    transaction.on_commit(lambda: complete_if_done(batch_id))


def _waiting_for(letter: DeadLetter) -> Attempt | None:
    """The attempt that waits for this letter and for nothing else, locked."""
    if letter.task != DELIVER:
        return None
    try:
        job = read(SendCommunicationJob, dict(letter.message))
    except MalformedMessage:
        return None
    attempt = (
        Attempt.objects.select_for_update(of=("self",))
        .select_related("communication")
        .filter(
            communication_id=job.communication_id,
            number=F("communication__newest_attempt"),
            channel=job.channel,
            outcome=AttemptOutcome.OPEN,
        )
        .first()
    )
    if attempt is None:
        return None
    moment = now()
    if attempt.lease_until and attempt.lease_until > moment:
        words = (
            "a worker may still be at this message; "
            f"discard it after {attempt.lease_until:%Y-%m-%d %H:%M:%S} UTC"
        )
        raise Conflict(Sentence(words, "workerAtIt", until=iso(attempt.lease_until)))
    put_off = attempt.next_try_at is not None and attempt.next_try_at > moment
    if put_off or dead.named_in_live_jobs([job.communication_id]):
        return None  # this letter was one too many
    return attempt
