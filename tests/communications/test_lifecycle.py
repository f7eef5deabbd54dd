from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackcenter.communications.lifecycle import (
    RULES,
    Entry,
    EventType,
    Qualifier,
    State,
    Status,
    fold,
)

E, Q, S = EventType, Qualifier, Status
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def entry(type: EventType, attempt: int = 1, qualifier: Qualifier = Q.NONE, at: int = 0) -> Entry:
    return Entry(attempt, type, qualifier, NOON + timedelta(seconds=at))


kinds = st.sampled_from([*RULES, (E.DEFERRED, Q.NONE), (E.NOTICE, Q.NONE)])
entries = st.lists(
    st.builds(
        lambda kind, attempt, at: entry(kind[0], attempt, kind[1], at),
        kinds,
        st.integers(1, 4),
        st.integers(0, 1000),
    ),
    max_size=20,
)


@given(entries, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_state(history: list[Entry], chance) -> None:
    shuffled = list(history)
    chance.shuffle(shuffled)
    assert fold(shuffled) == fold(history)


@given(entries, st.lists(st.integers(0, 19), max_size=10))
def test_repeated_events_change_nothing(history: list[Entry], repeated: list[int]) -> None:
    again = [history[index] for index in repeated if index < len(history)]
    assert fold([*history, *again]) == fold(history)


@given(entries, entries)
def test_an_old_attempt_never_speaks_for_the_new_one(old: list[Entry], new: list[Entry]) -> None:
    newest = 5
    current = [one._replace(attempt=newest) for one in new]
    current.append(entry(E.RESEND_REQUESTED, newest))
    assert fold([*old, *current]) == fold(current)


@given(entries)
def test_notices_and_temporary_trouble_change_nothing(history: list[Entry]) -> None:
    noise = [entry(E.NOTICE, 9), entry(E.DEFERRED, 9)]
    assert fold([*noise, *history, *noise]) == fold(history)


def test_every_event_type_has_a_rule_or_is_known_to_change_nothing() -> None:
    assert {type for type, _ in RULES} | {E.DEFERRED, E.NOTICE} == set(EventType)


def test_nothing_is_pending() -> None:
    assert fold([]) == State()
    assert State().status is S.PENDING


@pytest.mark.parametrize(
    ("history", "status"),
    [
        ([E.CREATED], S.PENDING),
        ([E.CREATED, E.ENQUEUED], S.ENQUEUED),
        ([E.CREATED, E.ENQUEUED, E.SENT], S.SENT),
        ([E.CREATED, E.ENQUEUED, E.SENT, E.DELIVERED], S.DELIVERED),
        ([E.CREATED, E.ENQUEUED, E.SENT, E.DELIVERED, E.OPENED], S.OPENED),
        ([E.CREATED, E.CANCELLED], S.CANCELLED),
        ([E.CREATED, E.ENQUEUED, E.FAILED], S.FAILED),
        ([E.SENT, E.OPENED, E.MANUAL_MARKED], S.MANUAL),
        ([E.SENT, E.MANUAL_MARKED, E.RETURNED], S.FAILED),
    ],
)
def test_the_plain_course_of_things(history: list[EventType], status: Status) -> None:
    for order in permutations(history):
        assert fold([entry(type) for type in order]).status is status


def test_a_bounce_after_delivery_wins() -> None:
    assert fold([entry(E.SENT), entry(E.DELIVERED), entry(E.FAILED)]).status is S.FAILED


def test_somebody_who_read_it_beats_the_bounce() -> None:
    assert fold([entry(E.FAILED), entry(E.OPENED)]).status is S.OPENED


def test_news_beats_our_own_ignorance() -> None:
    unknown = entry(E.FAILED, qualifier=Q.UNKNOWN)
    assert fold([entry(E.SENT), unknown]).outcome_unknown
    state = fold([unknown, entry(E.DELIVERED)])
    assert (state.status, state.outcome_unknown) == (S.DELIVERED, False)


def test_a_letter_that_lies_ready_was_not_sent_yet() -> None:
    ready = entry(E.SENT, qualifier=Q.READY_TO_PRINT, at=1)
    assert fold([ready]).ready_to_print
    assert fold([ready]).sent_at is None
    posted = fold([ready, entry(E.POSTED, at=60)])
    assert (posted.status, posted.ready_to_print) == (S.SENT, False)
    assert posted.sent_at == NOON + timedelta(seconds=60)


def test_a_resend_starts_anew_and_its_times_are_its_own() -> None:
    first = [entry(E.ENQUEUED, at=0), entry(E.SENT, at=5), entry(E.DELIVERED, at=9)]
    state = fold([*first, entry(E.RESEND_REQUESTED, 2, at=100)])
    assert (state.status, state.attempt) == (S.ENQUEUED, 2)
    assert state.queued_at == NOON + timedelta(seconds=100)
    assert state.delivered_at is None
