"""Reports come twice, in any order, over many connections: the statuses are those of good order.

The full size is run by hand: RECEIPTS=5000.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from django.db import connection, transaction
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.communications.factories import a_bill, an_event
from tests.receipts.pushes import as_cloud_event, email_report
from trackcenter.communications.models import Attempt, Communication
from trackcenter.communications.payloads import Enqueued, Sent
from trackcenter.evidence.verify import verify
from trackcenter.receipts.apply import apply_receipt
from trackcenter.receipts.models import InboundReceipt

RECEIPTS = int(os.environ.get("RECEIPTS", "80"))
CONNECTIONS = 8
HEADERS = {"aeg-sas-key": "hush", "Content-Type": "application/json"}

STORIES = (
    ("Delivered",),
    ("Bounced",),
    ("OutForDelivery", "Delivered", "Bounced"),
    ("Delivered", "view"),
    ("OutForDelivery", "Delivered", "Bounced", "view"),
    ("Expanded", "Quarantined"),
    ("OutForDelivery", "Delivered", "view", "click"),
)
"""What may be reported of one message, in the order in which it happens."""


def report(message_id: str, number: int, word: str) -> dict[str, Any]:
    event = email_report(message_id, word, id=f"{message_id}-{number}")
    if word in ("view", "click"):
        event["eventType"] = "Microsoft.Communication.EmailEngagementTrackingReportReceived"
        event["data"] = {"messageId": message_id, "engagementType": word}
    return as_cloud_event(event) if number % 2 else event


@transaction.atomic
def messages(building: str, count: int) -> list[str]:
    """Mails that were handed over, by their provider's ids."""
    ids = []
    for number in range(count):
        (one,) = a_bill("EMAIL", building=building, unit=str(number))
        an_event(one, Enqueued(channel="EMAIL"))
        name = f"{building}-{number}"
        Attempt.objects.create(
            communication=one,
            number=1,
            channel="EMAIL",
            provider_message_id=name,
            outcome="ACCEPTED",
        )
        an_event(one, Sent(provider="acs", provider_message_id=name))
        ids.append(name)
    return ids


def push(url: str, reports: Sequence[dict[str, Any]]) -> None:
    """One connection's share, a few at a time as Event Grid does."""
    pool = urllib3.PoolManager(retries=False)
    for start in range(0, len(reports), 3):
        some = reports[start : start + 3]
        schema = {"specversion" in one for one in some}
        # A body has one schema.
        for cloud in schema:
            body = json.dumps([one for one in some if ("specversion" in one) == cloud])
            answer = pool.request("POST", url, body=body, headers=HEADERS)
            assert answer.status == 200, answer.data


def apply_all(connections: int) -> None:
    """Every stored receipt is worked, each by two workers."""
    ids = list(InboundReceipt.objects.filter(state="NEW").values_list("id", flat=True))
    shares = [(ids + ids[::-1])[start::connections] for start in range(connections)]

    def work(share: Sequence[Any]) -> None:
        try:
            for receipt_id in share:
                apply_receipt(receipt_id)
        finally:
            connection.close()

    with ThreadPoolExecutor(connections) as workers:
        list(workers.map(work, shares))


def outcome(building: str) -> list[tuple[str, str, Counter[str]]]:
    rows = Communication.objects.filter(building__code=building).order_by("unit__sort_key")
    return [
        (
            one.unit.number,
            one.delivery_status,
            Counter(one.events.values_list("type", flat=True)),
        )
        for one in rows.select_related("unit").prefetch_related("events")
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(1200)
def test_shuffled_and_doubled_reports_give_the_statuses_of_good_order(
    live_server: LiveServer, settings: Settings
) -> None:
    settings.EVENTGRID_SECRETS = ("hush",)
    url = f"{live_server.url}/api/track/providers/acs/email"
    count = max(len(STORIES), round(RECEIPTS * len(STORIES) / sum(map(len, STORIES))))

    def told(names: Sequence[str]) -> list[dict[str, Any]]:
        return [
            report(name, step, word)
            for number, name in enumerate(names)
            for step, word in enumerate(STORIES[number % len(STORIES)])
        ]

    in_order = told(messages("A", count))
    push(url, in_order)
    apply_all(1)

    wild = told(messages("B", count)) * 2
    random.Random(5).shuffle(wild)
    with ThreadPoolExecutor(CONNECTIONS) as senders:
        list(
            senders.map(
                lambda share: push(url, share),
                [wild[start::CONNECTIONS] for start in range(CONNECTIONS)],
            )
        )
    apply_all(CONNECTIONS)

    assert InboundReceipt.objects.count() == 2 * len(in_order)
    assert not InboundReceipt.objects.exclude(state="APPLIED").exists()
    assert outcome("A") == outcome("B")
    assert {status for _, status, _ in outcome("B")} == {"DELIVERED", "FAILED", "OPENED"}
    assert verify().finding is None
