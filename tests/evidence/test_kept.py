"""Seals kept outside the database: whoever deletes all of them there, and has them made anew with
the real key, is found out by what lies beside the key, and by what somebody else kept."""

import inspect
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from django.db import transaction

from tests.communications.factories import a_bill
from tests.evidence.test_seals import forge, history, tamper
from trackcenter.cli import commands
from trackcenter.communications.models import Event
from trackcenter.config.doctor import examine_installation
from trackcenter.evidence import sealed
from trackcenter.evidence.kept import LogChanged, keep, own_seal, read_seal
from trackcenter.evidence.keys import believed_keys, signing_key
from trackcenter.evidence.models import Leaf, Seal
from trackcenter.evidence.notes import SigningKey
from trackcenter.evidence.seals import seal
from trackcenter.evidence.verify import verify

pytestmark = pytest.mark.django_db

Commits = Callable[..., AbstractContextManager[object]]


@pytest.fixture
def sealed_note(django_capture_on_commit_callbacks: Commits, tmp_path: Path) -> str:
    """Two bills, sealed and committed; the note as `audit seal` prints it."""
    history(2)
    with django_capture_on_commit_callbacks(execute=True):
        made = seal()
    assert made is not None
    return made.note


@pytest.fixture
def own_file(sealed_note: str, tmp_path: Path) -> Path:
    """Where this machine keeps that seal."""
    return tmp_path / "keys" / "newest_seal"


def forge_and_delete_every_seal() -> None:
    forge(Event.objects.get(type="SENT", communication__unit__number="1"))
    for table in ("seals", "leaves"):
        tamper(f"DELETE FROM evidence_{table}")


def test_the_newest_seal_is_kept_beside_the_key(sealed_note: str, own_file: Path) -> None:
    assert own_file.read_text() == sealed_note
    assert own_file.stat().st_mode & 0o777 == 0o600
    assert verify().finding is None


def test_a_seal_that_is_not_committed_is_not_kept(
    django_capture_on_commit_callbacks: Commits, sealed_note: str, own_file: Path
) -> None:
    a_bill(unit="3")
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        assert seal()
        transaction.set_rollback(True)
    assert own_file.read_text() == sealed_note


def test_a_file_that_is_behind_is_fine_and_catches_up(
    django_capture_on_commit_callbacks: Commits, sealed_note: str, own_file: Path
) -> None:
    """The process died between the commit and the file."""
    a_bill(unit="3")
    second = seal()
    assert second is not None
    assert own_file.read_text() == sealed_note
    assert verify().finding is None
    a_bill(unit="4")
    with django_capture_on_commit_callbacks(execute=True):
        third = seal()
    assert third is not None
    assert own_file.read_text() == third.note
    keep(second.note)
    assert own_file.read_text() == third.note, "an earlier one never takes its place"


def test_deleted_seals_are_missed_on_this_machine_and_none_is_made_in_their_place(
    sealed_note: str, own_file: Path
) -> None:
    forge_and_delete_every_seal()
    found = verify().finding
    assert found is not None
    assert (found.table, found.key) == ("evidence_leaves", "0")
    assert f"{own_file} is a seal over 4 events" in found.problem
    with pytest.raises(LogChanged, match=f"only 0 are sealed .* move {own_file} away, and keep it"):
        seal()
    assert not Leaf.objects.exists()
    told = [one for one in examine_installation() if one.what.startswith("seals are missing")]
    assert [one.state for one in told] == ["fail"]
    assert str(own_file) in told[0].mend


def test_a_log_that_was_sealed_anew_elsewhere_is_not_the_kept_one(
    sealed_note: str, own_file: Path
) -> None:
    forge_and_delete_every_seal()
    own_file.rename(own_file.with_name("elsewhere"))
    assert seal()
    assert verify().finding is None, "the real key signed it"
    own_file.with_name("elsewhere").rename(own_file)
    found = verify().finding
    assert found is not None
    assert "is a seal over other events than the first 4 of the log" in found.problem
    a_bill(unit="3")
    with pytest.raises(LogChanged, match="other events"):
        seal()


def test_a_file_that_says_nothing_stops_sealing(sealed_note: str, own_file: Path) -> None:
    own_file.write_text("")
    a_bill(unit="3")
    with pytest.raises(LogChanged, match="cannot be read"):
        seal()
    [told] = [one for one in examine_installation() if "seal" in one.what]
    assert (told.state, "cannot be read" in told.mend) == ("fail", True)


def test_who_names_a_key_expects_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    key = signing_key().verifier
    history(1)
    assert verify(keys=[key]).finding is None, "the first seal has two hours"
    monkeypatch.setattr(sealed, "OVERDUE", timedelta(0))
    found = verify(keys=[key]).finding
    assert found is not None
    assert "nothing is sealed at all" in found.problem
    assert verify().finding is None


def test_a_seal_that_somebody_kept_must_be_in_the_log(
    sealed_note: str, own_file: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "mailed.txt"
    kept.write_bytes(b"\r\n" + sealed_note.replace("\n", "\r\n").encode())
    a_bill(unit="3")
    seal()
    code, said = audit_verify(kept=kept)
    assert code == 0
    assert f"The log contains the seal over 4 events in {kept}" in said
    own_file.unlink()
    forge(Event.objects.get(type="SENT", communication__unit__number="1"))
    tamper("DELETE FROM evidence_seals")
    tamper("DELETE FROM evidence_leaves")
    code, said = audit_verify(kept=kept)
    assert code == 1
    assert said.startswith("DIFFERS: evidence_leaves 0: the log ends before it")
    assert seal()
    key = str(signing_key().verifier)
    code, said = audit_verify(key=key)
    assert code == 0, "the real key signed it"
    code, said = audit_verify(key=key, kept=kept)
    assert code == 1
    assert said.startswith(f"DIFFERS: evidence_leaves 0 to 3: {kept} is a seal over other events")


def test_a_seal_that_no_known_key_signed_is_not_compared(sealed_note: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(sealed_note)
    other = SigningKey("other", bytes(32)).verifier
    code, said = audit_verify(key=str(other), kept=kept)
    assert code == 2
    assert "no known key signed it" in said
    kept.write_text(re.sub(r"\n4\n", "\n5\n", sealed_note))
    with pytest.raises(ValueError, match="signature is wrong"):
        read_seal(kept, believed_keys())
    kept.write_text("nothing of the kind")
    with pytest.raises(ValueError, match="not a signed note"):
        read_seal(kept, believed_keys())


def test_a_machine_that_never_sealed_keeps_nothing() -> None:
    assert own_seal() is None
    history(1)
    assert seal()
    assert own_seal() is None, "not before the commit"
    assert Seal.objects.count() == 1


def audit_verify(*, key: str | None = None, kept: Path | None = None) -> tuple[int, str]:
    """The exit code of `audit verify`, and what it prints; Django and the tables are there."""
    command = inspect.unwrap(commands.audit_verify)
    said, code = io.StringIO(), 0
    with redirect_stdout(said), redirect_stderr(said):
        try:
            command(key=[key] if key else None, seal=[kept] if kept else None)
        except typer.Exit as end:
            code = end.exit_code
        except SystemExit as end:
            code = int(end.code or 0)
    return code, " ".join(said.getvalue().split())
