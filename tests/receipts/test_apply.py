"""From a stored receipt to an event, once."""

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from pytest_django import Settings

from tests.communications.factories import a_bill, an_event
from tests.providers.msgraph.test_graph import Graph
from tests.providers.msgraph.test_graph import error as graph_error
from tests.providers.peer import Answer, peer
from tests.queue.jobs import jobs
from tests.receipts.pushes import as_cloud_event, email_report, notification, sms_report
from tests.sandbox.fixture import MAILBOX, RunningSandbox, wait_for
from trackcenter.communications import events
from trackcenter.communications.models import Attempt, AttemptOutcome, Communication, Event
from trackcenter.communications.payloads import Enqueued, Failed, ResendRequested, Trouble
from trackcenter.delivery.models import SenderPace
from trackcenter.evidence.verify import verify
from trackcenter.kit.clock import now
from trackcenter.kit.errors import NotFound
from trackcenter.kit.ids import new_id
from trackcenter.providers import registry
from trackcenter.providers.base import ProviderFailure
from trackcenter.queue import dead_letters
from trackcenter.queue.retry import RetryAt
from trackcenter.receipts.apply import (
    KEEP_TRYING_FOR,
    LOOK_FOR,
    apply_receipt,
    retry_forgotten,
    retry_parked,
)
from trackcenter.receipts.models import InboundReceipt
from trackcenter.receipts.replay import replay
from trackcenter.receipts.store import (
    EMAIL_POLL,
    GRAPH,
    GRID_EMAIL,
    GRID_SMS,
    SMS_POLL,
    Arrival,
    as_body,
    graph_identity,
    message_of,
    store,
)
from trackcenter.receipts.tasks import apply_receipt as apply_job

pytestmark = pytest.mark.django_db


def a_sent_one(
    channel: str = "SMS", *, provider_message_id: str = "m-1", **attempt: Any
) -> Communication:
    """A communication handed over once, whose provider calls it `provider_message_id`."""
    (one,) = a_bill(channel)
    an_event(one, Enqueued(channel=channel))
    Attempt.objects.create(
        communication=one,
        number=1,
        channel=channel,
        provider_message_id=provider_message_id,
        **attempt,
    )
    return one


def stored(*reports: dict[str, Any], origin: str = GRID_SMS) -> list[InboundReceipt]:
    """Reports as the webhook leaves them."""
    store(
        Arrival(origin, (report.get("topic", ""), report["id"]), as_body(report))
        for report in reports
    )
    return list(InboundReceipt.objects.order_by("received_at", "id"))


def status(one: Communication) -> str:
    one.refresh_from_db()
    return one.delivery_status


def types(one: Communication) -> Sequence[str]:
    return list(one.events.order_by("sequence").values_list("type", flat=True))


@pytest.mark.parametrize(
    ("word", "expected"),
    [("Delivered", "DELIVERED"), ("Failed", "FAILED"), ("SomethingNew", "ENQUEUED")],
)
def test_a_text_messages_report_becomes_an_event(word: str, expected: str) -> None:
    one = a_sent_one()
    (receipt,) = stored(sms_report(status=word))
    apply_receipt(receipt.id)
    assert status(one) == expected
    event = Event.objects.select_related("payload_row").order_by("sequence").last()
    assert event is not None
    assert (event.source, event.attempt) == ("WEBHOOK", 1)
    assert event.occurred_at == datetime(2026, 1, 5, 9, 59, tzinfo=UTC)
    payload = event.payload_row.payload
    assert payload["receiptId"] == str(receipt.id)
    assert payload["statusCode"] == word
    receipt.refresh_from_db()
    assert (receipt.state, receipt.reason) == ("APPLIED", "")
    assert receipt.attempt is not None
    assert receipt.applied_at is not None


def test_both_schemas_lead_to_the_same_event() -> None:
    one = a_sent_one()
    (receipt,) = stored(as_cloud_event(sms_report()))
    apply_receipt(receipt.id)
    assert status(one) == "DELIVERED"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Delivered", "DELIVERED"),
        ("Expanded", "ENQUEUED"),
        *((word, "FAILED") for word in ("Suppressed", "Bounced", "Quarantined", "FilteredSpam")),
    ],
)
def test_an_email_report_becomes_an_event(word: str, expected: str) -> None:
    one = a_sent_one("EMAIL", provider_message_id="op-1")
    (receipt,) = stored(email_report("op-1", word), origin=GRID_EMAIL)
    apply_receipt(receipt.id)
    assert status(one) == expected
    if expected == "FAILED":
        assert one.error is not None
        assert one.error["code"] == word
        assert one.error["message"] == "as the server said"


