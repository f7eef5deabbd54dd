"""Graph's notifications: kept coming, and caught up on."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from tests.queue.jobs import jobs
from tests.receipts.pushes import collection, notification
from tests.sandbox.fixture import MAILBOX, RunningSandbox, wait_for
from tests.sandbox.webhook import Webhook, running_webhook
from trackcenter.config import doctor
from trackcenter.delivery.pacing import RETRY_AFTER, hold
from trackcenter.kit.clock import now
from trackcenter.providers.base import ProviderFailure
from trackcenter.queue.retry import RetryAt
from trackcenter.receipts import subscriptions
from trackcenter.receipts.apply import apply_receipt
from trackcenter.receipts.models import InboundReceipt, InboxCursor
from trackcenter.receipts.store import LIFECYCLE, Arrival, as_body

pytestmark = pytest.mark.django_db


@pytest.fixture
def webhook(settings: Settings) -> Iterator[Webhook]:
    """The server that Graph calls back."""
    with running_webhook() as webhook:
        settings.PUBLIC_URL = webhook.url.removesuffix("/hook")
        yield webhook


def subscribed(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.graph("GET", "/subscriptions").json()["value"]
    return found


def test_a_subscription_is_made_once_and_kept(sandbox: RunningSandbox, webhook: Webhook) -> None:
    subscriptions.ensure()
    (made,) = subscribed(sandbox)
    assert made["notificationUrl"] == made["lifecycleNotificationUrl"]
    assert made["notificationUrl"].endswith(subscriptions.WEBHOOK)
    assert {call.path for call in webhook.handshakes} == {subscriptions.WEBHOOK}
    subscriptions.ensure()
    assert subscribed(sandbox) == [made]
    subscriptions.ensure(renew=True)
    assert [one["id"] for one in subscribed(sandbox)] == [made["id"]]


def said_by_the_doctor() -> str:
    return "\n".join(map(str, doctor.examine_installation()))


def test_the_doctor_names_a_mailbox_that_nobody_watches(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    said = said_by_the_doctor()
    assert f"Graph does not tell of new mail of {MAILBOX}: no subscription lives" in said
    assert "trackcenter subscriptions ensure" in said
    subscriptions.ensure()
    assert f"Graph tells of new mail of {MAILBOX} until" in said_by_the_doctor()


def test_the_doctor_asks_as_well_where_a_certificate_signs_in(
    sandbox: RunningSandbox, webhook: Webhook, settings: Settings
) -> None:
    settings.GRAPH_CLIENT_SECRET = None
    settings.GRAPH_CERTIFICATE = "graph.pem"
    assert "A certificate needs an https sign-in service" in said_by_the_doctor()


def test_the_notifications_carry_the_state_that_the_webhook_wants(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    subscriptions.ensure()
    sandbox.mail("anna@example.org")
    wait_for(webhook.notifications)
    assert webhook.notifications()[0]["clientState"] == "our state"


def test_a_server_that_does_not_answer_is_a_failure(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    webhook.passes_handshakes = False
    with pytest.raises(ProviderFailure):
        subscriptions.ensure()
    assert subscribed(sandbox) == []


@pytest.mark.parametrize("name", ["GRAPH_MAILBOX", "GRAPH_CLIENT_STATE", "PUBLIC_URL"])
def test_without_mailbox_state_or_address_there_is_nothing_to_watch(
    sandbox: RunningSandbox, webhook: Webhook, settings: Settings, name: str
) -> None:
    setattr(settings, name, None)
    subscriptions.ensure()
    assert subscriptions.resync() == 0
    assert subscribed(sandbox) == []


def inbox_of(sandbox: RunningSandbox, count: int) -> None:
    for number in range(count):
        sandbox.mail(f"bounce.{number}@example.org")
    wait_for(lambda: len(sandbox.inbox()) == count)


def test_a_resync_stores_what_no_notification_told_of(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    inbox_of(sandbox, 2)
    assert subscriptions.resync() == 2
    assert subscriptions.resync() == 0
    inbox = wait_for(sandbox.inbox)
    assert InboundReceipt.objects.count() == len(jobs("apply-receipt")) == len(inbox)
    assert InboxCursor.objects.get().mailbox == MAILBOX


def test_a_late_notification_of_a_resynced_mail_is_the_same_receipt(
    sandbox: RunningSandbox, webhook: Webhook, client: Any
) -> None:
    inbox_of(sandbox, 1)
    subscriptions.resync()
    late = collection(notification(sandbox.inbox()[0]["id"]))
    answer = client.post("/api/track/providers/msgraph/email", late, "application/json")
    assert answer.status_code == 202
    assert InboundReceipt.objects.count() == len(jobs("apply-receipt")) == 1


def test_a_resync_that_fails_keeps_its_place(sandbox: RunningSandbox, webhook: Webhook) -> None:
    subscriptions.resync()
    place = InboxCursor.objects.get().delta_link
    inbox_of(sandbox, 1)
    sandbox.set_faults(rate503=1)
    with pytest.raises(ProviderFailure):
        subscriptions.resync()
    sandbox.set_faults()
    assert InboxCursor.objects.get().delta_link == place
    assert subscriptions.resync() == 1


def lifecycle(event: str, subscription_id: str = "s-1") -> InboundReceipt:
    body = as_body({"lifecycleEvent": event, "subscriptionId": subscription_id})
    receipt = InboundReceipt.objects.create(
        origin=LIFECYCLE, dedupe_key=Arrival(LIFECYCLE, (event,), body).dedupe_key, body=body
    )
    apply_receipt(receipt.id)
    receipt.refresh_from_db()
    return receipt


def test_a_removed_subscription_is_made_again_and_its_gap_read(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    inbox_of(sandbox, 1)
    assert lifecycle("subscriptionRemoved").state == "APPLIED"
    assert len(subscribed(sandbox)) == 1
    assert InboundReceipt.objects.filter(origin="msgraph-email").count() == 1


def test_what_a_lifecycle_notification_asks_for_waits_while_graph_is_away(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    sandbox.set_faults(rate503=1)
    with pytest.raises(RetryAt):
        lifecycle("subscriptionRemoved")
    sandbox.set_faults()
    receipt = InboundReceipt.objects.get()
    apply_receipt(receipt.id)
    receipt.refresh_from_db()
    assert receipt.state == "APPLIED"
    assert len(subscribed(sandbox)) == 1


def test_a_removed_subscription_is_not_kept_because_it_is_listed_still(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    subscriptions.ensure()
    (old,) = subscribed(sandbox)
    assert lifecycle("subscriptionRemoved", old["id"]).state == "APPLIED"
    assert len({one["id"] for one in subscribed(sandbox)} - {old["id"]}) == 1


def test_a_mailbox_that_must_wait_does_not_keep_the_others(
    sandbox: RunningSandbox, webhook: Webhook, settings: Settings
) -> None:
    settings.GRAPH_MAILBOXES = {"B2": "another@example.org"}
    hold("EMAIL", MAILBOX, now() + timedelta(hours=1), code=RETRY_AFTER, because="busy")
    with pytest.raises(RetryAt):
        subscriptions.ensure()
    assert [one["resource"] for one in subscribed(sandbox)] == [
        "/users/another@example.org/mailFolders('inbox')/messages"
    ]


def test_missed_notifications_are_read_from_the_inbox(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    inbox_of(sandbox, 1)
    assert lifecycle("missed").state == "APPLIED"
    assert InboundReceipt.objects.filter(origin="msgraph-email").count() == 1
    assert subscribed(sandbox) == []


def test_a_reauthorization_keeps_the_subscription(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    subscriptions.ensure()
    (made,) = subscribed(sandbox)
    receipt = lifecycle("reauthorizationRequired", made["id"])
    assert (receipt.state, json.loads(bytes(receipt.body))["subscriptionId"]) == (
        "APPLIED",
        made["id"],
    )
    assert [one["id"] for one in subscribed(sandbox)] == [made["id"]]


def test_a_word_never_heard_is_settled_without_harm(sandbox: RunningSandbox) -> None:
    assert lifecycle("somethingNew").state == "APPLIED"
