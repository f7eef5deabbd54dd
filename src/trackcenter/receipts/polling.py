"""Asking after messages whose report never came.

What is learnt becomes a stored receipt like any other, with its own origin, and is applied by the
same task. Each message is asked about ever more rarely, and not at all after a few days.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection

from trackcenter.delivery.slots import graph_slot
from trackcenter.kit.clock import now
from trackcenter.providers import registry
from trackcenter.providers.base import ProviderFailure
from trackcenter.providers.msgraph.traces import Trace
from trackcenter.receipts.store import EMAIL_POLL, SMS_POLL, TRACE, Arrival, as_body, store

log = logging.getLogger(__name__)

ASK_FOR = timedelta(days=5)
"""How long after the hand-over a report is asked for."""

_AT_MOST = 500
_LONGEST_PAUSE = timedelta(hours=12)
_FEW = 5
"""So many messages of an hour are traced one by one; more of them by one look at the hour."""

_LATE = """
    SELECT a.id, a.channel, a.provider_message_id, a.mailbox, a.handed_over_at,
           coalesce(polls.asked, 0)
    FROM communication_attempts AS a
    JOIN communications AS c ON c.id = a.communication_id AND c.newest_attempt = a.number
    LEFT JOIN report_polls AS polls ON polls.attempt_id = a.id
    WHERE a.handed_over_at BETWEEN %(oldest)s AND %(newest)s
      AND a.outcome = 'ACCEPTED' AND a.provider = %(provider)s AND a.provider_message_id <> ''
      AND c.delivery_status = 'SENT'
      AND (polls.next_at IS NULL OR polls.next_at <= %(now)s)
    ORDER BY a.handed_over_at LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class _Late:
    attempt_id: UUID
    channel: str
    message_id: str
    mailbox: str
    handed_over_at: datetime
    asked: int


def ask_acs() -> int:
    """Ask Azure after late text messages and mails. Says how many answers were new."""
    if not (settings.ACS_ENDPOINT and settings.ACS_ACCESS_KEY):
        return 0
    new = 0
    for late in _late("acs"):
        try:
            arrival = _sms(late) if late.channel == "SMS" else _email(late)
        except ProviderFailure as failure:
            log.warning("no answer about a late report", extra={"error": str(failure)})
            if failure.misconfigured or failure.retry_after:
                break  # the next one would fare no better
            continue
        if arrival is not None:
            new += store([arrival])
        _asked([late])
    return new


def _sms(late: _Late) -> Arrival | None:
    report = registry.acs_sms(settings).delivery_report(late.message_id)
    if report is None or report.kind == "NOTICE":
        return None
    body = {**report.raw, "messageId": late.message_id}
    return Arrival(SMS_POLL, (late.message_id, report.word.lower()), as_body(body))


def _email(late: _Late) -> Arrival | None:
    operation = registry.acs_email(settings).operation(late.message_id)
    if operation is None or operation.state != "failed":
        return None  # that it was taken is known already
    body = {**operation.raw, "id": late.message_id}
    return Arrival(EMAIL_POLL, (late.message_id, "failed"), as_body(body))


def ask_message_trace() -> int:
    """Ask Exchange after mail without a receipt. Says how many answers were new.

    Off unless GRAPH_MESSAGE_TRACE is on; without the permission it only warns.
    """
    if not settings.GRAPH_MESSAGE_TRACE:
        return 0
    by_hour: dict[tuple[str, datetime], list[_Late]] = defaultdict(list)
    for late in _late("msgraph"):
        hour = late.handed_over_at.replace(minute=0, second=0, microsecond=0)
        by_hour[late.mailbox, hour].append(late)
    new = 0
    for (mailbox, hour), group in by_hour.items():
        wanted = {late.message_id for late in group}
        try:
            with graph_slot():
                found = [each for each in _traces(mailbox, hour, group) if each.kind != "NOTICE"]
        except ProviderFailure as failure:
            log.warning("the message trace does not answer", extra={"error": str(failure)})
            break
        new += store(_trace(each) for each in found if each.message_id in wanted)
        _asked(group)
    return new


def _traces(mailbox: str, hour: datetime, group: list[_Late]) -> Iterable[Trace]:
    traces = registry.graph_mail(settings).traces
    # The trace's time is Exchange's, a little before or after our own.
    start = hour - timedelta(minutes=10)
    end = min(hour + timedelta(minutes=70), now())
    if len(group) > _FEW:
        yield from traces.between(start, end, sender=mailbox)
        return
    for late in group:
        yield from traces.between(start, end, message_id=late.message_id)


def _trace(trace: Trace) -> Arrival:
    recipient = str(trace.raw.get("recipientAddress", "")).lower()
    return Arrival(TRACE, (trace.message_id, recipient, trace.word.lower()), as_body(trace.raw))


def _late(provider: str) -> list[_Late]:
    moment = now()
    with connection.cursor() as cursor:
        cursor.execute(
            _LATE,
            {
                "provider": provider,
                "oldest": moment - ASK_FOR,
                "newest": moment - timedelta(minutes=settings.REPORT_AFTER_MINUTES),
                "now": moment,
                "limit": _AT_MOST,
            },
        )
        return [_Late(*row) for row in cursor.fetchall()]


def _asked(group: list[_Late]) -> None:
    """Remember that we asked: the pauses double from REPORT_AFTER_MINUTES to half a day."""
    moment = now()
    first = timedelta(minutes=settings.REPORT_AFTER_MINUTES)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO report_polls AS known (attempt_id, asked, next_at)
            SELECT * FROM unnest(%s::uuid[], %s::int[], %s::timestamptz[])
            ON CONFLICT (attempt_id) DO UPDATE
                SET asked = EXCLUDED.asked, next_at = EXCLUDED.next_at
            """,
            [
                [late.attempt_id for late in group],
                [late.asked + 1 for late in group],
                [moment + min(first * 2 ** min(late.asked, 10), _LONGEST_PAUSE) for late in group],
            ],
        )
