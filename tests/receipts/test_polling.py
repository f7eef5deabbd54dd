"""Reports that never came are asked for; sources that disagree are both kept."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django import Settings

from tests.communications.factories import a_bill, an_event
from tests.providers.peer import Answer, Asked, Peer, peer
from tests.receipts.pushes import sms_report
from tests.receipts.test_apply import a_sent_one, status, stored
from tests.sandbox.fixture import RunningSandbox, wait_for
from trackcenter.communications.models import Attempt, Communication
from trackcenter.communications.payloads import Delivered, Enqueued, Failed, Sent, Trouble
from trackcenter.evidence.verify import verify
from trackcenter.kit.clock import now
from trackcenter.receipts import polling
from trackcenter.receipts.apply import apply_receipt
from trackcenter.receipts.models import InboundReceipt, ReportPoll
from trackcenter.sandbox.options import ACS_ACCESS_KEY

pytestmark = pytest.mark.django_db


def late(
    channel: str = "SMS", *, provider: str = "acs", message_id: str = "m-1", unit: str = "1"
) -> Communication:
    """A message that was handed over so long ago and of which nothing was heard."""
    at = now() - timedelta(hours=1)
    (one,) = a_bill(channel, unit=unit)
    an_event(one, Enqueued(channel=channel))
    Attempt.objects.create(
        communication=one,
        number=1,
        channel=channel,
        provider_message_id=message_id,
        provider=provider,
        outcome="ACCEPTED",
        handed_over_at=at,
        mailbox="billing@example.org" if channel == "EMAIL" else "",
    )
    an_event(one, Sent(provider=provider, provider_message_id=message_id), occurred_at=at)
    return one


def apply_all() -> None:
    for receipt in InboundReceipt.objects.filter(state="NEW"):
        apply_receipt(receipt.id)


def acs(settings: Settings, url: str) -> None:
    settings.ACS_ENDPOINT = url
    settings.ACS_ACCESS_KEY = ACS_ACCESS_KEY


@pytest.mark.parametrize(
    ("ending", "expected"), [("5555", "DELIVERED"), ("0001", "FAILED"), ("0002", "SENT")]
)
def test_a_lost_report_is_asked_for(
    sandbox: RunningSandbox, settings: Settings, ending: str, expected: str
) -> None:
    acs(settings, sandbox.url)
    message_id = sandbox.sms(f"+493012{ending}")["messageId"]
    one = late(message_id=message_id)
    if expected != "SENT":
        path = f"/deliveryReports/{message_id}?api-version=2026-01-23"
        wait_for(lambda: sandbox.acs("GET", path).status == 200)
    assert polling.ask_acs() == (expected != "SENT")
    apply_all()
    assert status(one) == expected
    if expected != "SENT":
        assert one.events.get(type=expected).source == "POLL"


def test_pauses_between_questions_grow_and_a_message_with_news_is_not_asked_after(
    sandbox: RunningSandbox, settings: Settings
) -> None:
    acs(settings, sandbox.url)
    one = late()
    polling.ask_acs()
    first = ReportPoll.objects.get()
    polling.ask_acs()
    assert ReportPoll.objects.get().asked == 1  # not yet due
    ReportPoll.objects.update(next_at=now())
    polling.ask_acs()
    second = ReportPoll.objects.get()
    assert second.asked == 2
    assert second.next_at - now() > (first.next_at - now()) * 1.5
    an_event(one, Delivered(), source="WEBHOOK")
    ReportPoll.objects.update(next_at=now())
    polling.ask_acs()
    assert ReportPoll.objects.get().asked == 2


def test_an_opt_out_is_shown_as_such() -> None:
    one = a_sent_one()
    report = sms_report(status="Failed")
    report["data"]["DeliveryStatusDetails"] = (
        "4007: The Destination/To number has opted out of receiving messages from you"
    )
    for receipt in stored(report):
        apply_receipt(receipt.id)
    one.refresh_from_db()
    assert one.error is not None
    assert one.error["code"] == "4007"
    assert "opted out" in one.error["explanation"]


def test_a_mail_operation_that_failed_later_is_found(settings: Settings) -> None:
    def azure(_: Asked) -> Answer:
        body = {"id": "op-1", "status": "Failed", "error": {"code": "X", "message": "refused"}}
        return Answer(200, json.dumps(body).encode())

    one = late("EMAIL", message_id="op-1")
    with peer(azure) as made:
        acs(settings, made.url)
        assert polling.ask_acs() == 1
    apply_all()
    assert status(one) == "FAILED"
    assert one.events.get(type="FAILED").source == "POLL"


# Exchange's message trace


def exchange(traces: list[dict[str, Any]], *, status: int = 200) -> Any:
    def script(asked: Asked) -> Answer:
        if asked.method == "POST":
            return Answer(200, json.dumps({"access_token": "t", "expires_in": 3600}).encode())
        body = {"value": traces} if status == 200 else {"error": {"code": "UnknownError"}}
        return Answer(status, json.dumps(body).encode())

    return script


def trace(message_id: str = "<1@x>", word: str = "delivered") -> dict[str, Any]:
    return {
        "id": "t-1",
        "messageId": message_id,
        "senderAddress": "billing@example.org",
        "recipientAddress": "resident.1@example.org",
        "receivedDateTime": now().isoformat(),
        "status": word,
        "subject": "Your bill",
    }


def graph(settings: Settings, made: Peer) -> None:
    settings.GRAPH_BASE_URL = f"{made.url}/v1.0"
    settings.GRAPH_AUTHORITY = made.url
    settings.GRAPH_TENANT_ID = settings.GRAPH_CLIENT_ID = settings.GRAPH_CLIENT_SECRET = "x"
    settings.GRAPH_MESSAGE_TRACE = True


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("delivered", "DELIVERED"),
        ("failed", "FAILED"),
        ("Quarantined", "FAILED"),
        ("pending", "SENT"),
    ],
)
def test_the_message_trace_tells_what_no_receipt_told(
    settings: Settings, word: str, expected: str
) -> None:
    one = late("EMAIL", provider="msgraph", message_id="<1@x>")
    with peer(exchange([trace(word=word), trace("<stranger@x>")])) as made:
        graph(settings, made)
        polling.ask_message_trace()
        query = parse_qs(urlsplit(made.asked[-1].target).query)
    assert "messageId eq '<1@x>'" in query["$filter"][0]
    assert "receivedDateTime ge" in query["$filter"][0]
    apply_all()
    assert status(one) == expected
    assert InboundReceipt.objects.count() == (expected != "SENT")


def test_a_trace_and_a_bounce_that_disagree_are_both_kept(settings: Settings) -> None:
    one = late("EMAIL", provider="msgraph", message_id="<1@x>")
    with peer(exchange([trace()])) as made:
        graph(settings, made)
        polling.ask_message_trace()
    apply_all()
    an_event(one, Failed(error=Trouble(message="no such user")), source="WEBHOOK", attempt=1)
    one.refresh_from_db()
    assert (one.delivery_status, one.contradictory) == ("FAILED", True)
    assert verify().finding is None


def test_many_messages_of_an_hour_are_traced_by_one_look(settings: Settings) -> None:
    one = late("EMAIL", provider="msgraph", message_id="<1@x>")
    at = Attempt.objects.get().handed_over_at
    for number in range(polling._FEW):
        other = late("EMAIL", provider="msgraph", message_id=f"<{number}@y>", unit=f"9{number}")
        Attempt.objects.filter(communication=other).update(handed_over_at=at)
    with peer(exchange([trace()])) as made:
        graph(settings, made)
        polling.ask_message_trace()
        asked = [each for each in made.asked if each.method == "GET"]
    assert len(asked) == 1
    assert "senderAddress eq" in parse_qs(urlsplit(asked[0].target).query)["$filter"][0]
    apply_all()
    assert status(one) == "DELIVERED"


def test_without_the_permission_or_the_setting_nothing_happens(settings: Settings) -> None:
    late("EMAIL", provider="msgraph", message_id="<1@x>")
    with peer(exchange([], status=403)) as made:
        graph(settings, made)
        assert polling.ask_message_trace() == 0
        assert ReportPoll.objects.count() == 0  # asked again once it is allowed
        asked = len(made.asked)
        settings.GRAPH_MESSAGE_TRACE = False
        polling.ask_message_trace()
        assert len(made.asked) == asked
