import json
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.sandbox.fixture import Json, RunningSandbox, running_sandbox, sign, wait_for
from tests.sandbox.webhook import Webhook

SMS = "/sms?api-version=2026-01-23"
BODY = {
    "from": "+4930123456",
    "smsRecipients": [{"to": "+491700000003"}],
    "message": "Hello",
}


def rfc1123(minutes_ago: float) -> str:
    return format_datetime(datetime.now(UTC) - timedelta(minutes=minutes_ago), usegmt=True)


def test_a_signed_sms_is_accepted_and_listed(sandbox: RunningSandbox) -> None:
    repeat = str(uuid.uuid4())
    item = sandbox.sms("+491700000002", repeat=repeat)
    assert item["successful"] is True
    assert item["httpStatusCode"] == 202
    assert item["repeatabilityResult"] == "accepted"
    [listed] = sandbox.messages()
    assert listed.pop("acceptedAt")
    assert listed == {
        "channel": "SMS",
        "to": "+491700000002",
        "subject": None,
        "idempotencyKey": repeat,
        "messageId": item["messageId"],
    }


def test_a_repeat_inside_the_window_is_the_same_message(sandbox: RunningSandbox) -> None:
    repeat, first_sent = str(uuid.uuid4()), rfc1123(1)
    first = sandbox.sms("+491700000002", repeat=repeat, first_sent=first_sent)
    again = sandbox.sms("+491700000002", repeat=repeat.upper(), first_sent=first_sent)
    assert again == first
    assert len(sandbox.messages()) == 1


def test_a_repeat_with_another_text_is_rejected(sandbox: RunningSandbox) -> None:
    repeat = str(uuid.uuid4())
    sandbox.sms("+491700000002", repeat=repeat)
    item = sandbox.sms("+491700000002", repeat=repeat, message="Other")
    assert (item["successful"], item["repeatabilityResult"]) == (False, "rejected")
    assert len(sandbox.messages()) == 1


def test_a_first_sending_too_long_ago_is_rejected(sandbox: RunningSandbox) -> None:
    item = sandbox.sms("+491700000002", first_sent=rfc1123(10))
    assert item["httpStatusCode"] == 412
    assert (item["successful"], item["repeatabilityResult"]) == (False, "rejected")
    assert sandbox.messages() == []


def test_after_the_window_the_id_is_forgotten() -> None:
    with running_sandbox("--repeatability-seconds", "1") as sandbox:
        repeat, first_sent = str(uuid.uuid4()), rfc1123(0)
        sandbox.sms("+491700000002", repeat=repeat, first_sent=first_sent)
        late = wait_for(
            lambda: (
                item
                if not (item := sandbox.sms("+491700000002", repeat=repeat, first_sent=first_sent))[
                    "successful"
                ]
                else None
            )
        )
        assert late["repeatabilityResult"] == "rejected"
        assert len(sandbox.messages()) == 1


def test_an_sms_without_a_repeatability_id_is_sent_each_time(sandbox: RunningSandbox) -> None:
    for _ in range(2):
        [item] = sandbox.acs("POST", SMS, BODY).json()["value"]
        assert "repeatabilityResult" not in item
    assert len(sandbox.messages()) == 2


def test_a_bad_number_fails_alone_in_a_202(sandbox: RunningSandbox) -> None:
    people = [{"to": "0170 123"}, {"to": "+491700000002"}]
    reply = sandbox.acs("POST", SMS, {**BODY, "smsRecipients": people})
    assert reply.status == 202
    bad, good = reply.json()["value"]
    assert (bad["successful"], bad["httpStatusCode"]) == (False, 400)
    assert bad["errorMessage"]
    assert "messageId" not in bad
    assert good["successful"] is True


@pytest.mark.parametrize(
    "change",
    [
        {"from": "a sender name that is long"},
        {"message": ""},
        {"message": "x" * 2049},
        {"smsRecipients": []},
        {"smsRecipients": [{"to": "+491700000002"}] * 101},
        {"smsSendOptions": {"tag": "x"}},
        {"smsSendOptions": {"enableDeliveryReport": True, "deliveryReportTimeoutInSeconds": 5}},
    ],
)
def test_a_malformed_sms_is_refused(sandbox: RunningSandbox, change: dict[str, Json]) -> None:
    assert sandbox.acs("POST", SMS, {**BODY, **change}).status == 400


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/sms", "MissingApiVersionParameter"),
        ("/sms?api-version=2019-01-01", "UnsupportedApiVersionValue"),
    ],
)
def test_a_known_api_version_is_needed(sandbox: RunningSandbox, path: str, code: str) -> None:
    reply = sandbox.acs("POST", path, BODY)
    assert (reply.status, reply.json()["error"]["code"]) == (400, code)