def test_a_receipt_applied_again_changes_nothing() -> None:
    one = a_sent_one()
    (receipt,) = stored(sms_report())
    for _ in range(3):
        apply_receipt(receipt.id)
    assert types(one).count("DELIVERED") == 1


def test_the_queues_job_applies_it() -> None:
    one = a_sent_one()
    stored(sms_report())
    apply_job(**jobs("apply-receipt")[0].message)
    assert status(one) == "DELIVERED"


def test_a_bounce_after_delivery_wins_in_either_order() -> None:
    one = a_sent_one()
    for receipt in stored(sms_report(status="Failed", id="1"), sms_report(id="2")):
        apply_receipt(receipt.id)
    assert sorted(types(one)[-2:]) == ["DELIVERED", "FAILED"]
    assert status(one) == "FAILED"


def test_a_receipt_of_an_old_attempt_is_only_an_entry() -> None:
    one = a_sent_one()
    an_event(one, ResendRequested(channel="SMS"), attempt=events.NEXT_ATTEMPT)
    Attempt.objects.create(communication=one, number=2, channel="SMS")
    (receipt,) = stored(sms_report(status="Failed"))
    apply_receipt(receipt.id)
    assert status(one) == "ENQUEUED"
    last = Event.objects.order_by("sequence").last()
    assert last is not None
    assert (last.type, last.attempt) == ("FAILED", 1)


def test_what_lies_in_the_future_happened_now() -> None:
    a_sent_one()
    ahead = sms_report()
    ahead["data"]["ReceivedTimestamp"] = (now() + timedelta(hours=3)).isoformat()
    (receipt,) = stored(ahead)
    apply_receipt(receipt.id)
    event = Event.objects.get(type="DELIVERED")
    assert event.occurred_at <= now()


def test_a_report_that_overtakes_the_answer_is_parked_and_applied_later() -> None:
    one = a_sent_one(provider_message_id="")
    (receipt,) = stored(sms_report("m-7"))
    apply_receipt(receipt.id)
    receipt.refresh_from_db()
    assert (receipt.state, receipt.correlation) == ("PARKED", ["m-7"])
    assert retry_parked() == 0
    Attempt.objects.update(provider_message_id="m-7")
    queued = len(jobs("apply-receipt"))
    assert retry_parked() == 1
    assert len(jobs("apply-receipt")) == queued + 1
    apply_receipt(receipt.id)
    assert status(one) == "DELIVERED"
    assert retry_parked() == 0


def an_unknown_one(channel: str, **attempt: Any) -> tuple[Communication, str]:
    """A communication whose provider's answer was lost, and its attempt's id, which went along."""
    one = a_sent_one(
        channel,
        provider_message_id="",
        outcome=AttemptOutcome.UNKNOWN,
        send_started_at=now(),
        **attempt,
    )
    an_event(one, Failed(error=Trouble(message="nobody knows"), outcome="UNKNOWN"), attempt=1)
    one.refresh_from_db()
    assert one.outcome_unknown
    return one, str(one.attempts.get().id)


def test_the_report_settles_a_text_message_whose_answer_was_lost() -> None:
    one, attempt_id = an_unknown_one("SMS")
    (receipt,) = stored(sms_report("Outgoing_1", Tag=attempt_id))
    apply_receipt(receipt.id)
    assert status(one) == "DELIVERED"
    assert not one.outcome_unknown
    assert replay().unchanged == 1


def test_the_report_settles_a_mail_by_azure_whose_answer_was_lost() -> None:
    one, attempt_id = an_unknown_one("EMAIL", provider="acs")
    (receipt,) = stored(email_report(attempt_id, "Delivered"), origin=GRID_EMAIL)
    apply_receipt(receipt.id)
    assert status(one) == "DELIVERED"
    assert not one.outcome_unknown


