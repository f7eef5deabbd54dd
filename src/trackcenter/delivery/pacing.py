"""One pace for all workers, kept in the database a sender: pauses, the caps a minute and a day.

A sender is a mailbox or the number text messages come from. The provider's `Retry-After` pauses
it for everybody; EMAIL_PER_DAY pauses it until enough of the last 24 hours has passed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.db.models.functions import Coalesce

from trackcenter.communications.models import Attempt
from trackcenter.communications.payloads import Trouble
from trackcenter.delivery.models import SenderHour, SenderPace
from trackcenter.kit.clock import now

DAILY_CAP = "DAILY_CAP"
RETRY_AFTER = "RETRY_AFTER"
_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Turn:
    """When an attempt may go: now (`at` None), or at a moment that is kept for it.

    `trouble` is set where somebody should know why it waits.
    """

    at: datetime | None = None
    trouble: Trouble | None = None


def per_minute(channel: str) -> int | None:
    """The cap of a channel's senders; None means none."""
    caps: dict[str, int | None] = {
        "EMAIL": settings.EMAIL_PER_MINUTE,
        "SMS": settings.SMS_PER_MINUTE,
    }
    return caps.get(channel)


def per_day(channel: str) -> int | None:
    """The cap on a sender's recipients in any 24 hours; None means none."""
    return settings.EMAIL_PER_DAY if channel == "EMAIL" else None


def unhindered(channel: str, sender: str, paused: Collection[str]) -> bool:
    """Whether a sender has no cap and is not among those that are `paused`: it need not wait."""
    return (
        per_minute(channel) is None
        and per_day(channel) is None
        and _key(channel, sender) not in paused
    )


def turn(attempt: Attempt, sender: str) -> Turn:
    """Whether this attempt may go now, or the moment that is reserved for it.

    A reserved moment is kept in `attempt.next_try_at`, so an attempt waits for its turn once and
    never queues up a second time, unless a pause came meanwhile. Must run in a transaction that
    holds the attempt.
    """
    key, moment = _key(attempt.channel, sender), now()
    cap = per_day(attempt.channel)
    counts = cap is not None and attempt.tries == 0
    rows = SenderPace.objects.filter(sender=key)
    if counts:  # held until the commit, so that two workers never share the last place
        SenderPace.objects.bulk_create(
            [SenderPace(sender=key, channel=attempt.channel)], ignore_conflicts=True
        )
        rows = rows.select_for_update()
    pace = rows.first()
    earliest, trouble = moment, None
    if pace and pace.paused_until and pace.paused_until > moment:
        daily = pace.paused_code == DAILY_CAP
        # A message that was begun has its place in the day already.
        if not daily or attempt.tries == 0:
            earliest = pace.paused_until
            trouble = Trouble(code=DAILY_CAP, message=pace.paused_because) if daily else None
    if counts and cap is not None and earliest <= moment:
        resumes_at = _day_is_full_until(key, cap, moment)
        if resumes_at is not None:
            earliest = resumes_at
            trouble = Trouble(
                code=DAILY_CAP,
                message=f"{sender} has reached its {cap} recipients of 24 hours; sending goes on "
                f"at {resumes_at:%Y-%m-%d %H:%M} UTC.",
            )
            hold(attempt.channel, sender, resumes_at, code=DAILY_CAP, because=trouble.message)
    slot = earliest
    rate = per_minute(attempt.channel)
    if rate is not None and (attempt.next_try_at is None or earliest > moment):
        slot = _reserve(key, attempt.channel, earliest, timedelta(seconds=60 / rate))
    if slot > moment:
        return Turn(slot, trouble)
    if counts:
        _count(key, moment)
    return Turn()


def hold(channel: str, sender: str, until: datetime, *, code: str, because: str) -> None:
    """Pause a sender for every worker; a longer pause that stands already is left alone."""
    if not sender:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO sender_paces AS pace
                (sender, channel, paused_until, paused_code, paused_because)
            VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (sender) DO UPDATE SET paused_until = EXCLUDED.paused_until,
                paused_code = EXCLUDED.paused_code, paused_because = EXCLUDED.paused_because
            WHERE pace.paused_until IS NULL OR pace.paused_until < EXCLUDED.paused_until
            """,
            [_key(channel, sender), channel, until, code, because],
        )


def told_to_wait(channel: str, sender: str) -> datetime | None:
    """Until when the provider asked us to leave a sender alone; None when it did not."""
    paces = SenderPace.objects.filter(
        sender=_key(channel, sender), paused_code=RETRY_AFTER, paused_until__gt=now()
    )
    return paces.values_list("paused_until", flat=True).first()


def pauses() -> list[dict[str, Any]]:
    """The senders that wait just now, with why and until when (`SenderPauses`)."""
    rows = SenderPace.objects.filter(paused_until__gt=now()).order_by("paused_until", "sender")
    return [
        {
            "channel": pace.channel,
            "sender": pace.sender.partition(" ")[2],
            "pausedUntil": pace.paused_until,
            "code": pace.paused_code,
            "reason": pace.paused_because,
        }
        for pace in rows
    ]


def forget_old_hours() -> None:
    """Drop the counts that no cap looks at any more."""
    SenderHour.objects.filter(hour__lt=now() - 3 * _DAY).delete()


def _key(channel: str, sender: str) -> str:
    return f"{channel} {sender.lower()}"


def _reserve(key: str, channel: str, earliest: datetime, gap: timedelta) -> datetime:
    """The next free moment of a sender, taken."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO sender_paces AS pace
                (sender, channel, next_at, paused_code, paused_because)
            VALUES (%(key)s, %(channel)s, %(earliest)s + make_interval(secs => %(gap)s), '', '')
            ON CONFLICT (sender) DO UPDATE
                SET next_at = GREATEST(pace.next_at, %(earliest)s)
                              + make_interval(secs => %(gap)s)
            RETURNING next_at
            """,
            {"key": key, "channel": channel, "earliest": earliest, "gap": gap.total_seconds()},
        )
        (next_at,) = cursor.fetchone()
    slot: datetime = next_at - gap
    return slot


def _day_is_full_until(key: str, cap: int, moment: datetime) -> datetime | None:
    """None while the last 24 hours have room; else when the oldest of them make some.

    Whole hours are counted, the one that began 24 to 25 hours ago among them: never too many.
    """
    hours = SenderHour.objects.filter(sender=key, hour__gt=moment - _DAY - timedelta(hours=1))
    taken = hours.aggregate(sum=Coalesce(Sum("recipients"), 0))["sum"]
    if taken < cap:
        return None
    for each in hours.order_by("hour"):
        taken -= each.recipients
        if taken < cap:
            return each.hour + _DAY + timedelta(hours=1)
    return moment + _DAY


def _count(key: str, moment: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO sender_hours AS known (sender, hour, recipients)
            VALUES (%s, date_trunc('hour', %s::timestamptz, 'UTC'), 1)
            ON CONFLICT (sender, hour) DO UPDATE SET recipients = known.recipients + 1
            """,
            [key, moment],
        )
