"""From a stored receipt to an event, exactly once.

The receipt's row is locked, its events are appended and its state is set in one transaction: a
crash before the commit leaves it as it was, and whoever comes after the commit finds it done.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from trackcenter.communications import events
from trackcenter.communications.events import NewEvent
from trackcenter.communications.models import Attempt, Source
from trackcenter.communications.payloads import (
    Delivered,
    Failed,
    Notice,
    Opened,
    Payload,
    Trouble,
)
from trackcenter.delivery.slots import mailbox_slot
from trackcenter.kit.canonical import clean
from trackcenter.kit.clock import now
from trackcenter.kit.errors import NotFound
from trackcenter.kit.ids import first_id
from trackcenter.providers import registry
from trackcenter.providers.acs.client import PROVIDER as ACS
from trackcenter.providers.acs.words import sms_code
from trackcenter.providers.base import ProviderFailure
from trackcenter.queue.dead import named_in_jobs
from trackcenter.queue.payloads import ReceiptJob
from trackcenter.queue.publish import APPLY_RECEIPT, publish
from trackcenter.queue.retry import RetryAt, pause
from trackcenter.receipts.answers import read_answer
from trackcenter.receipts.event_grid import GridEvent, read_events
from trackcenter.receipts.explanations import explain, explain_sms
from trackcenter.receipts.heuristics import guess
from trackcenter.receipts.models import InboundReceipt, ReceiptState, Suggestion
from trackcenter.receipts.reports import Report, read_report
from trackcenter.receipts.store import GRAPH, LIFECYCLE, POLLED, TRACE, message_of
from trackcenter.receipts.subscriptions import handle_lifecycle

log = logging.getLogger(__name__)

LOOK_FOR = timedelta(hours=1)
"""How long a mail is asked for that its mailbox does not know: it may be on its way to a folder, or
a server of Microsoft's be behind."""

KEEP_TRYING_FOR = timedelta(days=14)
"""How long a receipt whose message we do not know is looked at again, and how long Microsoft's
trouble is borne, or ours with Microsoft, before a person must look: a dead letter."""

_FORGOTTEN_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class News:
    """One thing a receipt says, and the ids by which its attempt can be found, best first.

    `attempt_id` counts only where that attempt went by `channel`, and by `provider` if it says one.
    """

    payload: Payload
    correlation: Sequence[str]
    attempt_id: str | None
    occurred_at: datetime | None
    channel: str = "EMAIL"
    provider: str | None = None


def apply_receipt(receipt_id: UUID) -> None:
    """Read a receipt and append what it says. Safe to run again.

    Raises `RetryAt` when what it needs of Microsoft is not to be had just now, and a permanent
    `ProviderFailure` when that has been so for `KEEP_TRYING_FOR`, or can never be otherwise.
    """
    receipt = InboundReceipt.objects.filter(id=receipt_id).first()
    if receipt is None:
        raise NotFound(f"there is no receipt {receipt_id}")
    if receipt.state not in (ReceiptState.NEW, ReceiptState.PARKED):
        return
    try:
        _understand(receipt)
    except ProviderFailure as failure:
        if failure.permanent:
            raise
        raise _put_off(receipt, failure) from failure


def _understand(receipt: InboundReceipt) -> None:
    """Raises `ProviderFailure` or `RetryAt` when Microsoft does not do what it is asked for."""
    if receipt.origin == LIFECYCLE:
        handle_lifecycle(json.loads(bytes(receipt.body)))
        _settle(receipt.id, ReceiptState.APPLIED, "lifecycle")
        return
    if receipt.origin == GRAPH and receipt.mime is None and (refusal := _fetch(receipt)):
        _settle(receipt.id, ReceiptState.IGNORED, refusal)
        return
    news = read_news(receipt)
    if news:
        _apply(receipt.id, news)
    elif receipt.origin == GRAPH:
        _put_aside(receipt)
    else:
        _settle(receipt.id, ReceiptState.IGNORED, "not a report about a message")


def _put_off(receipt: InboundReceipt, failure: ProviderFailure) -> Exception:
    """What to raise for trouble that may pass: it costs a job none of its runs, for days."""
    moment = now()
    since = receipt.trouble_since or moment
    waiting = _open(receipt.id)
    if moment - since > KEEP_TRYING_FOR:
        # A person who queues the dead letter again has mended something: patience begins anew.
        waiting.update(trouble_since=None, missing_since=None, reason=failure.message)
        return replace(failure, permanent=True)
    # Somebody must learn of it: unlike a message, a receipt has no timeline.
    log.warning("a report waits", extra={"receipt": str(receipt.id), "error": failure.message})
    waiting.update(trouble_since=since, missing_since=None, reason=failure.message)
    named = timedelta(seconds=max(failure.retry_after or 0.0, 60.0 * failure.misconfigured))
    return RetryAt(max(_next_try(since, moment), moment + named), failure.message)


