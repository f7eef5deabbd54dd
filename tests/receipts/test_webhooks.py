"""What the webhooks answer, and what they keep."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from tests.queue.jobs import jobs
from tests.receipts.pushes import as_cloud_event, collection, notification, sms_report
from tests.receipts.wsgi import post
from trackcenter.receipts.models import InboundReceipt
from trackcenter.receipts.webhooks import MAX_BODY, MAX_TOKEN

pytestmark = pytest.mark.django_db

GRAPH = "/api/track/providers/msgraph/email"
SMS = "/api/track/providers/msgraph/sms"
EMAIL = "/api/track/providers/acs/email"


@pytest.fixture(autouse=True)
def secrets(settings: Settings) -> None:
    settings.GRAPH_CLIENT_STATE = "our state"
    settings.EVENTGRID_SECRETS = ("new secret", "old secret")


class Way:
    """By which of its two ways a push comes in; every test here goes both."""

    direct = False


@pytest.fixture(autouse=True, params=["past Django", "by Django"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Way, "direct", request.param == "past Django")


def push(path: str, body: str | bytes, **headers: str) -> Any:
    kind = headers.pop("content_type", "application/json")
    if Way.direct:
        return post(path, body, kind, headers)
    # As Microsoft does: no cookies, no token.
    return Client(enforce_csrf_checks=True).generic("POST", path, body, kind, headers=headers)


def kept() -> list[tuple[str, str]]:
    return sorted(InboundReceipt.objects.values_list("origin", "state"))


# Graph


@pytest.mark.parametrize("token", ["abc", "Validation: Grüße & <b>1+1</b>", "", "x" * MAX_TOKEN])
def test_graph_gets_its_token_back_as_plain_text(token: str) -> None:
    answer = Client().post(f"{GRAPH}?", query_params={"validationToken": token})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.content.decode() == token
    assert kept() == []


def test_nobody_gets_a_page_of_their_own_reflected() -> None:
    answer = Client().post(GRAPH, query_params={"validationToken": "x" * (MAX_TOKEN + 1)})
    assert answer.status_code == 400


def test_a_notification_is_stored_queued_and_accepted() -> None:
    assert push(GRAPH, collection(notification())).status_code == 202
    receipt = InboundReceipt.objects.get()
    assert (receipt.origin, receipt.state) == ("msgraph-email", "NEW")
    assert jobs("apply-receipt")[0].message == {"receiptId": str(receipt.id)}
    stored = json.loads(bytes(receipt.body))
    assert stored["resourceData"] == {"id": "AAA"}
    assert "clientState" not in stored  # the secret is not kept beside what it protects


def test_the_same_notification_again_changes_nothing() -> None:
    two = collection(notification("A"), notification("B"))
    for _ in range(3):
        assert push(GRAPH, two).status_code == 202
    assert push(GRAPH, collection(notification("A"), notification("C"))).status_code == 202
    again_in_one = collection(notification("D"), notification("D"))
    assert push(GRAPH, again_in_one).status_code == 202
    assert InboundReceipt.objects.count() == len(jobs("apply-receipt")) == 4


@pytest.mark.parametrize("state", ["not ours", "", None, 7, "our state ", "\ud800", ["our state"]])
def test_a_collection_of_strangers_is_refused_and_forgotten(state: Any) -> None:
    answer = push(GRAPH, collection(notification(clientState=state), notification(clientState="")))
    assert answer.status_code == 401
    assert kept() == []
    assert jobs() == []


def test_of_a_mixed_collection_only_ours_is_kept() -> None:
    mixed = collection(
        notification("A"), notification("B", clientState="no"), notification("C", clientState=None)
    )
    assert push(GRAPH, mixed).status_code == 202
    assert json.loads(bytes(InboundReceipt.objects.get().body))["resourceData"]["id"] == "A"


def test_without_a_client_state_of_ours_nothing_is_ours(settings: Settings) -> None:
    settings.GRAPH_CLIENT_STATE = None
    for state in ("", None, "None"):
        assert push(GRAPH, collection(notification(clientState=state))).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"value": null}',
        b'{"value": {}}',
        b'{"value": [1]}',
        b'{"value": ["x"]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_collection_is_a_bad_request(body: bytes) -> None:
    assert push(GRAPH, body).status_code == 400
    assert kept() == []


def test_an_empty_collection_is_accepted() -> None:
    assert push(GRAPH, collection()).status_code == 202


def test_a_lifecycle_notification_is_kept_apart() -> None:
    removed = notification(lifecycleEvent="subscriptionRemoved", resource="")
    assert push(GRAPH, collection(removed, notification())).status_code == 202
    assert kept() == [("msgraph-email", "NEW"), ("msgraph-lifecycle", "NEW")]


def test_a_second_call_of_the_same_word_is_heeded_too() -> None:
    missed = notification(lifecycleEvent="missed", resource="")
    for _ in range(2):
        assert push(GRAPH, collection(missed)).status_code == 202
    assert kept() == [("msgraph-lifecycle", "NEW")] * 2


# Event Grid


@pytest.mark.parametrize("path", [SMS, EMAIL])
def test_both_schemas_are_stored_once_and_queued(path: str) -> None:
    event = sms_report()
    url = f"{path}?code=new+secret"
    assert push(url, json.dumps([event])).status_code == 200
    cloud = json.dumps(as_cloud_event(event))
    assert push(url, cloud, content_type="application/cloudevents+json").status_code == 200
    batch = json.dumps([as_cloud_event(event), as_cloud_event(sms_report(id="e-2"))])
    kind = "application/cloudevents-batch+json; charset=utf-8"
    assert push(url, batch, content_type=kind).status_code == 200
    assert InboundReceipt.objects.count() == len(jobs("apply-receipt")) == 2


@pytest.mark.parametrize("secret", ["new secret", "old secret"])
def test_either_secret_opens_during_a_rotation_in_either_place(secret: str) -> None:
    body = json.dumps([sms_report()])
    assert push(SMS, body, **{"aeg-sas-key": secret}).status_code == 200
    assert push(f"{SMS}?code={secret}", body).status_code == 200
    assert push(f"{SMS}?code=stale", body, **{"aeg-sas-key": secret}).status_code == 200


@pytest.mark.parametrize("path", [SMS, EMAIL])
@pytest.mark.parametrize(
    "query", ["", "?code=", "?code=wrong", "?code=new+secret+", "?code=%ff", "?code=%ED%A0%80"]
)
def test_a_wrong_secret_is_refused_whatever_it_brings(path: str, query: str) -> None:
    handshake = [{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent"}]
    for body in (json.dumps([sms_report()]), json.dumps(handshake), "{"):
        assert push(path + query, body).status_code == 401
    greeting = Client().options(path + query, headers={"WebHook-Request-Origin": "x"})
    assert greeting.status_code == 401
    assert kept() == []


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_without_secrets_nobody_is_let_in(settings: Settings, secrets: tuple[str, ...]) -> None:
    settings.EVENTGRID_SECRETS = secrets
    assert push(f"{SMS}?code=", json.dumps([sms_report()])).status_code == 401


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[1]", b'[{"id": "1"}]', b"", b"[" * 100_000])
def test_what_cannot_be_read_is_kept_as_malformed_before_it_is_refused(body: bytes) -> None:
    for _ in range(2):
        answer = push(f"{SMS}?code=new+secret", body)
        assert answer.status_code == 400
    assert answer.json()["detail"]
    receipt = InboundReceipt.objects.get()
    assert (receipt.origin, receipt.state) == ("eventgrid-sms", "MALFORMED")
    assert bytes(receipt.body) == body
    assert receipt.reason == answer.json()["detail"]
    assert jobs() == []


def test_the_wrong_content_type_is_malformed() -> None:
    answer = push(f"{SMS}?code=new+secret", json.dumps([sms_report()]), content_type="text/xml")
    assert answer.status_code == 400
    assert kept() == [("eventgrid-sms", "MALFORMED")]


def test_the_event_grid_handshake_answers_with_the_code() -> None:
    event = {
        "id": "1",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "data": {"validationCode": "512d38b6"},
    }
    headers = {"aeg-event-type": "SubscriptionValidation"}
    answer = push(f"{SMS}?code=new+secret", json.dumps([event]), **headers)
    assert answer.status_code == 200
    assert answer.json() == {"validationResponse": "512d38b6"}
    assert kept() == []


@pytest.mark.parametrize("path", [SMS, EMAIL])
def test_the_cloud_events_handshake_names_the_origin(path: str) -> None:
    answer = Client().options(
        f"{path}?code=old+secret", headers={"WebHook-Request-Origin": "eventgrid.azure.net"}
    )
    assert answer.status_code == 200
    assert answer["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
    assert answer["WebHook-Allowed-Rate"] == "*"
    assert answer["Allow"] == "OPTIONS, POST"


def test_events_of_other_kinds_are_accepted_and_left() -> None:
    other = {**sms_report(), "eventType": "Microsoft.Communication.SMSReceived"}
    assert push(f"{SMS}?code=new+secret", json.dumps([other])).status_code == 200
    assert kept() == []


# All


@pytest.mark.parametrize("url", [GRAPH, f"{SMS}?code=new+secret", f"{EMAIL}?code=new+secret"])
def test_what_is_too_large_is_not_looked_at(url: str) -> None:
    assert push(url, b" " * (MAX_BODY + 1)).status_code == 413
    assert kept() == []


IN_CHUNKS = {
    "CONTENT_LENGTH": "",
    "HTTP_TRANSFER_ENCODING": "chunked",
    "wsgi.input_terminated": "1",
}


@pytest.mark.parametrize(
    ("url", "body", "status"),
    [
        (GRAPH, collection(notification()), 202),
        (GRAPH, collection(notification())[:-1], 400),
        (GRAPH, " " * (MAX_BODY + 1), 413),
        (GRAPH, collection(notification()) + " " * MAX_BODY, 413),
        (f"{SMS}?code=new+secret", json.dumps([sms_report()]), 200),
        (f"{SMS}?code=wrong", json.dumps([sms_report()]), 401),
    ],
)
def test_a_report_in_chunks_is_taken_like_any_other(url: str, body: str, status: int) -> None:
    assert post(url, body, **IN_CHUNKS).status_code == status
    assert len(kept()) == (status < 300)


@pytest.mark.parametrize("url", [GRAPH, f"{SMS}?code=new+secret"])
def test_a_report_that_breaks_off_is_not_taken(url: str) -> None:
    answer = post(url, json.dumps([sms_report()])[:-1], CONTENT_LENGTH="9999")
    assert answer.status_code == 400
    assert kept() == []


def locked() -> Any:
    """Have somebody else hold the receipts' table, and our patience end soon."""
    stack = ExitStack()
    other = stack.enter_context(psycopg.connect(**connection.get_connection_params()))
    other.execute("LOCK TABLE inbound_receipts IN ACCESS EXCLUSIVE MODE")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '50ms'")
    return stack


def cut_off() -> Any:
    """Lose the connection."""
    connection.connection.close()
    return nullcontext()


@pytest.mark.parametrize("trouble", [locked, cut_off])
@pytest.mark.parametrize(
    ("url", "body"),
    [
        (GRAPH, collection(notification())),
        (f"{SMS}?code=new+secret", json.dumps([sms_report()])),
        (f"{EMAIL}?code=new+secret", "{"),
    ],
)
def test_our_own_trouble_asks_for_another_try(
    url: str, body: str, trouble: Callable[[], AbstractContextManager[Any]]
) -> None:
    with trouble():
        answer = push(url, body)
    assert answer.status_code == 503
    for word in ("closed", "lock", "inbound_receipts"):
        assert word not in answer.content.decode()


@pytest.mark.parametrize("url", [GRAPH, SMS, EMAIL])
def test_a_webhook_only_takes_posts(url: str) -> None:
    answer = Client().get(url)
    assert answer.status_code == 405
    assert "POST" in answer["Allow"]
    assert answer["Content-Type"] == "application/problem+json"


def test_a_sender_may_add_parameters_of_its_own() -> None:
    assert push(f"{GRAPH}?tenant=x", collection(notification())).status_code == 202
