"""Text messages: what stands inside a 202, and answers the sandbox does not give."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.providers.peer import Answer, Asked, Peer, peer
from trackcenter.kit.ids import new_id
from trackcenter.providers.acs.config import AcsConfig
from trackcenter.providers.acs.sms import AcsSms
from trackcenter.providers.base import OutcomeUnknown, ProviderFailure, SmsOrder
from trackcenter.providers.wire import Pool

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Marks:
    def draft_created(
        self, *, draft_id: str, internet_message_id: str, sends: bool = False
    ) -> None:
        raise AssertionError("there are no drafts of text messages")

    def send_started(self) -> None:
        """Stored."""


def result(**more: Any) -> Answer:
    one = {
        "to": "+4915112345678",
        "messageId": "Outgoing_1",
        "httpStatusCode": 202,
        "successful": True,
        "repeatabilityResult": "accepted",
    }
    return whole({"value": [one | more]})


def whole(value: Any, status: int = 202) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def sms(made: Peer, at: datetime = NOW) -> AcsSms:
    return AcsSms(AcsConfig(made.url, b"key"), Pool(read_seconds=5), clock=lambda: at)


def order(**more: Any) -> SmsOrder:
    plain = SmsOrder(
        attempt_id=new_id(),
        repeatability_id=new_id(),
        repeatability_first_sent=NOW,
        sender="+4930123456",
        to="+4915112345678",
        text="Grüße",
    )
    return replace(plain, **more)


REPEAT = {"send_started_at": NOW}


def test_the_stored_id_and_date_travel_with_the_message() -> None:
    message = order()
    with peer(lambda _: result()) as made:
        accepted = sms(made).hand_over(message, Marks())
    (asked,) = made.asked
    assert asked.target == "/sms?api-version=2026-01-23"
    body = json.loads(asked.body)
    assert body["from"] == "+4930123456"
    assert body["message"] == "Grüße"
    assert body["smsRecipients"] == [
        {
            "to": "+4915112345678",
            "repeatabilityRequestId": str(message.repeatability_id),
            "repeatabilityFirstSent": "Mon, 23 Nov 2026 08:00:00 GMT",
        }
    ]
    assert body["smsSendOptions"] == {
        "enableDeliveryReport": True,
        "tag": str(message.attempt_id),
        "deliveryReportTimeoutInSeconds": 43_200,
    }
    assert accepted.provider_message_id == "Outgoing_1"


def test_keys_are_read_in_any_case() -> None:
    answer = whole({"Value": [{"MessageId": "Outgoing_1", "HttpStatusCode": 202}]})
    with peer(lambda _: answer) as made:
        assert sms(made).hand_over(order(), Marks()).provider_message_id == "Outgoing_1"


@pytest.mark.parametrize(
    ("answer", "permanent", "unknown", "misconfigured"),
    [
        (result(successful=False, httpStatusCode=400, errorMessage="No"), True, False, False),
        (result(successful=False, httpStatusCode=401), False, False, True),
        (result(successful=False, httpStatusCode=404), False, False, True),
        (result(successful=False, httpStatusCode=429), False, False, False),
        (result(successful=False, httpStatusCode=500), False, True, False),
        (result(successful=False, httpStatusCode=412), False, False, False),
        (result(successful=True, messageId=None), False, True, False),
        (whole({"value": []}), False, True, False),
        (Answer(202, b"<html>"), False, True, False),
        (whole({"error": {"code": "BadRequest"}}, 400), True, False, False),
        (whole({"error": {"code": "Denied"}}, 401), False, False, True),
        (whole({"error": {"code": "TooMany"}}, 429), False, False, False),
        (whole({"error": {"code": "Oops"}}, 503), False, True, False),
        (Answer(raw=b""), False, True, False),
    ],
)  # fmt: skip
def test_what_a_first_refusal_means(
    answer: Answer, permanent: bool, unknown: bool, misconfigured: bool
) -> None:
    with peer(lambda _: answer) as made, pytest.raises(ProviderFailure) as failed:
        sms(made).hand_over(order(), Marks())
    assert len(made.asked) == 1
    assert failed.value.permanent is permanent
    assert failed.value.unknown is unknown
    assert failed.value.misconfigured is misconfigured
    assert not isinstance(failed.value, OutcomeUnknown)


@pytest.mark.parametrize("status", [409, 412])
def test_a_repeat_whose_id_is_rejected_is_unknown_for_good(status: int) -> None:
    answer = result(
        successful=False, httpStatusCode=status, repeatabilityResult="Rejected", messageId=None
    )
    with peer(lambda _: answer) as made, pytest.raises(OutcomeUnknown) as unknown:
        sms(made).hand_over(order(**REPEAT), Marks())
    assert unknown.value.final


def test_a_repeat_that_is_refused_for_its_content_is_permanent() -> None:
    answer = result(successful=False, httpStatusCode=400, repeatabilityResult="rejected")
    with peer(lambda _: answer) as made, pytest.raises(ProviderFailure) as refused:
        sms(made).hand_over(order(**REPEAT), Marks())
    assert refused.value.permanent


@pytest.mark.parametrize("age", [timedelta(minutes=3, seconds=59), timedelta(minutes=4, seconds=1)])
def test_a_repeat_is_asked_only_within_the_window(age: timedelta) -> None:
    with peer(lambda _: result()) as made:
        if age < timedelta(minutes=4):
            sms(made, NOW + age).hand_over(order(**REPEAT), Marks())
        else:
            with pytest.raises(OutcomeUnknown) as unknown:
                sms(made, NOW + age).hand_over(order(**REPEAT), Marks())
            assert unknown.value.final
        assert len(made.asked) == (1 if age < timedelta(minutes=4) else 0)


def test_a_message_never_sent_is_sent_however_old() -> None:
    with peer(lambda _: result()) as made:
        sms(made, NOW + timedelta(hours=1)).hand_over(order(), Marks())
        assert len(made.asked) == 1


@pytest.mark.parametrize(
    ("word", "kind"),
    [("Delivered", "DELIVERED"), ("FAILED", "FAILED"), ("Queued", "NOTICE"), (None, "NOTICE")],
)
def test_a_delivery_report_is_read_in_any_case(word: str | None, kind: str) -> None:
    def report(asked: Asked) -> Answer:
        assert asked.target == "/deliveryReports/Outgoing%2F1?api-version=2026-01-23"
        return whole({"DeliveryStatus": word, "deliveryStatusDetails": "why"}, 200)

    with peer(report) as made:
        found = sms(made).delivery_report("Outgoing/1")
    assert found is not None
    assert (found.kind, found.detail) == (kind, "why")
