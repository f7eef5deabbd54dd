"""One pace for all workers: EMAIL_PER_MINUTE and SMS_PER_MINUTE, counted in the database."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from trackcenter.communications.models import Attempt
from trackcenter.kit.clock import now


def per_minute(channel: str) -> int | None:
    """The cap of a channel; None means none."""
    caps: dict[str, int | None] = {
        "EMAIL": settings.EMAIL_PER_MINUTE,
        "SMS": settings.SMS_PER_MINUTE,
    }
    return caps.get(channel)


def turn(attempt: Attempt) -> datetime | None:
    """None when this attempt may go now; else the moment that is reserved for it.

    A reserved moment is kept in `attempt.next_try_at`, so an attempt waits for its turn once and
    never queues up a second time. Must run in a transaction that holds the attempt.
    """
    cap = per_minute(attempt.channel)
    if cap is None or attempt.next_try_at is not None:
        return None
    gap = timedelta(seconds=60 / cap)
    moment = now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO provider_paces AS pace (channel, next_at) VALUES (%s, %s)
            ON CONFLICT (channel) DO UPDATE
                SET next_at = GREATEST(pace.next_at, %s) + make_interval(secs => %s)
            RETURNING next_at
            """,
            [attempt.channel, moment + gap, moment, gap.total_seconds()],
        )
        (next_at,) = cursor.fetchone()
    mine: datetime = next_at - gap
    return mine if mine > moment else None
