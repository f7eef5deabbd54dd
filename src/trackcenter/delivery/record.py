"""What came of a hand-over, written down: the attempt and its event in one transaction."""

from datetime import datetime, timedelta

from django.db import transaction

from trackcenter.communications import events
from trackcenter.communications.models import AttemptOutcome, Source
from trackcenter.communications.payloads import Deferred, Failed, Payload, Sent, Trouble
from trackcenter.communications.services import complete_if_done
from trackcenter.delivery.claim import Claim, save
from trackcenter.delivery.letters import PRINTER
from trackcenter.delivery.pacing import RETRY_AFTER, hold
from trackcenter.kit.clock import now
from trackcenter.kit.sql import prepared
from trackcenter.providers.base import Accepted, OutcomeUnknown, ProviderFailure
from trackcenter.queue.retry import RetryAt, pause

GIVE_UP_AFTER = timedelta(days=3)
"""How long temporary trouble is borne, from its beginning, before the attempt is called failed."""

LOOK_FOR = timedelta(minutes=15)
"""How long we go on asking what became of a message, from the first trouble after it may have left,
before a person must decide."""


def accepted(claim: Claim, acceptance: Accepted) -> None:
    """The provider took it, or the letter lies ready to be printed: SENT."""
    moment = now()
    payload = Sent(
        provider=acceptance.provider,
        provider_message_id=acceptance.provider_message_id,
        recipient=claim.attempt.recipient,
        subject=claim.attempt.subject,
        content_sha256=_content(claim),
        stage="READY_TO_PRINT" if acceptance.provider == PRINTER else None,
        confirmed="LOOKED_UP" if claim.communication.outcome_unknown else None,
        detail=dict(acceptance.detail),
    )
    _end(
        claim,
        payload,
        outcome=AttemptOutcome.ACCEPTED,
        provider=acceptance.provider,
        provider_message_id=acceptance.provider_message_id,
        handed_over_at=moment,
        error=None,
    )


def _content(claim: Claim) -> tuple[str, ...]:
    """The hashes of what left, so that the event says what was sent and not only that it was."""
    attempt = claim.attempt
    bodies = (attempt.body_text_sha256, attempt.body_html_sha256)
    files = prepared(
        "SELECT sha256 FROM communication_attachments WHERE attempt_id = %s "
        "ORDER BY created_at, id",
        [attempt.id],
    )
    return (*(body for body in bodies if body), *(row[0] for row in files))


def refused(claim: Claim, trouble: Trouble, *, unknown: bool = False) -> None:
    """It will not be sent, or (`unknown`) nobody can find out whether it was: FAILED."""
    _end(
        claim,
        Failed(error=trouble, outcome="UNKNOWN" if unknown else None),
        outcome=AttemptOutcome.UNKNOWN if unknown else AttemptOutcome.FAILED,
        error=trouble.as_json(),
    )


def failure(claim: Claim, trouble: ProviderFailure) -> None:
    """The provider said no, not now, or nothing. Ends the attempt, or raises `RetryAt`."""
    words = Trouble(code=trouble.code, message=trouble.message, raw=trouble.raw or None)
    moment = now()
    trouble_since = _since(claim.attempt.trouble_since, claim, moment)
    looking_since = None
    if trouble.unknown:
        looking_since = _since(claim.attempt.looking_since, claim, moment)
        final = isinstance(trouble, OutcomeUnknown) and trouble.final
        if final or moment - looking_since > LOOK_FOR:
            refused(claim, words, unknown=True)
            return
    elif trouble.permanent or moment - trouble_since > GIVE_UP_AFTER:
        refused(claim, words)
        return
    if trouble.retry_after:
        hold(
            claim.attempt.channel,
            claim.sender,
            moment + timedelta(seconds=trouble.retry_after),
            code=RETRY_AFTER,
            because=trouble.message,
        )
    wait = trouble.retry_after if trouble.retry_after is not None else pause(claim.attempt.tries)
    if trouble.misconfigured:
        wait = max(wait, 60.0)
    _put_off(
        claim,
        words,
        until=moment + timedelta(seconds=wait),
        trouble_since=trouble_since,
        looking_since=looking_since,
    )


def _since(known: datetime | None, claim: Claim, moment: datetime) -> datetime:
    """When trouble began that is met again at `moment`, or now.

    It moves on by what lies between the time a try was planned for and the try: nobody asked the
    provider then (no worker ran, or others went first), so nobody knows of any trouble.
    """
    if known is None:
        return moment
    planned = claim.attempt.next_try_at or moment
    return known + max(moment - planned, timedelta())


def _end(claim: Claim, payload: Payload, **values: object) -> None:
    with transaction.atomic():
        save(claim, claim=None, lease_until=None, next_try_at=None, **values)
        _append(claim, payload)
    complete_if_done(claim.communication.batch_id)


def _put_off(
    claim: Claim,
    words: Trouble,
    *,
    until: datetime,
    trouble_since: datetime,
    looking_since: datetime | None,
) -> None:
    """Temporary trouble: the attempt says why and until when; the timeline says it once a cause.

    `looking_since` is None where it is certain that nothing was accepted.
    """
    before = claim.attempt.error or {}
    with transaction.atomic():
        save(
            claim,
            claim=None,
            lease_until=None,
            next_try_at=until,
            error=words.as_json(),
            trouble_since=trouble_since,
            looking_since=looking_since,
            # Only where it is certain that nothing was accepted may the next try start afresh.
            send_started_at=claim.attempt.send_started_at if looking_since else None,
        )
        if (before.get("code"), before.get("message")) != (words.code, words.message):
            _append(claim, Deferred(error=words, retry_at=until))
    raise RetryAt(until, words.message)


def _append(claim: Claim, payload: Payload) -> None:
    events.append(
        [
            events.NewEvent(
                communication_id=claim.communication.id,
                payload=payload,
                source=Source.WORKER,
                attempt=claim.attempt.number,
            )
        ]
    )
