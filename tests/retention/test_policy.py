from calendar import isleap
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackcenter.retention.policy import (
    Decision,
    Duration,
    decide,
    due_at,
    last_day,
    read_duration,
)

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu",
            "Pacific/Apia", "Pacific/Kiritimati", "Australia/Lord_Howe", "Africa/Cairo",
        )
    ]
)  # fmt: skip
MOMENTS = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
DURATIONS = st.builds(Duration, months=st.integers(0, 600), days=st.integers(0, 4000))
HINTS = st.builds("P{}Y{}M{}D".format, st.integers(0, 30), st.integers(0, 11), st.integers(0, 40))


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P10Y", Duration(120, 0)),
        ("P1Y6M", Duration(18, 0)),
        ("P2W", Duration(0, 14)),
        ("P1Y2M3W4D", Duration(14, 25)),
        ("P0D", Duration(0, 0)),
    ],
)
def test_durations_are_read(text: str, duration: Duration):
    assert read_duration(text) == duration


@pytest.mark.parametrize("text", ["", "P", "10Y", "PT12H", "P1.5Y", "P-1Y", "P1M1Y", "p1y", "P١Y"])
def test_what_is_no_duration_is_refused(text: str):
    with pytest.raises(ValueError, match="no ISO 8601 duration"):
        read_duration(text)


@pytest.mark.parametrize(
    ("begun", "hint", "last"),
    [
        (date(2024, 2, 29), "P1Y", date(2025, 2, 28)),
        (date(2024, 2, 29), "P4Y", date(2028, 2, 29)),
        (date(2096, 2, 29), "P4Y", date(2100, 2, 28)),  # 2100 is no leap year
        (date(2023, 2, 28), "P1Y", date(2024, 2, 28)),
        (date(2025, 1, 31), "P1M", date(2025, 2, 28)),
        (date(2024, 1, 31), "P1M", date(2024, 2, 29)),
        (date(2024, 1, 31), "P1M1D", date(2024, 3, 1)),
        (date(2024, 12, 15), "P1M", date(2025, 1, 15)),
        (date(2024, 3, 1), "P0D", date(2024, 3, 1)),
    ],
)
def test_periods_end_as_the_law_counts(begun: date, hint: str, last: date):
    assert last_day(begun, read_duration(hint)) == last


def test_a_period_ends_at_midnight_in_the_building_s_own_zone():
    # 23:30 UTC is the next day in Berlin, and the summer's offset is not the winter's.
    completed = datetime(2024, 6, 30, 23, 30, tzinfo=UTC)
    due = due_at(completed, read_duration("P6M"), BERLIN)
    assert due == datetime(2025, 1, 2, tzinfo=BERLIN)
    assert due.astimezone(UTC) == datetime(2025, 1, 1, 23, tzinfo=UTC)
    assert due_at(completed, read_duration("P6M"), ZoneInfo("UTC")) == datetime(
        2024, 12, 31, tzinfo=UTC
    )


def test_a_period_beyond_the_calendar_never_ends():
    assert last_day(date(2024, 1, 1), read_duration("P9000Y")) is None
    assert due_at(datetime(9999, 12, 31, tzinfo=UTC), read_duration("P0D"), ZoneInfo("UTC")) is None
    verdict = decide(
        on=datetime(2030, 1, 1, tzinfo=UTC),
        completed_at=datetime(2024, 1, 1, tzinfo=UTC),
        hint="P9000Y",
        zone=BERLIN,
    )
    assert (verdict.decision, verdict.due_at) == (Decision.KEEP, None)


def decided(on: datetime, **given) -> str:
    facts = {"completed_at": datetime(2024, 3, 1, 12, tzinfo=UTC), "hint": "P1Y", "zone": BERLIN}
    return decide(on=on, **(facts | given)).decision.value


def test_the_last_day_is_kept_to_its_end():
    end = datetime(2025, 3, 2, tzinfo=BERLIN)
    assert decided(end - timedelta(microseconds=1)) == "KEEP"
    assert decided(end) == "PURGE"


def test_without_a_hint_or_before_completion_everything_is_kept():
    late = datetime(2099, 1, 1, tzinfo=UTC)
    assert decided(late, hint="") == "KEEP"
    assert decided(late, completed_at=None) == "KEEP"


def test_a_legal_hold_turns_purging_into_archiving_and_nothing_else():
    assert decided(datetime(2024, 6, 1, tzinfo=UTC), hold="lawsuit") == "KEEP"
    verdict = decide(
        on=datetime(2030, 1, 1, tzinfo=UTC),
        completed_at=datetime(2024, 3, 1, tzinfo=UTC),
        hint="P1Y",
        zone=BERLIN,
        hold="lawsuit 7 C 12/26",
    )
    assert verdict.decision is Decision.ARCHIVE
    assert verdict.why == (
        "P1Y from 2024-03-01 ended on 2025-03-01, but a legal hold stands: lawsuit 7 C 12/26"
    )


@given(MOMENTS, HINTS, ZONES, st.integers(-10_000, 10_000))
def test_a_verdict_only_changes_at_its_own_moment(moment, hint, zone, days):
    on = moment + timedelta(days=days)
    verdict = decide(on=on, completed_at=moment, hint=hint, zone=zone)
    assert verdict.due_at is not None
    assert (verdict.decision is Decision.PURGE) == (on >= verdict.due_at)
    assert verdict.decision is not Decision.ARCHIVE


@given(MOMENTS, DURATIONS, ZONES)
def test_nothing_is_due_on_the_day_of_completion_or_within_the_period(moment, duration, zone):
    due = due_at(moment, duration, zone)
    begun = moment.astimezone(zone).date()
    last = last_day(begun, duration)
    assert due is not None
    assert last is not None
    assert due > moment
    assert due.astimezone(zone).date() == last + timedelta(days=1)
    # The moment before is still the last day, clocks changed or not.
    instant = due.astimezone(UTC) - timedelta(microseconds=1)
    assert instant.astimezone(zone).date() <= last


@given(st.dates(date(1990, 1, 1), date(2200, 1, 1)), st.integers(0, 100))
def test_years_keep_the_day_but_for_29_february(begun, years):
    last = last_day(begun, Duration(12 * years, 0))
    assert last is not None
    assert last.year == begun.year + years
    if (begun.month, begun.day) == (2, 29) and not isleap(last.year):
        assert (last.month, last.day) == (2, 28)
    else:
        assert (last.month, last.day) == (begun.month, begun.day)


@given(st.dates(date(1990, 1, 1), date(2200, 1, 1)), DURATIONS, st.integers(0, 40))
def test_a_longer_period_never_ends_earlier(begun, duration, more):
    longer = Duration(duration.months + more, duration.days + more)
    assert last_day(begun, longer) >= last_day(begun, duration)


@given(
    st.dates(date(1990, 1, 1), date(2200, 1, 1)),
    st.dates(date(1990, 1, 1), date(2200, 1, 1)),
    st.integers(0, 600),
)
def test_what_began_later_does_not_end_earlier(one, other, months):
    first, second = sorted([one, other])
    assert last_day(first, Duration(months, 0)) <= last_day(second, Duration(months, 0))
