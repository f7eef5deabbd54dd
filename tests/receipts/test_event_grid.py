"""Event Grid's webhooks in both schemas and in the cases of letters that samples show."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackcenter.receipts.event_grid import MalformedBody, read_events, validation_code

SMS_DATA = {
    "MessageId": "Outgoing_2026112308",
    "From": "+4930111111",
    "To": "+4915112345678",
    "DeliveryStatus": "Delivered",
    "DeliveryStatusDetails": "No error.",
    "ReceivedTimestamp": "2026-11-23T08:22:20.1234567Z",
    "DeliveryAttempts": [
        {"Timestamp": "2026-11-23T08:22:14Z", "SegmentsSucceeded": 1, "SegmentsFailed": 0}
    ],
    "Tag": "01936f6e",
}


def event(data: Any, kind: str = "SMSDeliveryReportReceived", **more: Any) -> dict[str, Any]:
    return {
        "id": "event-1",
        "topic": "/subscriptions/s/providers/microsoft.communication/communicationservices/c",
        "subject": "/phonenumber/4915112345678",
        "data": data,
        "eventType": f"Microsoft.Communication.{kind}",
        "dataVersion": "1.0",
        "metadataVersion": "1",
        "eventTime": "2026-11-23T08:22:21Z",
        **more,
    }


def cloud_event(data: Any, kind: str = "SMSDeliveryReportReceived") -> dict[str, Any]:
    return {
        "id": "event-1",
        "source": "/subscriptions/s/providers/microsoft.communication/communicationservices/c",
        "type": f"Microsoft.Communication.{kind}",
        "time": "2026-11-23T08:22:21Z",
        "specversion": "1.0",
        "data": data,
    }


def body(*events: dict[str, Any]) -> bytes:
    return json.dumps(list(events)).encode()


def test_a_text_message_report_is_read() -> None:
    (found,) = read_events(body(event(SMS_DATA)))
    assert found.kind == "DELIVERED"
    assert found.message_id == "Outgoing_2026112308"
    assert found.recipient == "+4915112345678"
    assert found.word == "Delivered"
    assert found.detail == "No error."
    assert found.occurred_at == datetime(2026, 11, 23, 8, 22, 20, 123456, tzinfo=UTC)
    assert found.event_id == "event-1"
    assert found.raw["data"] == SMS_DATA
    assert (found.channel, found.attempt_id) == ("SMS", "01936f6e")


def test_both_schemas_say_the_same() -> None:
    (grid,) = read_events(body(event(SMS_DATA)))
    one = json.dumps(cloud_event(SMS_DATA)).encode()
    (cloud,) = read_events(one, "application/cloudevents+json; charset=utf-8")
    (batch,) = read_events(
        body(cloud_event(SMS_DATA)), "application/cloudevents-batch+json; charset=utf-8"
    )
    for each in (cloud, batch):
        assert (each.kind, each.message_id, each.occurred_at, each.source) == (
            grid.kind,
            grid.message_id,
            grid.occurred_at,
            grid.source,
        )


@pytest.mark.parametrize("change", [str.lower, str.upper, str.swapcase])
def test_keys_and_words_are_read_in_any_case(change: Any) -> None:
    data = {change(key): value for key, value in SMS_DATA.items()} | {
        change("deliveryStatus"): change("Failed")
    }
    whole = {change(key): value for key, value in event(data).items()}
    (found,) = read_events(body(whole))
    assert (found.kind, found.message_id) == ("FAILED", "Outgoing_2026112308")


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Delivered", "DELIVERED"),
        ("Expanded", "NOTICE"),
        ("Suppressed", "FAILED"),
        ("Bounced", "FAILED"),
        ("Quarantined", "FAILED"),
        ("FilteredSpam", "FAILED"),
        ("Failed", "FAILED"),
        ("Pondered", "NOTICE"),
    ],
)
def test_an_email_report_is_read(word: str, kind: str) -> None:
    data = {
        "sender": "bills@contoso.example",
        "recipient": "tenant@example.net",
        "messageId": "00000000-0000-0000-0000-000000000001",
        "status": word,
        "deliveryStatusDetails": {"statusMessage": "550 5.1.1 no such user"},
        "deliveryAttemptTimeStamp": "2026-11-23T08:22:20+00:00",
    }
    (found,) = read_events(body(event(data, "EmailDeliveryReportReceived")))
    assert (found.kind, found.word) == (kind, word)
    assert found.detail == "550 5.1.1 no such user"
    assert found.recipient == "tenant@example.net"
    assert found.occurred_at == datetime(2026, 11, 23, 8, 22, 20, tzinfo=UTC)


@pytest.mark.parametrize(("word", "kind"), [("view", "OPENED"), ("click", "NOTICE")])
def test_engagement_names_nobody(word: str, kind: str) -> None:
    data = {
        "sender": "bills@contoso.example",
        "messageId": "m-1",
        "userActionTimeStamp": "2026-11-23T09:00:00.5+01:00",
        "engagementType": word,
        "engagementContext": "https://example.net/pay",
    }
    (found,) = read_events(body(event(data, "EmailEngagementTrackingReportReceived")))
    assert (found.kind, found.recipient) == (kind, None)
    assert found.occurred_at == datetime(2026, 11, 23, 8, 0, 0, 500_000, tzinfo=UTC)


def test_the_last_attempt_or_the_event_dates_a_report_without_its_own_time() -> None:
    data = {**SMS_DATA, "ReceivedTimestamp": "soon"}
    (found,) = read_events(body(event(data)))
    assert found.occurred_at == datetime(2026, 11, 23, 8, 22, 14, tzinfo=UTC)
    (found,) = read_events(body(event({**data, "DeliveryAttempts": None})))
    assert found.occurred_at == datetime(2026, 11, 23, 8, 22, 21, tzinfo=UTC)


def test_events_of_other_types_are_left_out() -> None:
    other = event({"message": "STOP"}, "SMSReceived")
    assert len(read_events(body(other, event(SMS_DATA)))) == 1


def test_the_handshake_code_is_found() -> None:
    handshake = {
        "id": "h",
        "topic": "t",
        "subject": "",
        "data": {"ValidationCode": "512d38b6", "validationUrl": "https://rp.example/validate"},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": "2026-11-23T08:22:21Z",
    }
    assert validation_code(body(handshake)) == "512d38b6"
    assert validation_code(body(event(SMS_DATA))) is None
    assert validation_code(b"nonsense") is None
    assert read_events(body(handshake)) == []


@pytest.mark.parametrize(
    ("malformed", "reason"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"\xff\xfe", "UTF-8"),
        (b"[" * 100_000, "JSON"),
        (b'"text"', "not an object"),
        (b"[1]", "not an object"),
        (b"{}", "no type"),
        (body(event("text")), "unreadable data"),
        (body(event(None)), "no data"),
        (body(event({**SMS_DATA, "MessageId": ""})), "names no message"),
        (body(event({**SMS_DATA, "DeliveryStatus": None})), "names no status"),
        (body(event(SMS_DATA, id=None)), "no id"),
    ],
)
def test_a_malformed_body_says_why(malformed: bytes, reason: str) -> None:
    with pytest.raises(MalformedBody, match=reason):
        read_events(malformed)


def test_another_content_type_is_malformed() -> None:
    with pytest.raises(MalformedBody, match="text/html"):
        read_events(body(event(SMS_DATA)), "text/html")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
_FIELDS = st.sampled_from([*SMS_DATA, "status", "recipient", "engagementType"])
_KINDS = st.sampled_from(
    [
        "SMSDeliveryReportReceived",
        "EmailDeliveryReportReceived",
        "EmailEngagementTrackingReportReceived",
    ]
)


@settings(max_examples=150, deadline=None)
@given(_KINDS, st.dictionaries(_FIELDS, _JSON, max_size=4), st.sampled_from([event, cloud_event]))
def test_whatever_stands_in_a_field_is_read_or_malformed(
    kind: str, fields: dict[str, Any], schema: Any
) -> None:
    try:
        found = read_events(json.dumps(schema({**SMS_DATA, **fields}, kind)).encode())
    except MalformedBody:
        return
    assert [each.event_id for each in found] == ["event-1"]
