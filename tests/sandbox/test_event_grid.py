import pytest

from tests.sandbox.fixture import Json, RunningSandbox, running_sandbox, wait_for
from tests.sandbox.webhook import Webhook, running_webhook

SECRET = "s3cret&more"


def register(sandbox: RunningSandbox, webhook: Webhook, **extra: Json):
    hook = {"url": webhook.url, "secret": SECRET, "schema": "EventGrid", **extra}
    return sandbox.request("PUT", "/eventgrid", hook)


def data_of(event: dict[str, Json]) -> dict[str, Json]:
    return {key.lower(): value for key, value in event["data"].items()}


def is_quiet(sandbox: RunningSandbox) -> bool:
    return bool(sandbox.request("GET", "/healthz").json()["waiting"] == 0)


def test_a_webhook_is_added_only_after_its_handshake(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    webhook.passes_handshakes = False
    for schema in ("EventGrid", "CloudEvents"):
        reply = register(sandbox, webhook, schema=schema)
        assert reply.status == 400
        assert "handshake" in reply.json()["title"]
    webhook.passes_handshakes = True
    webhook.handshakes.clear()
    assert register(sandbox, webhook, schema="alternate").status == 200
    assert [call.method for call in webhook.handshakes] == ["POST", "OPTIONS"]
    assert [call.query["code"] for call in webhook.handshakes] == [SECRET, SECRET]
    [listed] = sandbox.request("GET", "/eventgrid").json()
    assert (listed["validated"], listed["schema"]) == (True, "alternate")
    assert SECRET not in str(listed)


def test_sms_reports_come_in_the_event_grid_schema(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    register(sandbox, webhook)
    item = sandbox.sms("+491700000001", tag="attempt-1")
    [event] = wait_for(webhook.events)
    [call] = webhook.calls
    assert call.query["code"] == SECRET
    assert call.headers["aeg-event-type"] == "Notification"
    assert call.headers.get_content_type() == "application/json"
    assert event["eventType"] == "Microsoft.Communication.SMSDeliveryReportReceived"
    data = data_of(event)
    assert data["messageid"] == item["messageId"]
    assert data["deliverystatus"].lower() == "failed"
    assert (data["to"], data["tag"]) == ("+491700000001", "attempt-1")


def test_sms_reports_come_as_cloud_events(sandbox: RunningSandbox, webhook: Webhook) -> None:
    register(sandbox, webhook, schema="CloudEvents")
    item = sandbox.sms("+491700000003")
    [event] = wait_for(webhook.events)
    [call] = webhook.calls
    assert call.headers.get_content_type() in {
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
    }
    assert {key.lower(): value for key, value in event.items()}["specversion"] == "1.0"
    assert event["type"] == "Microsoft.Communication.SMSDeliveryReportReceived"
    assert data_of(event)["messageid"] == item["messageId"]


def test_both_schemas_and_several_spellings_take_turns(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    register(sandbox, webhook, schema="alternate")
    for number in range(24):
        sandbox.sms("+491700000003")
        wait_for(lambda count=number: len(webhook.events()) > count)
    schemas = {"eventType" in event for event in webhook.events()}
    assert schemas == {True, False}
    keys = {key for event in webhook.events() for key in event["data"]}
    assert {"messageId", "MessageId"} <= keys
    words = {
        value
        for event in webhook.events()
        for key, value in event["data"].items()
        if key.lower() == "deliverystatus"
    }
    assert words == {"Delivered", "delivered"}


@pytest.mark.parametrize("status", [202, 403, 404, 500, 503])
def test_what_is_not_taken_comes_again(
    sandbox: RunningSandbox, webhook: Webhook, status: int
) -> None:
    register(sandbox, webhook)
    webhook.status = 200
    webhook.statuses = [status]
    sandbox.sms("+491700000003")
    expected = 1 if status == 202 else 2
    wait_for(lambda: len(webhook.calls) >= expected)
    wait_for(lambda: is_quiet(sandbox))
    assert len(webhook.calls) == expected
    assert len({event["id"] for event in webhook.events()}) == 1


@pytest.mark.parametrize("status", [400, 401, 413])
def test_what_is_refused_for_good_does_not_come_again(
    sandbox: RunningSandbox, webhook: Webhook, status: int
) -> None:
    register(sandbox, webhook)
    webhook.status = status
    sandbox.sms("+491700000003")
    wait_for(lambda: webhook.calls)
    wait_for(lambda: is_quiet(sandbox))
    assert len(webhook.calls) == 1


def test_only_the_types_asked_for_come(sandbox: RunningSandbox, webhook: Webhook) -> None:
    kind = "Microsoft.Communication.EmailDeliveryReportReceived"
    register(sandbox, webhook, eventTypes=[kind])
    sandbox.sms("+491700000003")
    wait_for(lambda: is_quiet(sandbox))
    assert webhook.calls == []


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://example.org/hook"},
        {"schema": "XML"},
        {"secret": 7},
        {"eventTypes": ["a"]},
        {"colour": "blue"},
    ],
)
def test_a_malformed_registration_is_refused(
    sandbox: RunningSandbox, webhook: Webhook, change: dict[str, Json]
) -> None:
    assert register(sandbox, webhook, **change).status == 400


def test_webhooks_named_at_the_start_are_tried_until_they_answer() -> None:
    with running_webhook() as webhook:
        webhook.passes_handshakes = False
        with running_sandbox(
            "--event-grid-url", webhook.url, "--event-grid-secret", SECRET, speed=20
        ) as sandbox:
            sandbox.sms("+491700000003")
            wait_for(lambda: len(webhook.handshakes) >= 2)
            assert webhook.calls == []
            webhook.passes_handshakes = True
            [event] = wait_for(webhook.events)
            assert data_of(event)["to"] == "+491700000003"
