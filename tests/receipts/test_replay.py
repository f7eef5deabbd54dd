"""Stored receipts read again after a fix: what was right stays, what was missed is added."""

import json
from datetime import timedelta

import pytest

from tests.communications.factories import an_admin
from tests.queue.jobs import jobs
from tests.receipts.pushes import sms_report
from tests.receipts.test_apply import a_sent_one, status, stored, types
from tests.receipts.test_reports import EXCHANGE_NDR
from trackcenter.access.visible import only
from trackcenter.communications.models import Attempt, Communication
from trackcenter.evidence.verify import verify
from trackcenter.kit.clock import now
from trackcenter.providers.acs import words
from trackcenter.receipts import work
from trackcenter.receipts.apply import apply_receipt, read_news
from trackcenter.receipts.models import InboundReceipt
from trackcenter.receipts.replay import replay
from trackcenter.receipts.store import GRID_SMS, store_malformed

pytestmark = pytest.mark.django_db


def applied(*reports: dict[str, object]) -> Communication:
    one = a_sent_one()
    for receipt in stored(*reports or (sms_report(),)):
        apply_receipt(receipt.id)
    return one


def test_what_was_right_changes_nothing_however_often_it_is_read() -> None:
    one = applied(
        sms_report(id="e-1"),
        sms_report(status="Failed", id="e-2"),
        sms_report(status="New word", id="e-3"),
    )
    before = types(one)
    for _ in range(2):
        result = replay()
        assert (result.read, result.unchanged, result.appended) == (3, 3, 0)
        assert result.differs == []
    assert types(one) == before
    assert verify().finding is None


def test_a_word_that_is_understood_now_becomes_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    one = applied(sms_report(status="Arrived"))
    assert types(one)[-1] == "NOTICE"
    # The fix: a new word in the provider's vocabulary.
    monkeypatch.setitem(words._SMS, "arrived", "DELIVERED")
    tried = replay(dry_run=True)
    assert tried.appended == 1
    assert types(one)[-1] == "NOTICE"
    done = replay()
    assert (done.appended, len(done.differs)) == (1, 1)
    assert status(one) == "DELIVERED"
    assert one.events.get(type="DELIVERED").source == "WEBHOOK"
    again = replay()
    assert again.appended == 0
    assert verify().finding is None


def test_a_parked_receipt_is_applied_when_its_message_is_known() -> None:
    (receipt,) = stored(sms_report())
    apply_receipt(receipt.id)
    assert replay().unchanged == 1
    one = a_sent_one()
    assert replay(dry_run=True).resolved == 1
    receipt.refresh_from_db()
    assert receipt.state == "PARKED"
    assert replay().resolved == 1
    assert status(one) == "DELIVERED"


def test_an_ignored_mail_that_is_a_report_after_all_is_applied() -> None:
    one = a_sent_one("EMAIL", provider_message_id="")
    receipt = InboundReceipt.objects.create(
        origin="msgraph-email",
        dedupe_key="k",
        body=b"{}",
        mime=EXCHANGE_NDR.encode(),
        state="IGNORED",
    )
    (news, *_) = read_news(receipt)
    Attempt.objects.update(provider_message_id=news.correlation[0])
    assert replay().resolved == 1
    assert status(one) == "FAILED"
    receipt.refresh_from_db()
    assert receipt.state == "APPLIED"


def test_a_mail_that_could_not_be_had_is_asked_for_again() -> None:
    receipt = InboundReceipt.objects.create(
        origin="msgraph-email", dedupe_key="k", body=b"{}", state="IGNORED", missing_since=now()
    )
    assert replay(dry_run=True).asked_for == 1
    assert jobs("apply-receipt") == []
    assert replay().asked_for == 1
    (job,) = jobs("apply-receipt")
    assert job.message == {"receiptId": str(receipt.id)}
    receipt.refresh_from_db()
    assert (receipt.state, receipt.missing_since) == ("NEW", None)
    assert replay().read == 0  # it is the worker's now


def test_a_malformed_body_that_can_be_read_now_arrives() -> None:
    one = a_sent_one()
    store_malformed(GRID_SMS, json.dumps([sms_report()]).encode(), "the reader was wrong")
    store_malformed(GRID_SMS, b"nonsense", "not JSON")
    result = replay()
    assert (result.resolved, result.unreadable) == (1, 1)
    apply_receipt(InboundReceipt.objects.get(state="NEW").id)
    assert status(one) == "DELIVERED"
    again = replay()
    assert (again.resolved, again.appended, again.unreadable) == (0, 0, 1)
    assert types(one).count("DELIVERED") == 1


def test_only_what_came_since_a_moment_is_read() -> None:
    applied()
    InboundReceipt.objects.update(received_at=now() - timedelta(days=2))
    assert replay(since=now() - timedelta(days=1)).read == 0
    assert replay(since=now() - timedelta(days=3)).read == 1


def test_receipts_without_a_message_are_listed_after_a_day() -> None:
    (receipt,) = stored(sms_report("unknown"))
    apply_receipt(receipt.id)
    assert work.list_unresolved(an_admin().visible)["items"] == []
    InboundReceipt.objects.update(received_at=now() - timedelta(hours=25))
    (item,) = work.list_unresolved(an_admin().visible)["items"]
    assert (item["id"], item["correlation"]) == (receipt.id, ["unknown"])
    assert work.list_unresolved(only(set()))["items"] == []
