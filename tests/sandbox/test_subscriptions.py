from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_plus

import pytest

from tests.sandbox.fixture import MAILBOX, Json, RunningSandbox, wait_for
from tests.sandbox.webhook import Webhook


def in_minutes(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def test_both_urls_must_echo_the_validation_token(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    reply = sandbox.subscribe(webhook.url, lifecycleNotificationUrl=webhook.url + "/life")
    assert reply.status == 201, reply.data
    assert [call.path for call in webhook.handshakes] == ["/hook", "/hook/life"]
    assert unquote_plus(webhook.handshakes[0].query["validationToken"])
    assert reply.json()["clientState"] == "a-client-state"
    webhook.passes_handshakes = False
    refused = sandbox.subscribe(webhook.url)
    assert refused.status == 400
    assert refused.json()["error"]["code"] == "ValidationError"


def test_nobody_answering_is_a_failed_validation(sandbox: RunningSandbox) -> None:
    assert sandbox.subscribe("http://127.0.0.1:9/hook").status == 400


@pytest.mark.parametrize(
    "change",
    [
        # The moments are of when the tests were collected, and these may run long after.
        {"expirationDateTime": in_minutes(10_080 + 120)},
        {"expirationDateTime": in_minutes(-1)},
        {"expirationDateTime": "tomorrow"},
        {"clientState": "x" * 129},
        {"resource": "/users/a@example.org/events"},
        {"changeType": "moved"},
        {"notificationUrl": "https://example.org/hook"},
        {"notificationUrl": None},
        {"colour": "blue"},
    ],
)
def test_a_malformed_subscription_is_refused(
    sandbox: RunningSandbox, webhook: Webhook, change: dict[str, Json]
) -> None:
    assert sandbox.subscribe(webhook.url, **change).status == 400


def test_a_report_in_the_inbox_is_notified(sandbox: RunningSandbox, webhook: Webhook) -> None:
    subscription = sandbox.subscribe(webhook.url).json()["id"]
    sandbox.mail("bounce@example.org")
    [item] = wait_for(webhook.notifications)
    assert item["subscriptionId"] == subscription
    assert item["clientState"] == "a-client-state"
    assert item["changeType"] == "created"
    message_id = item["resourceData"]["id"]
    assert item["resource"] == f"Users/{MAILBOX}/Messages/{message_id}"
    assert b"multipart/report" in sandbox.mime(message_id)
    assert message_id == sandbox.inbox()[0]["id"]


def test_an_unanswered_notification_comes_again(sandbox: RunningSandbox, webhook: Webhook) -> None:
    sandbox.subscribe(webhook.url)
    webhook.statuses = [503, 500, 404]
    sandbox.mail("bounce@example.org")
    wait_for(lambda: len(webhook.calls) == 4)
    assert len({item["resource"] for item in webhook.notifications()}) == 1
    wait_for(lambda: sandbox.request("GET", "/healthz").json()["waiting"] == 0)


def test_a_subscription_can_be_renewed_shown_and_removed(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    created = sandbox.subscribe(webhook.url).json()
    path = f"/subscriptions/{created['id']}"
    renewed = sandbox.graph("PATCH", path, {"expirationDateTime": in_minutes(5000)}).json()
    assert renewed["expirationDateTime"] > created["expirationDateTime"]
    assert sandbox.graph("PATCH", path, {"clientState": "other"}).status == 400
    assert sandbox.graph("POST", path + "/reauthorize").status == 204
    assert sandbox.graph("GET", path).json()["id"] == created["id"]
    assert [s["id"] for s in sandbox.graph("GET", "/subscriptions").json()["value"]] == [
        created["id"]
    ]
    assert sandbox.graph("DELETE", path).status == 204
    assert sandbox.graph("GET", path).status == 404
    sandbox.mail("bounce@example.org")
    wait_for(sandbox.inbox)
    wait_for(lambda: sandbox.request("GET", "/healthz").json()["waiting"] == 0)
    assert webhook.calls == []


@pytest.mark.parametrize("event", ["reauthorizationRequired", "subscriptionRemoved", "missed"])
def test_lifecycle_events_can_be_caused(
    sandbox: RunningSandbox, webhook: Webhook, event: str
) -> None:
    created = sandbox.subscribe(webhook.url).json()
    assert sandbox.request("POST", "/lifecycle", {"event": event}).json() == {"notified": 1}
    [item] = wait_for(webhook.notifications)
    assert item["lifecycleEvent"] == event
    assert item["clientState"] == "a-client-state"
    gone = sandbox.graph("GET", f"/subscriptions/{created['id']}").status == 404
    assert gone == (event == "subscriptionRemoved")
    assert sandbox.request("POST", "/lifecycle", {"event": "other"}).status == 422