def test_azures_answer_about_a_text_message_finds_the_attempt_by_the_tag() -> None:
    text, tag = an_unknown_one("SMS")
    said = {"messageId": "Outgoing_1", "deliveryStatus": "Delivered", "tag": tag}
    store([Arrival(SMS_POLL, ("Outgoing_1", "delivered"), as_body(said))])
    apply_receipt(InboundReceipt.objects.get().id)
    assert status(text) == "DELIVERED"


def test_the_operation_that_azure_calls_failed_is_the_attempts() -> None:
    mail, operation = an_unknown_one("EMAIL", provider="acs")
    store([Arrival(EMAIL_POLL, (operation,), as_body({"id": operation, "status": "Failed"}))])
    apply_receipt(InboundReceipt.objects.get().id)
    assert status(mail) == "FAILED"
    assert not mail.outcome_unknown


@pytest.mark.parametrize(
    "tag",
    ["01936f6e", "a\x00b", "\ud800", 7, None, ["a"], "01936f6e-0000-7000-8000-000000000000"],
)
def test_a_tag_that_is_not_ours_names_nothing(tag: Any) -> None:
    one, _ = an_unknown_one("SMS")
    (receipt,) = stored(sms_report("Outgoing_1", Tag=tag))
    apply_receipt(receipt.id)
    receipt.refresh_from_db()
    assert receipt.state == "PARKED"
    assert retry_parked() == 0
    assert status(one) == "FAILED"
    assert one.outcome_unknown


@pytest.mark.parametrize(("channel", "provider"), [("SMS", "acs"), ("EMAIL", "msgraph")])
def test_an_attempt_by_another_way_is_not_the_one_a_report_means(
    channel: str, provider: str
) -> None:
    one, attempt_id = an_unknown_one(channel, provider=provider)
    (receipt,) = stored(email_report(attempt_id, "Delivered"), origin=GRID_EMAIL)
    apply_receipt(receipt.id)
    assert status(one) == "FAILED"
    assert one.outcome_unknown


def test_a_message_of_somebody_else_is_given_up_after_a_while() -> None:
    (receipt,) = stored(sms_report("unheard of"))
    apply_receipt(receipt.id)
    InboundReceipt.objects.update(received_at=now() - KEEP_TRYING_FOR - timedelta(days=1))
    a_sent_one(provider_message_id="unheard of")
    assert retry_parked() == 0


def test_an_empty_id_finds_no_attempt() -> None:
    a_sent_one(provider_message_id="")
    report = sms_report("\x00")
    (receipt,) = stored(report)
    apply_receipt(receipt.id)
    receipt.refresh_from_db()
    assert receipt.state == "PARKED"
    assert retry_parked() == 0