def _fetch(receipt: InboundReceipt) -> str | None:
    """Fetch the mail a Graph notification points at and keep it; else why it never can be."""
    notification = json.loads(bytes(receipt.body))
    mailbox, message_id = message_of(notification)
    mailbox = mailbox or settings.GRAPH_MAILBOX or ""
    if not message_id:
        return "the notification names no mail"
    try:
        with mailbox_slot(mailbox):
            mime = registry.graph_mail(settings).fetch_mime(mailbox, message_id)
    except ProviderFailure as failure:
        if not failure.permanent:
            raise
        moment = now()
        since = receipt.missing_since or moment
        if moment - since > LOOK_FOR:
            return failure.message
        _open(receipt.id).update(missing_since=since, reason=failure.message)
        raise RetryAt(_next_try(since, moment), failure.message) from failure
    receipt.mime = mime
    receipt.save(update_fields=["mime"])
    return None


def _next_try(since: datetime, moment: datetime) -> datetime:
    """When to try again what has failed `since`, ever more rarely (see `pause`)."""
    # Pauses that double have lasted, together, about as long as the next one.
    runs = int((moment - since).total_seconds()).bit_length()
    return moment + timedelta(seconds=pause(runs))


def read_news(receipt: InboundReceipt) -> list[News]:
    """What a stored receipt says; pure, so that a mended reader can read old receipts again.

    Each event will name the report by its hash, so that whoever seals the event seals the report.
    """
    sha256 = hashlib.sha256(bytes(receipt.mime or receipt.body)).hexdigest()
    return [
        replace(news, payload=msgspec.structs.replace(news.payload, receipt_sha256=sha256))
        for news in _read(receipt)
    ]


def _read(receipt: InboundReceipt) -> list[News]:
    if receipt.origin == GRAPH:
        return [
            _of_report(receipt.id, report) for report in read_report(bytes(receipt.mime or b""))
        ]
    if receipt.origin in POLLED:
        return [_of_poll(receipt)]
    return [_of_grid(receipt.id, event) for event in read_events(bytes(receipt.body))]


def _of_report(receipt_id: UUID, report: Report) -> News:
    said: dict[str, Any] = {
        "receipt_id": str(receipt_id),
        "recipient": report.recipient,
        "status_code": report.status_code,
        "diagnostic": report.diagnostic,
    }
    payload = _payload(report.kind, said, report.status_code, report.diagnostic, report.note)
    return News(payload, clean(report.correlation), clean(report.attempt_id), report.occurred_at)


def _of_grid(receipt_id: UUID, event: GridEvent) -> News:
    said: dict[str, Any] = {
        "receipt_id": str(receipt_id),
        "recipient": event.recipient,
        "status_code": event.word,
        "diagnostic": event.detail or None,
    }
    payload = _payload(event.kind, said, event.word, event.detail or event.word, event.word)
    return News(
        payload,
        clean([event.message_id]),
        clean(event.attempt_id),
        event.occurred_at,
        event.channel,
        ACS,
    )


def _of_poll(receipt: InboundReceipt) -> News:
    answer = read_answer(receipt.origin, bytes(receipt.body))
    said: dict[str, Any] = {
        "receipt_id": str(receipt.id),
        "recipient": answer.recipient,
        "status_code": answer.word,
        "diagnostic": answer.detail or None,
        "detail": {"askedOf": receipt.origin},
    }
    words = answer.detail or answer.word
    payload = _payload(answer.kind, said, answer.word, words, answer.word)
    return News(
        payload,
        clean([answer.message_id]),
        clean(answer.attempt_id),
        answer.occurred_at,
        answer.channel,
        None if receipt.origin == TRACE else ACS,
    )


def _payload(
    kind: str, said: dict[str, Any], code: str | None, words: str | None, note: str
) -> Payload:
    if kind == "DELIVERED":
        return Delivered(**said)
    if kind == "OPENED":
        return Opened(**said, detail={"note": note} if note else {})
    if kind == "FAILED":
        sms = sms_code(said["diagnostic"] or "")
        explanation = explain_sms(sms) if sms else explain(code)
        trouble = Trouble(
            code=sms or code,
            message=words or explanation.sentence,
            explanation=explanation.sentence,
            next_step=explanation.next_step,
        )
        return Failed(**said, error=trouble)
    return Notice(**said, kind=note or kind.lower())


@transaction.atomic
def _apply(receipt_id: UUID, news: Sequence[News]) -> None:
    receipt = InboundReceipt.objects.select_for_update().get(id=receipt_id)
    if receipt.state not in (ReceiptState.NEW, ReceiptState.PARKED):
        return
    found = [(one, attempt) for one in news if (attempt := find_attempt(one))]
    if not found:
        receipt.state = ReceiptState.PARKED
        receipt.reason = "no message of ours has such an id (yet)"
        receipt.correlation = sorted(
            {key for one in news for key in (*one.correlation, one.attempt_id or "") if key}
        )
        receipt.save(update_fields=["state", "reason", "correlation"])
        return
    moment = now()
    events.append(
        [
            NewEvent(
                communication_id=attempt.communication_id,
                payload=one.payload,
                source=source_of(receipt.origin),
                attempt=attempt.number,
                # A sender's clock may run ahead; nothing has happened before it was reported.
                occurred_at=min(one.occurred_at or receipt.received_at, moment),
            )
            for one, attempt in found
        ]
    )
    receipt.state = ReceiptState.APPLIED
    receipt.reason = ""
    receipt.attempt = found[0][1]
    receipt.applied_at = moment
    receipt.save(update_fields=["state", "reason", "attempt", "applied_at"])


