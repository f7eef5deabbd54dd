"""Seals: nothing is skipped, nothing sealed can be changed unnoticed, nobody else's key counts."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from tests.communications.factories import a_bill, an_event
from trackcenter.communications.models import Event
from trackcenter.communications.payloads import Delivered, Sent
from trackcenter.config.doctor import examine_installation
from trackcenter.evidence import sealed
from trackcenter.evidence.findings import Finding
from trackcenter.evidence.keys import NoKey, believed_keys, signing_key
from trackcenter.evidence.merkle import leaf_hash, root_by_path
from trackcenter.evidence.models import Leaf, Node, Seal
from trackcenter.evidence.notes import SigningKey, open_note, read_checkpoint
from trackcenter.evidence.seals import StoredTree, seal
from trackcenter.evidence.verify import verify
from trackcenter.evidence.watch import Look, look
from trackcenter.kit.clock import now

pytestmark = pytest.mark.django_db


def tamper(sql: str, *values: object) -> None:
    """Change something as a superuser can: with the triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, values)
        assert cursor.rowcount
        cursor.execute("SET LOCAL session_replication_role = origin")


def finding() -> Finding:
    found = verify().finding
    assert found is not None
    return found


def history(units: int) -> None:
    for unit in range(units):
        (one,) = a_bill(unit=str(unit))
        an_event(one, Sent(provider="test", provider_message_id=f"<{unit}@x>"))


def test_a_seal_is_a_signed_checkpoint_over_every_event() -> None:
    history(3)
    made = seal()
    assert made is not None
    said = read_checkpoint(open_note(made.note, believed_keys()))
    assert (said.size, said.root) == (6, made.root)
    assert said.origin == signing_key().name
    assert list(Leaf.objects.order_by("index").values_list("event_id", flat=True)) == list(
        Event.objects.order_by("id").values_list("id", flat=True)
    )


def test_nothing_new_makes_no_new_seal() -> None:
    assert seal() is None
    history(1)
    assert seal() is not None
    assert seal() is None
    assert Seal.objects.count() == 1


def test_every_event_is_proved_in_every_seal_over_it() -> None:
    for _ in range(3):
        for unit in range(90):
            (one,) = a_bill(unit=f"{Seal.objects.count()}-{unit}")
            an_event(one, Delivered())
        seal()
    assert Node.objects.count() == 2, "the hashes over 256 leaves are kept"
    tree = StoredTree()
    for made in Seal.objects.all():
        for leaf in Leaf.objects.filter(index__lt=made.size)[::37]:
            path = tree.path(leaf.index, made.size)
            found = root_by_path(leaf_hash(bytes(leaf.hash)), leaf.index, made.size, path)
            assert found == bytes(made.root)
    audit = verify()
    assert (audit.finding, audit.sealed.seals, audit.sealed.events) == (None, 3, 540)


def test_the_key_is_the_server_s_alone(tmp_path: Path) -> None:
    signing_key()
    path = tmp_path / "keys" / "seal_key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().startswith("PRIVATE+KEY+track-center/")
    assert signing_key() == signing_key()


def test_a_lost_key_is_not_replaced_unasked(settings: Settings, tmp_path: Path) -> None:
    history(1)
    seal()
    old = signing_key()
    (tmp_path / "keys" / "seal_key").unlink()
    history_goes_on()
    with pytest.raises(NoKey, match="put the key back"):
        seal()
    assert "no known key signed it" in finding().problem
    settings.SEAL_KEY_FALLBACKS = (str(old.verifier),)
    made = seal()
    assert made is not None
    assert signing_key().name == old.name
    assert signing_key().seed != old.seed
    assert verify().finding is None


def test_another_key_does_not_seal_unasked(settings: Settings, tmp_path: Path) -> None:
    history(1)
    seal()
    (tmp_path / "other").write_text(SigningKey("other", bytes(32)).as_text())
    settings.SEAL_KEY = tmp_path / "other"
    history_goes_on()
    with pytest.raises(NoKey, match="TRACKCENTER_SEAL_KEY_FALLBACKS"):
        seal()


def history_goes_on() -> None:
    a_bill(unit="later")