def test_a_receipt_that_is_not_there() -> None:
    with pytest.raises(NotFound):
        apply_receipt(new_id())


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_receipt_write_one_event() -> None:
    with transaction.atomic():
        one = a_sent_one()
    (receipt,) = stored(sms_report())
    start = threading.Barrier(4)

    def work(_: int) -> None:
        start.wait()
        try:
            apply_receipt(receipt.id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert types(one).count("DELIVERED") == 1
    assert verify().finding is None


# Graph: the notification says only that a mail came


def a_mail(sandbox: RunningSandbox, to: str) -> tuple[Communication, dict[str, Any]]:
    """A communication that was sent as a mail through the sandbox."""
    (one,) = a_bill("EMAIL", email=to)
    an_event(one, Enqueued(channel="EMAIL"))
    attempt = Attempt.objects.create(communication=one, number=1, channel="EMAIL")
    created = sandbox.mail(to, attempt=str(attempt.id))
    attempt.provider_message_id = created["internetMessageId"]
    attempt.save()
    return one, created


def notified(sandbox: RunningSandbox, count: int) -> list[InboundReceipt]:
    """Receipts for everything in the inbox, once so many mails are there."""
    inbox = wait_for(lambda: len(found := sandbox.inbox()) >= count and found)
    items = [notification(mail["id"]) for mail in reversed(inbox)]
    store(Arrival(GRAPH, graph_identity(item), as_body(item)) for item in items)
    return list(InboundReceipt.objects.order_by("received_at", "id"))


@pytest.mark.parametrize(
    ("to", "count", "expected"),
    [
        ("bounce.1@example.org", 1, "FAILED"),
        ("anna@example.org", 1, "DELIVERED"),
        ("open.1@example.org", 2, "OPENED"),
        ("bounce-after-delivery.1@example.org", 2, "FAILED"),
        ("delay.1@example.org", 2, "DELIVERED"),
    ],
)
def test_the_report_in_the_mailbox_becomes_an_event(
    sandbox: RunningSandbox, to: str, count: int, expected: str
) -> None:
    one, _ = a_mail(sandbox, to)
    for receipt in notified(sandbox, count):
        apply_receipt(receipt.id)
    assert status(one) == expected
    assert set(InboundReceipt.objects.values_list("state", flat=True)) == {"APPLIED"}
    assert all(receipt.mime for receipt in InboundReceipt.objects.all())


def test_a_bounce_says_what_to_do_next(sandbox: RunningSandbox) -> None:
    one, _ = a_mail(sandbox, "bounce.2@example.org")
    (receipt,) = notified(sandbox, 1)
    apply_receipt(receipt.id)
    one.refresh_from_db()
    assert one.error is not None
    assert one.error["code"].startswith("5.")
    assert one.error["explanation"]
    assert one.error["nextStep"]


def test_our_own_header_finds_the_attempt_where_no_id_does(sandbox: RunningSandbox) -> None:
    one, _ = a_mail(sandbox, "bounce.3@example.org")
    Attempt.objects.update(provider_message_id="<rewritten@elsewhere>")
    (receipt,) = notified(sandbox, 1)
    apply_receipt(receipt.id)
    assert status(one) == "FAILED"


NEVER_THERE = "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A"


def test_a_mail_that_is_gone_is_ignored_with_the_reason(sandbox: RunningSandbox) -> None:
    receipt = a_notified_mail(NEVER_THERE)
    for _ in range(2):
        with pytest.raises(RetryAt):
            apply_receipt(receipt.id)
    InboundReceipt.objects.update(missing_since=now() - LOOK_FOR - timedelta(minutes=1))
    apply_receipt(receipt.id)
    receipt.refresh_from_db()
    assert receipt.state == "IGNORED"
    assert "no longer in the mailbox" in receipt.reason


def test_the_pauses_grow_while_a_mail_is_not_to_be_found(sandbox: RunningSandbox) -> None:
    receipt = a_notified_mail(NEVER_THERE)
    pauses = []
    for minutes in (0, 0.5, 10):
        InboundReceipt.objects.update(missing_since=now() - timedelta(minutes=minutes))
        with pytest.raises(RetryAt) as later:
            apply_receipt(receipt.id)
        pauses.append((later.value.at - now()).total_seconds())
    assert pauses[0] < 5 < pauses[1] < 100 < pauses[2]


def test_a_mail_that_is_missing_once_is_not_lost(settings: Settings) -> None:
    one = a_sent_one("EMAIL", provider_message_id="<ours@x>")
    missing = graph_error(404, "ErrorItemNotFound")
    with graph_that_answers(settings, missing, bounce_of("<ours@x>")):
        receipt = a_notified_mail()
        with pytest.raises(RetryAt):
            apply_receipt(receipt.id)
        assert status(one) == "ENQUEUED"
        apply_receipt(receipt.id)
    assert status(one) == "FAILED"


def test_a_mail_counts_as_missing_by_graphs_word_for_it_alone(settings: Settings) -> None:
    one = a_sent_one("EMAIL", provider_message_id="<ours@x>")
    answers = graph_error(404, "MailboxNotEnabledForRESTAPI"), bounce_of("<ours@x>")
    with graph_that_answers(settings, *answers):
        receipt = a_notified_mail()
        InboundReceipt.objects.update(missing_since=now() - LOOK_FOR - timedelta(minutes=1))
        with pytest.raises(RetryAt):
            apply_receipt(receipt.id)
        receipt.refresh_from_db()
        assert (receipt.state, receipt.missing_since) == ("NEW", None)
        apply_receipt(receipt.id)
    assert status(one) == "FAILED"


def test_an_ordinary_mail_is_not_a_receipt() -> None:
    item = notification("AAA")
    store([Arrival(GRAPH, graph_identity(item), as_body(item))])
    InboundReceipt.objects.update(mime=b"From: a@example.org\r\nSubject: Question\r\n\r\nWhy?")
    receipt = InboundReceipt.objects.get()
    apply_receipt(receipt.id)
    receipt.refresh_from_db()
    assert (receipt.state, receipt.reason) == ("IGNORED", "not a report about a message")


NDR = """\
From: postmaster@example.org
Subject: Undeliverable
In-Reply-To: {reference}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

It failed.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; a@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 no{diagnostic}such user
--b--
"""


def bounce_of(reference: str) -> Answer:
    """Graph's answer to who asks for a mail that has come back."""
    return Answer(200, NDR.format(reference=reference, diagnostic=" ").encode())


@contextmanager
def graph_that_answers(settings: Settings, *answers: Answer) -> Iterator[None]:
    """A Graph with these answers, in turn, to who asks for a mail."""
    with peer(Graph().when("/$value", *answers)) as made:
        registry.forget()
        settings.GRAPH_BASE_URL, settings.GRAPH_AUTHORITY = f"{made.url}/v1.0", made.url
        settings.GRAPH_TENANT_ID, settings.GRAPH_CLIENT_ID = "tenant", "client"
        settings.GRAPH_CLIENT_SECRET = "secret"
        yield


def a_notified_mail(message_id: str = "AAA") -> InboundReceipt:
    """The receipt of a notification about one mail."""
    item = notification(message_id)
    store([Arrival(GRAPH, graph_identity(item), as_body(item))])
    return InboundReceipt.objects.get()


@pytest.mark.parametrize(
    "reference", ["<a\x00b@x>", "<" + "x" * 5000 + "@x>", "=?utf-8?q?=00?=", "<\udcff@x>", ""]
)
def test_a_hostile_mail_is_parked_not_a_dead_job(reference: str) -> None:
    a_sent_one("EMAIL", provider_message_id="<ours@x>")
    mime = NDR.format(reference=reference, diagnostic="\x00").replace("\n", "\r\n")
    item = notification("AAA")
    store([Arrival(GRAPH, graph_identity(item), as_body(item))])
    InboundReceipt.objects.update(mime=mime.encode(errors="surrogateescape"))
    receipt = InboundReceipt.objects.get()
    apply_receipt(receipt.id)
    receipt.refresh_from_db()
    assert receipt.state == "PARKED"
    retry_parked()


def test_an_outage_of_graph_is_tried_again(sandbox: RunningSandbox) -> None:
    one, _ = a_mail(sandbox, "bounce.4@example.org")
    (receipt,) = notified(sandbox, 1)
    sandbox.set_faults(rate503=1)
    with pytest.raises(RetryAt):
        apply_receipt(receipt.id)
    receipt.refresh_from_db()
    assert receipt.state == "NEW"
    sandbox.set_faults()
    apply_receipt(receipt.id)
    assert status(one) == "FAILED"


def test_a_secret_that_expires_for_a_weekend_loses_no_bounce(
    sandbox: RunningSandbox, settings: Settings
) -> None:
    one, _ = a_mail(sandbox, "bounce.6@example.org")
    (receipt,) = notified(sandbox, 1)
    ours, settings.GRAPH_CLIENT_SECRET = settings.GRAPH_CLIENT_SECRET, "expired"
    for days, least, most in [(0, 40, 61), (3, 60, 400), (13, 60, 400)]:
        InboundReceipt.objects.update(trouble_since=now() - timedelta(days=days))
        with pytest.raises(RetryAt, match="sign-in") as later:
            apply_receipt(receipt.id)
        assert least < (later.value.at - now()).total_seconds() < most
    receipt.refresh_from_db()
    assert (receipt.state, "sign-in" in receipt.reason) == ("NEW", True)
    settings.GRAPH_CLIENT_SECRET = ours
    apply_receipt(receipt.id)
    assert status(one) == "FAILED"
    receipt.refresh_from_db()
    assert (receipt.state, receipt.reason) == ("APPLIED", "")


def test_trouble_that_never_ends_comes_before_a_person_who_gives_it_full_patience(
    sandbox: RunningSandbox,
) -> None:
    a_mail(sandbox, "bounce.7@example.org")
    (receipt,) = notified(sandbox, 1)
    sandbox.set_faults(rate503=1)
    InboundReceipt.objects.update(trouble_since=now() - KEEP_TRYING_FOR - timedelta(minutes=1))
    with pytest.raises(ProviderFailure) as dead:
        apply_receipt(receipt.id)
    assert dead.value.permanent
    with pytest.raises(RetryAt):  # queued again
        apply_receipt(receipt.id)


def without_jobs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


def test_a_receipt_that_lost_its_job_gets_another() -> None:
    one = a_sent_one()
    (receipt,) = stored(sms_report())
    InboundReceipt.objects.update(received_at=now() - timedelta(hours=1))
    assert retry_forgotten() == 0  # its job waits
    without_jobs()
    assert retry_forgotten() == 1
    assert retry_forgotten() == 0
    apply_job(**jobs("apply-receipt")[0].message)
    assert status(one) == "DELIVERED"
    without_jobs()
    assert retry_forgotten() == 0
    receipt.refresh_from_db()
    assert receipt.state == "APPLIED"


def test_a_receipt_that_came_just_now_is_not_forgotten() -> None:
    stored(sms_report())
    without_jobs()
    assert retry_forgotten() == 0


def test_a_dead_receipt_is_a_persons_to_queue_or_to_discard() -> None:
    (receipt,) = stored(sms_report())
    InboundReceipt.objects.update(received_at=now() - timedelta(hours=1))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    assert retry_forgotten() == 0
    (letter,) = dead_letters.every_letter()
    assert letter.message == {"receiptId": str(receipt.id)}
    dead_letters.discard(letter.id, "a test")
    assert retry_forgotten() == 0


def test_a_mailbox_that_is_to_be_left_alone_is_not_read_either(sandbox: RunningSandbox) -> None:
    one, _ = a_mail(sandbox, "bounce.5@example.org")
    (receipt,) = notified(sandbox, 1)
    sandbox.set_faults(rate429=1)
    with pytest.raises(RetryAt) as refused:
        apply_receipt(receipt.id)
    sandbox.set_faults()
    with pytest.raises(RetryAt) as later:
        apply_receipt(receipt.id)
    pace = SenderPace.objects.get()
    assert refused.value.at >= later.value.at == pace.paused_until
    SenderPace.objects.update(paused_until=now())
    registry.forget()
    apply_receipt(receipt.id)
    assert status(one) == "FAILED"


@pytest.mark.parametrize(
    ("item", "named"),
    [
        ({"resource": "Users/a-b/Messages/AAMk="}, ("a-b", "AAMk=")),
        ({"resource": "/users/x@y.z/mailFolders('inbox')/messages/AAA"}, ("x@y.z", "AAA")),
        ({"resource": "users/x@y.z/mailFolders/inbox/messages/AAA"}, ("x@y.z", "AAA")),
        ({"resource": "Users('x@y.z')/Messages('AAA')"}, ("x@y.z", "AAA")),
        ({"resource": "Users/x@y.z/Messages", "resourceData": {"id": "B"}}, ("x@y.z", "B")),
        (
            {"resource": "Users/x@y.z/Messages/A/B=", "resourceData": {"id": "A/B="}},
            ("x@y.z", "A/B="),
        ),
        ({"resource": "me/messages/AAA", "resourceData": None}, ("", "AAA")),
        ({"resource": None, "resourceData": {"id": 7}}, ("", "")),
        ({"resource": "users"}, ("", "")),
    ],
)
def test_a_notification_names_its_mail_in_more_than_one_way(
    item: dict[str, Any], named: tuple[str, str]
) -> None:
    assert message_of(item) == named


def test_without_graphs_credentials_a_receipt_waits(settings: Settings) -> None:
    settings.GRAPH_CLIENT_ID = None
    item = notification("AAA")
    store([Arrival(GRAPH, graph_identity(item), as_body(item))])
    receipt = InboundReceipt.objects.get()
    with pytest.raises(RetryAt, match="GRAPH_CLIENT_ID"):
        apply_receipt(receipt.id)
    receipt.refresh_from_db()
    assert receipt.state == "NEW"
    assert json.loads(bytes(receipt.body))["resource"] == f"Users/{MAILBOX}/Messages/AAA"