def source_of(origin: str) -> Source:
    """Whether a receipt was brought to us or is an answer to our own question."""
    return Source.POLL if origin in POLLED else Source.WEBHOOK


@transaction.atomic
def _put_aside(receipt: InboundReceipt) -> None:
    """A mail that is no report: counted, and where it smells of a bounce of ours, suggested."""
    seems = guess(bytes(receipt.mime or b""))
    reason = {"auto-reply": "an automatic reply", "mail": "not a report about a message"}
    words = reason.get(seems.kind, "perhaps a bounce, but of no message of ours")
    attempt = None
    if seems.kind == "possible-bounce":
        attempt = find_attempt(seems)
        if attempt is not None:
            words = "perhaps a bounce: suggested to a person"
    if not _settle(receipt.id, ReceiptState.IGNORED, words):
        return  # another worker did all this
    if attempt is not None:
        Suggestion.objects.get_or_create(
            receipt=receipt, defaults={"attempt": attempt, "reason": seems.reason}
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inbox_counts AS known (kind, count) VALUES (%s, 1) "
            "ON CONFLICT (kind) DO UPDATE SET count = known.count + 1",
            [seems.kind],
        )


class Quoting(Protocol):
    """What names a message of ours: ids in the order to be tried, and the attempt's own, which may
    only be one of this channel and provider (None: of any)."""

    @property
    def correlation(self) -> Sequence[str]: ...
    @property
    def attempt_id(self) -> str | None: ...
    @property
    def channel(self) -> str: ...
    @property
    def provider(self) -> str | None: ...


def find_attempt(news: Quoting) -> Attempt | None:
    """The attempt a report is about: by the ids it quotes, in order, then by the attempt's own id,
    which goes along with every message: what lost its provider's answer has no other."""
    for key in news.correlation:
        for column in ("provider_message_id", "internet_message_id"):
            attempt = Attempt.objects.filter(**{column: key}).order_by("-created_at").first()
            if attempt:
                return attempt
    try:
        named = Attempt.objects.filter(id=UUID(news.attempt_id or ""), channel=news.channel)
    except ValueError:
        return None
    if news.provider is not None:
        # A text message's provider is recorded with the answer, so it may lack both.
        named = named.filter(provider__in=("", news.provider))
    return named.first()


def _settle(receipt_id: UUID, state: ReceiptState, reason: str) -> bool:
    """End a receipt; False when it was ended already."""
    return bool(_open(receipt_id).update(state=state, reason=reason, applied_at=now()))


def _open(receipt_id: UUID) -> QuerySet[InboundReceipt]:
    """The receipt, unless it was ended."""
    return InboundReceipt.objects.filter(
        id=receipt_id, state__in=(ReceiptState.NEW, ReceiptState.PARKED)
    )


_RESOLVABLE = """
    SELECT DISTINCT receipt.id
    FROM inbound_receipts AS receipt, jsonb_array_elements_text(receipt.correlation) AS key
    WHERE receipt.state = 'PARKED' AND receipt.received_at > %s
      AND (EXISTS (SELECT FROM communication_attempts
                   WHERE provider_message_id = key AND provider_message_id <> '')
        OR EXISTS (SELECT FROM communication_attempts
                   WHERE internet_message_id = key AND internet_message_id <> ''))
    LIMIT 1000
"""


@transaction.atomic
def retry_parked() -> int:
    """Queue the parked receipts whose message has become known since. Says how many."""
    with connection.cursor() as cursor:
        cursor.execute(_RESOLVABLE, [now() - KEEP_TRYING_FOR])
        return publish(ReceiptJob(row[0]) for row in cursor.fetchall())


_FORGOTTEN = f"""
    SELECT receipt.id FROM inbound_receipts AS receipt
    WHERE receipt.state = 'NEW' AND receipt.id > %s AND receipt.received_at < %s
      AND NOT EXISTS (SELECT FROM ({named_in_jobs(APPLY_RECEIPT, "receiptId")}) AS job
                      WHERE job.id = receipt.id::text)
      AND NOT EXISTS (SELECT FROM dead_letter_decisions AS decision
                      WHERE decision.verdict = 'DISCARDED'
                        AND decision.message->>'receiptId' = receipt.id::text)
    ORDER BY receipt.id LIMIT 1000
"""


@transaction.atomic
def retry_forgotten() -> int:
    """Queue the receipts that wait to be read and that no job is about. Says how many.

    Not those whose job is dead, for that lies before a person with its reason, nor those whose dead
    job a person discarded.
    """
    moment = now()
    since, until = moment - KEEP_TRYING_FOR, moment - _FORGOTTEN_AFTER
    with connection.cursor() as cursor:
        cursor.execute(_FORGOTTEN, [first_id(since), until])
        return publish(ReceiptJob(row[0]) for row in cursor.fetchall())