def test_a_signature_that_does_not_hold_is_denied(sandbox: RunningSandbox) -> None:
    content = json.dumps(BODY).encode()
    good = sign("POST", SMS, sandbox.host, content)
    bad = {
        "other key": sign("POST", SMS, sandbox.host, content, key="b3RoZXI="),
        "other path": sign("POST", "/sms", sandbox.host, content),
        "other verb": sign("GET", SMS, sandbox.host, content),
        "other host": sign("POST", SMS, "example.org", content),
        "other body": sign("POST", SMS, sandbox.host, content + b" "),
        "old date": sign("POST", SMS, sandbox.host, content, date=rfc1123(6)),
        "future date": sign("POST", SMS, sandbox.host, content, date=rfc1123(-6)),
        "no date": {**good, "x-ms-date": ""},
        "bearer": {**good, "Authorization": f"Bearer {sandbox.token()}"},
        "nothing": {},
    }
    for why, headers in bad.items():
        headers = {**headers, "Content-Type": "application/json"}
        reply = sandbox.request("POST", SMS, content=content, headers=headers)
        assert reply.status == 401, why
    headers = {**good, "Content-Type": "application/json"}
    assert sandbox.request("POST", SMS, content=content, headers=headers).status == 202
    assert len(sandbox.messages()) == 1


EMAILS = "/emails:send?api-version=2025-09-01"


def email(to: str) -> dict[str, Json]:
    return {
        "senderAddress": "billing@example.org",
        "content": {"subject": "Your bill", "html": "<p>Hello</p>", "plainText": "Hello"},
        "recipients": {"to": [{"address": to, "displayName": "Anna"}]},
        "headers": {"x-trackcenter-attempt": "attempt-1"},
        "attachments": [
            {"name": "bill.pdf", "contentType": "application/pdf", "contentInBase64": "JVBERg=="}
        ],
    }


def test_an_email_is_an_operation_that_succeeds(sandbox: RunningSandbox) -> None:
    operation = str(uuid.uuid4())
    headers = {"Operation-Id": operation}
    reply = sandbox.acs("POST", EMAILS, email("anna@example.org"), **headers)
    assert reply.status == 202
    assert reply.json() == {"id": operation, "status": "Running"}
    path = reply.headers["Operation-Location"].removeprefix(sandbox.url)
    wait_for(lambda: sandbox.acs("GET", path).json()["status"] == "Succeeded")
    again = sandbox.acs("POST", EMAILS, email("anna@example.org"), **headers)
    assert again.json()["id"] == operation
    [listed] = sandbox.messages()
    assert listed["idempotencyKey"] == "attempt-1"
    assert (listed["messageId"], listed["subject"]) == (operation, "Your bill")


@pytest.mark.parametrize(
    "change",
    [
        {"senderAddress": "nobody"},
        {"content": {"subject": "x"}},
        {"recipients": {"to": []}},
        {"recipients": {"to": [{"address": "nobody"}]}},
        {"recipients": {"to": [{"address": "reject@example.org"}]}},
        {"attachments": [{"name": "a", "contentType": "b", "contentInBase64": "%"}]},
    ],
)
def test_a_malformed_email_is_refused(sandbox: RunningSandbox, change: dict[str, Json]) -> None:
    assert sandbox.acs("POST", EMAILS, {**email("a@example.org"), **change}).status == 400
    assert sandbox.messages() == []


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("anna@example.org", ["Delivered"]),
        ("bounce@example.org", ["Bounced"]),
        ("bounce-after-delivery@example.org", ["Bounced", "Delivered"]),
        ("open@example.org", ["Delivered", "view"]),
    ],
)
def test_email_reports_come_by_event_grid(
    sandbox: RunningSandbox, webhook: Webhook, recipient: str, expected: list[str]
) -> None:
    hook = {"url": webhook.url, "schema": "EventGrid"}
    assert sandbox.request("PUT", "/eventgrid", hook).status == 200
    reply = sandbox.acs("POST", EMAILS, email(recipient))
    wait_for(lambda: len(webhook.events()) >= len(expected))
    seen = []
    for event in webhook.events():
        data = {key.lower(): value for key, value in event["data"].items()}
        assert data["messageid"] == reply.json()["id"]
        seen.append(data.get("status") or data.get("engagementtype"))
    assert sorted(word.lower() for word in seen) == [word.lower() for word in expected]
