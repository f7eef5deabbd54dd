"""Guesses about ordinary mail: they count and suggest, they never decide."""

import pytest
from django.db import connection

from tests.communications.factories import an_admin
from tests.receipts.test_apply import a_sent_one, status, types
from trackcenter.access.visible import only
from trackcenter.communications.models import Communication
from trackcenter.kit.errors import Conflict
from trackcenter.receipts import work
from trackcenter.receipts.apply import apply_receipt
from trackcenter.receipts.heuristics import guess
from trackcenter.receipts.models import InboundReceipt, InboxCount, Suggestion
from trackcenter.receipts.store import GRAPH

QMAIL = b"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.net
To: billing@example.org
Subject: failure notice

Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.

<resident.1@example.net>:
Sorry, no mailbox here by that name. 550 5.1.1 user unknown

--- Below this line is a copy of the message.

Message-ID: <ours@example.org>
Subject: Your bill
"""
EXIM = b"""\
From: Mail Delivery System <Mailer-Daemon@mx.example.net>
X-Failed-Recipients: resident.1@example.net
Auto-Submitted: auto-replied
References: <ours@example.org>
Subject: Mail delivery failed: returning message to sender

A message that you sent could not be delivered to one or more of its recipients.
"""
GMAIL = EXIM.replace(b"Auto-Submitted: auto-replied\n", b"")
VACATION = b"""\
From: Resident <resident.1@example.net>
Auto-Submitted: auto-replied
In-Reply-To: <ours@example.org>
Subject: Re: Your bill

I am away. Mail could not be delivered to me does not exist 550.
"""
OUT_OF_OFFICE = (
    b"From: r@example.net\nSubject: Automatische Antwort: Rechnung\n\nIch bin im Urlaub.\n"
)
QUOTING = b"""\
From: Resident <resident.1@example.net>
In-Reply-To: <ours@example.org>
Subject: Re: Undeliverable: your bill

> 550 5.1.1 user unknown
What does this mean? It could not be delivered?
"""
ORDINARY = b"From: r@example.net\nSubject: Question\n\nWhy so much?\n"
NEWS_BY_MACHINE = b"From: postmaster@example.org\nSubject: Quarantine digest\n\nNothing new.\n"


@pytest.mark.parametrize(
    ("mail", "kind"),
    [
        (QMAIL, "possible-bounce"),
        (EXIM, "possible-bounce"),
        (GMAIL, "possible-bounce"),
        (VACATION, "auto-reply"),
        (OUT_OF_OFFICE, "auto-reply"),
        (QUOTING, "mail"),
        (ORDINARY, "mail"),
        (NEWS_BY_MACHINE, "mail"),
        (b"", "mail"),
        (b"\xff\x00\xfe" * 50, "mail"),
    ],
)
def test_what_a_mail_probably_is(mail: bytes, kind: str) -> None:
    assert guess(mail).kind == kind


def test_the_words_and_the_message_of_a_possible_bounce_are_found() -> None:
    found = guess(QMAIL)
    assert "user unknown" in found.reason
    assert found.correlation == ("<ours@example.org>",)
    assert guess(GMAIL).correlation == ("<ours@example.org>",)


def test_undecodable_headers_become_storable_words() -> None:
    found = guess(QMAIL.replace(b"failure notice", b"failure notice \xe9\x00"))
    found.reason.encode()
    assert "\x00" not in found.reason


def arrived(mime: bytes, key: str = "k") -> InboundReceipt:
    receipt = InboundReceipt.objects.create(origin=GRAPH, dedupe_key=key, body=b"{}", mime=mime)
    apply_receipt(receipt.id)
    receipt.refresh_from_db()
    return receipt


def a_mail() -> Communication:
    return a_sent_one("EMAIL", provider_message_id="<ours@example.org>")


@pytest.mark.django_db
def test_a_possible_bounce_is_suggested_and_changes_nothing() -> None:
    one = a_mail()
    before = types(one)
    receipt = arrived(QMAIL)
    assert receipt.state == "IGNORED"
    assert types(one) == before
    (item,) = work.list_suggestions(an_admin().visible)["items"]
    assert item["communicationId"] == one.id
    assert "user unknown" in item["reason"]
    assert work.list_suggestions(only(set()))["items"] == []


@pytest.mark.django_db
def test_a_person_says_that_it_bounced() -> None:
    one = a_mail()
    arrived(QMAIL)
    assert work.settle_suggestions(an_admin(), one.id, verdict="BOUNCED", note="I read it") == 1
    assert status(one) == "FAILED"
    event = one.events.get(type="FAILED")
    assert (event.source, event.user_id) == ("USER", an_admin().user_id)
    assert one.audit_notes.get().note == "I read it"
    assert work.list_suggestions(an_admin().visible)["items"] == []
    with pytest.raises(Conflict):
        work.settle_suggestions(an_admin(), one.id, verdict="DISMISSED")


@pytest.mark.django_db
def test_a_person_dismisses_it() -> None:
    one = a_mail()
    before = types(one)
    arrived(QMAIL)
    work.settle_suggestions(an_admin(), one.id, verdict="DISMISSED")
    assert types(one) == before
    assert Suggestion.objects.get().verdict == "DISMISSED"


@pytest.mark.django_db
def test_mails_that_are_no_receipts_are_left_alone_and_counted() -> None:
    a_mail()
    for key, mime in enumerate((VACATION, OUT_OF_OFFICE, QUOTING, ORDINARY, QMAIL)):
        arrived(mime, str(key))
    counts = dict(InboxCount.objects.values_list("kind", "count"))
    assert counts == {"auto-reply": 2, "mail": 2, "possible-bounce": 1}
    assert Suggestion.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM communication_events WHERE source = 'WEBHOOK'")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_a_possible_bounce_of_a_stranger_is_counted_only() -> None:
    arrived(QMAIL)
    assert Suggestion.objects.count() == 0
    assert InboxCount.objects.get().count == 1