@pytest.mark.parametrize("table", ["evidence_leaves", "evidence_nodes", "evidence_seals"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET hash = ''", "DELETE FROM {}", "TRUNCATE {}"])
def test_nobody_changes_a_seal(table: str, verb: str) -> None:
    statement = verb.format(table)
    if table == "evidence_seals":
        statement = statement.replace("hash", "root")
    statement += " CASCADE" if "TRUNCATE" in verb else ""
    with (
        connection.cursor() as cursor,
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
    ):
        cursor.execute(statement)


def test_a_history_written_anew_with_good_hashes_is_named_by_the_seal() -> None:
    """A superuser who recomputes every hash satisfies the chain, but not the seal."""
    history(2)
    event = Event.objects.get(type="SENT", communication__unit__number="1")
    seal()
    forge(event)
    found = finding()
    assert (found.table, found.key) == ("communication_events", str(event.id))
    assert "sealed" in found.problem
    tamper("UPDATE evidence_leaves SET hash = (SELECT hash FROM communication_events WHERE id = %s)"
           " WHERE event_id = %s", event.id, event.id)  # fmt: skip
    found = finding()
    assert (found.table, found.key) == ("evidence_seals", "4")


def forge(event: Event) -> None:
    """The newest event of a communication a second earlier, and everything over it made to fit."""
    from trackcenter.communications import chain

    moment = event.occurred_at - timedelta(seconds=1)
    header = chain.Header(
        event.id, event.communication_id, event.building_id, event.year, event.sequence,
        event.attempt, event.type, event.qualifier, event.source, event.user_id,
        moment, event.recorded_at,
    )  # fmt: skip
    digest = chain.event_hash(header, bytes(event.payload_commitment), bytes(event.previous_hash))
    tamper(
        "UPDATE communication_events SET occurred_at = %s, hash = %s WHERE id = %s",
        moment, digest, event.id,
    )  # fmt: skip
    tamper(
        "UPDATE communications SET sent_at = %s, last_event_at = %s, last_hash = %s WHERE id = %s",
        moment, moment, digest, event.communication_id,
    )  # fmt: skip


def test_a_removed_communication_is_named_by_the_seal() -> None:
    history(2)
    seal()
    event = Event.objects.order_by("id").last()
    assert event is not None
    communication = event.communication
    tamper(
        "DELETE FROM communication_event_payloads USING communication_events AS event "
        "WHERE event.id = event_id AND communication_id = %s",
        communication.id,
    )
    tamper("DELETE FROM communication_events WHERE communication_id = %s", communication.id)
    tamper("DELETE FROM communications WHERE id = %s", communication.id)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE channel_rollups SET total = total - 1, sent = sent - 1")
    found = finding()
    assert found.table == "communication_events"
    assert "is gone" in found.problem


def test_missing_leaves_are_named() -> None:
    history(2)
    seal()
    tamper("DELETE FROM evidence_leaves WHERE index = 1")
    assert (finding().table, finding().key) == ("evidence_leaves", "1")
    tamper("DELETE FROM evidence_leaves")
    assert (finding().table, finding().key) == ("evidence_leaves", "0")


def test_a_changed_note_or_root_is_named() -> None:
    history(2)
    seal()
    tamper("UPDATE evidence_seals SET note = replace(note, E'\\n4\\n', E'\\n5\\n')")
    assert "signature is wrong" in finding().problem
    tamper("UPDATE evidence_seals SET root = set_byte(root, 0, 255 - get_byte(root, 0))")
    assert finding().table == "evidence_seals"


def test_an_event_that_is_put_in_before_a_seal_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    history(1)
    seal()
    (late,) = a_bill(unit="7")
    an_event(late, Delivered())
    assert verify().finding is None, "an hour is allowed: transactions take their time"
    monkeypatch.setattr(sealed, "LATE", timedelta(0))
    assert verify().finding is None
    tamper("UPDATE evidence_seals SET sealed_at = %s", now() + timedelta(seconds=1))
    found = finding()
    assert found.table == "communication_events"
    assert "put in afterwards" in found.problem
    seal()
    assert "put in afterwards" in finding().problem, "sealing it later does not hide it"


@pytest.mark.django_db(transaction=True)
def test_an_event_that_is_committed_late_is_in_the_next_seal() -> None:
    """Its id and its time are older than those of what was sealed before it."""
    with transaction.atomic():
        (slow,) = a_bill(unit="1")
        (quick,) = a_bill(unit="2", building="B2")  # which shares no row of counts
    seal()
    written, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        try:
            with transaction.atomic():
                an_event(slow, Delivered())
                written.set()
                assert may_commit.wait(30)
        finally:
            connection.close()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    try:
        assert written.wait(30)
        with transaction.atomic():
            an_event(quick, Delivered())
        between = seal()
    finally:
        may_commit.set()
        writer.join(30)
    last = seal()
    assert between is not None
    assert last is not None
    assert (between.size, last.size) == (3, 4)
    late, early = Leaf.objects.get(index=3), Leaf.objects.get(index=2)
    assert late.event == Event.objects.get(communication=slow, sequence=2)
    assert late.event_id < early.event_id
    path = StoredTree().path(3, 4)
    assert root_by_path(leaf_hash(bytes(late.hash)), 3, 4, path) == bytes(last.root)
    assert verify().finding is None


def test_the_doctor_sees_events_that_nobody_seals() -> None:
    assert look() == Look(None, None, overdue=False)
    history(2)
    assert not look().overdue
    assert look_later().overdue
    made = seal()
    assert made is not None
    assert look() == Look(made.sealed_at, None, overdue=False)
    assert not look_later().overdue
    history_goes_on()
    assert look_later().overdue


def look_later() -> Look:
    """As it will be three hours on, if nothing happens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trackcenter.evidence.watch.now", lambda: now() + timedelta(hours=3))
        return look()


def test_the_doctor_sees_that_the_newest_seal_does_not_hold() -> None:
    history(3)
    seal()
    tamper("UPDATE evidence_leaves SET hash = %s WHERE index = 4", bytes(32))
    assert look().fault == "its note speaks of another log"
    tamper("UPDATE evidence_seals SET note = replace(note, 'A', 'B')")
    assert look().fault is not None
    tamper("DELETE FROM evidence_leaves WHERE index = 2")
    assert "lacks hashes" in str(look().fault)
    [told] = [one for one in examine_installation() if "seal" in one.what]
    assert (told.state, "audit verify" in told.mend) == ("fail", True)
