"""The audit names what was changed behind the application's back."""

import pytest
from django.db import connection

from tests.communications.factories import a_bill, an_event
from trackcenter.communications.models import Event
from trackcenter.communications.payloads import Delivered, Failed, Sent, Trouble
from trackcenter.evidence.verify import Finding, verify

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    """The SENT event of a communication between two others."""
    a_bill("EMAIL", "SMS", unit="1")
    (one,) = a_bill(unit="2")
    an_event(one, Sent(provider="test", provider_message_id="<1@x>"))
    an_event(one, Delivered())
    a_bill(unit="3")
    assert verify().finding is None
    return one.events.get(type="SENT")


def tamper(sql: str, *values: object) -> None:
    """Change something as a superuser can: with the triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, values)
        assert cursor.rowcount == 1
        cursor.execute("SET LOCAL session_replication_role = origin")


def remove(event: Event) -> None:
    """Make an event disappear without a trace."""
    tamper("DELETE FROM communication_event_payloads WHERE event_id = %s", event.id)
    tamper("DELETE FROM communication_events WHERE id = %s", event.id)


def finding() -> Finding:
    found = verify().finding
    assert found is not None
    return found


@pytest.mark.parametrize(
    "change",
    [
        "attempt = 2",
        "type = 'DELIVERED'",
        "qualifier = 'READY_TO_PRINT'",
        "source = 'USER'",
        "year = 1999",
        "occurred_at = occurred_at + interval '1 microsecond'",
        "recorded_at = recorded_at - interval '1 year'",
        "hash = set_byte(hash, 7, 255 - get_byte(hash, 7))",
        "previous_hash = set_byte(previous_hash, 0, 255 - get_byte(previous_hash, 0))",
        "building_id = gen_random_uuid()",
        "user_id = gen_random_uuid()",
    ],
)
def test_any_changed_column_of_an_event_is_named(event: Event, change: str) -> None:
    tamper(f"UPDATE communication_events SET {change} WHERE id = %s", event.id)
    found = finding()
    assert (found.table, found.key) == ("communication_events", str(event.id))


@pytest.mark.parametrize(
    "change",
    [
        "payload = jsonb_set(payload, '{providerMessageId}', '\"<2@x>\"')",
        "payload = payload || '{\"x\": 1.0}'",
        "salt = set_byte(salt, 0, 255 - get_byte(salt, 0))",
    ],
)
def test_a_changed_payload_is_named(event: Event, change: str) -> None:
    tamper(f"UPDATE communication_event_payloads SET {change} WHERE event_id = %s", event.id)
    found = finding()
    assert (found.table, found.key) == ("communication_event_payloads", str(event.id))


def test_a_removed_payload_is_named(event: Event) -> None:
    tamper("DELETE FROM communication_event_payloads WHERE event_id = %s", event.id)
    assert finding().key == str(event.id)


def test_a_removed_event_is_noticed_at_the_next_one(event: Event) -> None:
    remove(event)
    found = finding()
    assert "event 2 is missing before it" in found.problem


def test_a_removed_newest_event_is_noticed(event: Event) -> None:
    newest = event.communication.events.get(type="DELIVERED")
    remove(newest)
    assert (finding().table, finding().key) == ("communications", str(event.communication_id))


@pytest.mark.parametrize(
    "change",
    [
        "delivery_status = 'OPENED'",
        "delivered_at = delivered_at - interval '1 day'",
        "provider_message_id = '<3@x>'",
        'error = \'{"message": "x"}\'',
        "outcome_unknown = true",
    ],
)
def test_a_status_that_its_events_do_not_say_is_named(event: Event, change: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE communications SET {change} WHERE id = %s", [event.communication_id]
        )
    found = finding()
    assert (found.table, found.key) == ("communications", str(event.communication_id))


def test_wrong_counts_are_named(event: Event) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE channel_rollups SET delivered = delivered + 1 WHERE channel = 'EMAIL'"
        )
    assert finding().table == "channel_rollups"


def test_a_changed_bill_is_named(event: Event) -> None:
    snapshot = event.communication.snapshot
    tamper(
        "UPDATE billing_snapshots SET row = jsonb_set(row, '{total}', '\"99.00\"') WHERE id = %s",
        snapshot.id,
    )
    assert (finding().table, finding().key) == ("billing_snapshots", str(snapshot.id))


def test_a_failure_replays_to_the_same_reason() -> None:
    (one,) = a_bill()
    an_event(one, Failed(error=Trouble(code="x", message="y", raw="z"), outcome="UNKNOWN"))
    an_event(one, Failed(error=Trouble(code="5.1.1", message="no such user")))
    an_event(one, Failed(error=Trouble(code="w", message="v"), outcome="UNKNOWN"))
    one.refresh_from_db()
    assert one.error == {"code": "5.1.1", "message": "no such user"}
    assert verify().finding is None
