"""What every provider promises the delivery worker, over real HTTP.

Above all: one attempt is one message, wherever the worker dies and whatever the wire loses.
"""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.rigs import Crash, CrashPoint, Rig, Takeover
from trackcenter.providers.base import LostClaim, ProviderFailure
from trackcenter.providers.wire import Pool


def test_a_message_is_accepted_once_and_named(rig: Rig) -> None:
    accepted = rig.hand_over()
    (message,) = rig.accepted()
    names = (message.get("internetMessageId"), message.get("messageId"))
    assert accepted.provider_message_id in names
    assert accepted.provider in ("msgraph", "acs")
    assert "send_started_at" in rig.marks.stored


def test_a_crash_at_any_line_never_sends_twice(rig: Rig) -> None:
    lines = CrashPoint()
    rig.hand_over(lines)
    assert lines.passed >= 4
    for line in range(1, lines.passed + 1):
        fresh = type(rig)(rig.sandbox)
        accepted = fresh.work(CrashPoint(at=line))
        messages = fresh.accepted()
        if accepted is None:
            assert not rig.always_tells, f"a crash at {line} left the outcome unknown"
            assert messages == [], "unknown is only where the crash came before the send"
        else:
            assert len(messages) == 1, f"a crash at {line} gave {len(messages)} messages"


def test_two_crashes_in_a_row_never_send_twice(rig: Rig) -> None:
    lines = CrashPoint()
    rig.hand_over(lines)
    for line in range(2, lines.passed + 1, 2):
        fresh = type(rig)(rig.sandbox)
        accepted = _twice(fresh, line)
        assert len(fresh.accepted()) == (1 if accepted else 0)


def _twice(rig: Rig, line: int) -> Any:
    with pytest.raises(Crash):
        rig.hand_over(CrashPoint(at=line))
    return rig.work(CrashPoint(at=4))


def test_a_lost_reply_is_not_repeated_blindly(rig: Rig) -> None:
    rig.sandbox.set_faults(lostReply=1)
    with pytest.raises(ProviderFailure) as lost:
        rig.hand_over()
    if not rig.accepted():  # where there are drafts, the reply to creating one was lost
        assert not lost.value.unknown
        with pytest.raises(ProviderFailure) as lost:
            rig.hand_over()
    assert (lost.value.unknown, lost.value.permanent) == (True, False)
    assert len(rig.accepted()) == 1
    rig.sandbox.set_faults()
    assert rig.work() is not None
    assert len(rig.accepted()) == 1


def test_being_told_to_wait_is_certain_and_temporary(rig: Rig) -> None:
    rig.sandbox.set_faults(rate429=1)
    with pytest.raises(ProviderFailure) as told:
        rig.hand_over()
    assert told.value.retry_after == 1.0
    assert (told.value.permanent, told.value.unknown) == (False, False)
    assert "TooManyRequests" in told.value.raw or "ApplicationThrottled" in told.value.raw
    rig.sandbox.set_faults()
    rig.marks.stored.pop("send_started_at", None)
    assert rig.work() is not None
    assert len(rig.accepted()) == 1


def test_being_told_to_wait_settles_nothing_after_a_lost_reply(rig: Rig) -> None:
    rig.hand_over()  # whose answer the worker never saw
    rig.sandbox.set_faults(rate429=1)
    with pytest.raises(ProviderFailure) as told:
        rig.hand_over()
    assert told.value.unknown
    assert not told.value.permanent


def test_bad_weather_gives_each_attempt_one_message(rig: Rig) -> None:
    rig.sandbox.set_faults(rate429=0.15, rate503=0.1, lostReply=0.3, seed=7)
    attempts = [type(rig)(rig.sandbox) for _ in range(12)]
    ends = [attempt.work() for attempt in attempts]
    rig.sandbox.set_faults()
    for attempt, end in zip(attempts, ends, strict=True):
        assert len(attempt.accepted()) == 1 or (end is None and not rig.always_tells)


def test_a_stolen_claim_stops_before_the_send(rig: Rig) -> None:
    rig.marks.stolen = True
    with pytest.raises(LostClaim):
        rig.hand_over()
    assert rig.accepted() == []


def test_two_workers_in_any_order_never_send_twice(rig: Rig) -> None:
    lines = CrashPoint()
    rig.hand_over(lines)
    for line in range(1, lines.passed + 1):
        slow = type(rig)(rig.sandbox)
        takeover = Takeover(at=line, slow=slow, quick=type(rig)(rig.sandbox))
        with suppress(LostClaim, ProviderFailure):
            slow.hand_over(takeover)
        assert takeover.passed >= line
        messages = slow.accepted()
        assert len(messages) <= 1, f"a takeover at {line} gave {len(messages)} messages"
        if rig.always_tells:
            assert takeover.result is not None
            assert len(messages) == 1


def test_without_a_sender_the_setting_is_named(rig: Rig) -> None:
    order = rig.order()
    lacking = replace(order, **{"sender" if hasattr(order, "sender") else "mailbox": ""})
    with pytest.raises(ProviderFailure, match="TRACKCENTER_") as refused:
        rig.provider(Pool()).hand_over(lacking, rig.marks)
    assert refused.value.misconfigured


def test_nobody_listening_is_certain_and_temporary(rig: Rig) -> None:
    elsewhere = type(rig)(replace(rig.sandbox, url="http://127.0.0.1:9"))
    with pytest.raises(ProviderFailure) as refused:
        elsewhere.provider(Pool()).hand_over(elsewhere.order(), elsewhere.marks)
    assert (refused.value.permanent, refused.value.unknown) == (False, False)
    assert "could not be reached" in str(refused.value)
