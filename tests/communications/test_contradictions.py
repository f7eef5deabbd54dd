"""Two sources that disagree about one attempt, from the fold to the screen and the audit."""

import pytest

from tests.communications.factories import a_bill, an_admin, an_event
from trackcenter.communications import services, worklists
from trackcenter.communications.lifecycle import Status
from trackcenter.communications.models import Communication, Source
from trackcenter.communications.payloads import (
    Delivered,
    Enqueued,
    Failed,
    Opened,
    ResendRequested,
    Sent,
    Trouble,
)
from trackcenter.evidence.verify import verify

pytestmark = pytest.mark.django_db

BOUNCE = Failed(error=Trouble(code="5.1.1", message="no such user"))


def sent() -> Communication:
    (one,) = a_bill("EMAIL")
    an_event(one, Enqueued(channel="EMAIL"))
    an_event(one, Sent(provider="msgraph", provider_message_id="<1@x>"))
    return one


def flags(one: Communication) -> tuple[str, bool]:
    one.refresh_from_db()
    return one.delivery_status, one.contradictory


@pytest.mark.parametrize("arrived", [Delivered(), Opened()])
def test_sources_that_disagree_are_both_kept_and_flagged(arrived: Delivered | Opened) -> None:
    one = sent()
    an_event(one, BOUNCE, source=Source.WEBHOOK)
    assert flags(one) == (Status.FAILED, False)
    an_event(one, arrived, source=Source.POLL)
    assert flags(one)[1]
    assert one.events.filter(type__in=("FAILED", arrived.event_type)).count() == 2
    assert verify().finding is None


def test_one_source_that_changes_its_mind_tells_a_story() -> None:
    one = sent()
    an_event(one, Delivered(), source=Source.WEBHOOK)
    an_event(one, BOUNCE, source=Source.WEBHOOK)
    assert flags(one) == (Status.FAILED, False)


def test_our_own_ignorance_contradicts_nobody() -> None:
    one = sent()
    an_event(one, Failed(error=Trouble(message="?"), outcome="UNKNOWN"))
    an_event(one, Delivered(), source=Source.WEBHOOK)
    assert flags(one) == (Status.DELIVERED, False)


def test_a_persons_word_or_a_new_attempt_settles_it() -> None:
    one, other = sent(), None
    an_event(one, BOUNCE, source=Source.WEBHOOK)
    an_event(one, Delivered(), source=Source.POLL)
    listed = worklists.list_flagged(an_admin().visible, "contradictory")
    assert [item["communicationId"] for item in listed["items"]] == [one.id]
    services.manual_event(an_admin(), one.id, type="RECEIPT_CONFIRMED", note="she said so")
    assert flags(one) == (Status.MANUAL, False)
    (other,) = a_bill("EMAIL", unit="2")
    an_event(other, BOUNCE, source=Source.WEBHOOK, attempt=1)
    an_event(other, Delivered(), source=Source.POLL, attempt=1)
    an_event(other, ResendRequested(channel="EMAIL"), source=Source.USER, attempt=2)
    assert flags(other) == (Status.ENQUEUED, False)
