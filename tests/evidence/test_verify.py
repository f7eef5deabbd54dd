"""The audit names what was changed behind the application's back."""

import hashlib
import json

import pytest
from django.db import connection

from tests.communications.factories import a_bill, an_event
from trackcenter.communications.models import Attachment, Attempt, BillingSnapshot, Event
from trackcenter.communications.payloads import Delivered, Failed, Notice, Sent, Trouble
from trackcenter.evidence.verify import Finding, verify
from trackcenter.kit import canonical

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


def test_a_bill_that_was_written_anew_with_its_hash_is_named_by_its_events(event: Event) -> None:
    snapshot = event.communication.snapshot
    forge_bill(snapshot)
    found = finding()
    assert (found.table, found.key) == ("billing_snapshots", str(snapshot.id))
    assert f"communication {event.communication_id} name" in found.problem


def forge_bill(snapshot: BillingSnapshot) -> None:
    row = {**snapshot.row, "total": "1.00"}
    sha256 = hashlib.sha256(canonical.dumps(row)).hexdigest()
    tamper(
        "UPDATE billing_snapshots SET row = %s, sha256 = %s WHERE id = %s",
        json.dumps(row), sha256, snapshot.id,
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        "snapshot_id = (SELECT id FROM billing_snapshots WHERE id <> snapshot_id LIMIT 1)",
        "recipient_name = 'Somebody Else'",
    ],
)
def test_a_communication_that_is_not_of_its_bill_is_named(event: Event, change: str) -> None:
    tamper(f"UPDATE communications SET {change} WHERE id = %s", event.communication_id)
    found = finding()
    assert (found.table, found.key) == ("communications", str(event.communication_id))


def test_a_corrected_bill_is_the_one_that_counts(event: Event) -> None:
    """The import of a corrected row names it in a NOTICE."""
    one, first = event.communication, event.communication.snapshot
    second = BillingSnapshot.objects.create(
        batch_id=first.batch_id,
        unit_id=first.unit_id,
        version=2,
        row={**first.row, "total": "99.00"},
        sha256=hashlib.sha256(canonical.dumps({**first.row, "total": "99.00"})).hexdigest(),
    )
    tamper("UPDATE communications SET snapshot_id = %s WHERE id = %s", second.id, one.id)
    assert finding().key == str(second.id)
    an_event(one, Notice(kind="CORRECTED", detail={"snapshotSha256": second.sha256}))
    assert verify().finding is None
    an_event(one, Notice(kind="RELAYED"))
    assert verify().finding is None
    tamper("UPDATE communications SET snapshot_id = %s WHERE id = %s", first.id, one.id)
    assert finding().key == str(first.id)


@pytest.fixture
def attempt() -> Attempt:
    """A letter with its label, as the worker left it; a slip and a proof came later."""
    (other, one) = [a_bill("LETTER", unit=unit)[0] for unit in ("1", "2")]
    for communication in (one, other):
        made = Attempt.objects.create(
            communication=communication, number=1, channel="LETTER", body_text_sha256="a" * 64
        )
        kinds = {"LETTER": "b", "LABEL": "c", "LODGEMENT_SLIP": "d", "PROOF": "e"}
        for kind, letter in kinds.items():
            Attachment.objects.create(
                communication=communication, attempt=made, kind=kind, file_name=kind,
                content_type="application/pdf", size=1, sha256=letter * 64,
            )  # fmt: skip
        content = tuple(letter * 64 for letter in "abc")
        an_event(communication, Sent(provider="print", content_sha256=content))
        by_hand = Sent(provider="print", confirmed="BY_HAND", note="seen")
        an_event(communication, by_hand, source="USER")
    assert verify().finding is None
    return Attempt.objects.get(communication=one)


def test_a_changed_file_or_body_is_named_by_what_left(attempt: Attempt) -> None:
    label = attempt.attachments.get(kind="LABEL")
    tamper("UPDATE communication_attachments SET sha256 = %s WHERE id = %s", "f" * 64, label.id)
    assert (finding().table, finding().key) == ("communication_attachments", str(label.id))
    tamper("DELETE FROM communication_attachments WHERE id = %s", label.id)
    assert (finding().table, finding().key) == ("communication_attempts", str(attempt.id))
    assert label.sha256 in finding().problem
    label.save(force_insert=True)
    assert verify().finding is None
    tamper("UPDATE communication_attempts SET body_text_sha256 = '' WHERE id = %s", attempt.id)
    assert (finding().table, finding().key) == ("communication_attempts", str(attempt.id))


def test_a_file_that_was_put_in_later_or_moved_is_named(attempt: Attempt) -> None:
    label = attempt.attachments.get(kind="LABEL")
    extra = Attachment.objects.create(
        communication_id=attempt.communication_id, attempt=attempt, kind="LETTER",
        file_name="x", content_type="application/pdf", size=1, sha256="f" * 64,
    )  # fmt: skip
    assert (finding().table, finding().key) == ("communication_attachments", str(extra.id))
    extra.delete()
    other = Attempt.objects.exclude(id=attempt.id).get()
    label.communication_id = other.communication_id
    label.save()
    assert finding().key == str(attempt.id)


def test_a_removed_attempt_is_named(attempt: Attempt) -> None:
    attempt.attachments.all().delete()
    attempt.delete()
    assert (finding().table, finding().key) == ("communications", str(attempt.communication_id))
    assert "attempt 1" in finding().problem


def test_a_failure_replays_to_the_same_reason() -> None:
    (one,) = a_bill()
    an_event(one, Failed(error=Trouble(code="x", message="y", raw="z"), outcome="UNKNOWN"))
    an_event(one, Failed(error=Trouble(code="5.1.1", message="no such user")))
    an_event(one, Failed(error=Trouble(code="w", message="v"), outcome="UNKNOWN"))
    one.refresh_from_db()
    assert one.error == {"code": "5.1.1", "message": "no such user"}
    assert verify().finding is None
