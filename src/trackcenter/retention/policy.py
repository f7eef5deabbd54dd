"""What is kept, archived or purged, and when: a pure function of dates, without a database.

The law's way of counting (in Germany §§ 187, 188 BGB; elsewhere much the same): the day on which a
batch was completed does not count; a period of months or years ends with the day of the same
number, or with the month's last day where there is none; that day is kept to its end. Days are the
building's own, in its time zone.

- KEEP: the period runs (or there is none, or it has not begun).
- PURGE: the period is over.
- ARCHIVE: the period is over, but a legal hold stands: to be taken out of daily use and kept
  (GDPR, Article 18 and Article 17(3)(e)), and purged when the hold is lifted.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_DURATION = re.compile(r"P(?=\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?", re.ASCII)
_MONTHS_IN_A_YEAR = 12


class Content(StrEnum):
    """What a period is about."""

    BODIES = "BODIES"
    ATTACHMENTS = "ATTACHMENTS"


class Decision(StrEnum):
    KEEP = "KEEP"
    ARCHIVE = "ARCHIVE"
    PURGE = "PURGE"


@dataclass(frozen=True, slots=True)
class Duration:
    """A calendar duration. Weeks count as seven days each."""

    months: int
    days: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision, the moment from which it is due (aware; None: never, or not known), and why."""

    decision: Decision
    due_at: datetime | None
    why: str


def read_duration(text: str) -> Duration:
    """An ISO 8601 duration in years, months, weeks and days, such as P10Y or P1Y6M.

    Raises ValueError for anything else.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no ISO 8601 duration in years, months, weeks or days")
    years, months, weeks, days = (int(part or 0) for part in found.groups())
    return Duration(months=_MONTHS_IN_A_YEAR * years + months, days=7 * weeks + days)


def last_day(begun: date, duration: Duration) -> date | None:
    """The last day of a period that began with an event on `begun`; None beyond the year 9999.

    Months first, then days, as ISO 8601 reads; 29 February and a year end on 28 February.
    """
    month = begun.year * _MONTHS_IN_A_YEAR + begun.month - 1 + duration.months
    year, month = divmod(month, _MONTHS_IN_A_YEAR)
    try:
        day = min(begun.day, monthrange(year, month + 1)[1]) if year <= date.max.year else 0
        return date(year, month + 1, day) + timedelta(days=duration.days)
    except (ValueError, OverflowError):
        return None


def due_at(completed_at: datetime, duration: Duration, zone: ZoneInfo) -> datetime | None:
    """The first moment after a period: the midnight, in `zone`, that ends its last day."""
    last = last_day(completed_at.astimezone(zone).date(), duration)
    if last is None or last == date.max:
        return None
    # Where clocks skip midnight, the zone's rules give the first moment after the gap.
    return datetime.combine(last + timedelta(days=1), time(), zone)


def decide(
    *,
    on: datetime,
    completed_at: datetime | None,
    hint: str,
    zone: ZoneInfo,
    hold: str | None = None,
) -> Verdict:
    """What to do at the moment `on` with bodies or attachments of a batch.

    `hint` is their ISO 8601 duration ("" for none), `completed_at` when the batch was completed,
    `hold` the reason of a legal hold over the unit. `on` and `completed_at` are aware. Raises
    ValueError for a hint that is no duration.
    """
    if not hint:
        return Verdict(Decision.KEEP, None, "the billing file sets no retention")
    duration = read_duration(hint)
    if completed_at is None:
        return Verdict(Decision.KEEP, None, f"{hint} begins when the batch is completed")
    due = due_at(completed_at, duration, zone)
    begun = completed_at.astimezone(zone).date()
    if due is None:
        return Verdict(Decision.KEEP, None, f"{hint} from {begun} does not end in this calendar")
    last = last_day(begun, duration)
    if on < due:
        return Verdict(Decision.KEEP, due, f"{hint} from {begun} runs until {last}")
    over = f"{hint} from {begun} ended on {last}"
    if hold is not None:
        return Verdict(Decision.ARCHIVE, due, f"{over}, but a legal hold stands: {hold}")
    return Verdict(Decision.PURGE, due, over)
