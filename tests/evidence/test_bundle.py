"""The bundle proves itself, far from this server, to somebody who has nothing but Python."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from tests.api_client import api_client
from tests.communications.factories import a_bill, an_admin, an_event
from trackcenter import storage
from trackcenter.access.models import AccessRecord, Act
from trackcenter.communications.models import Attachment, Attempt, AuditNote, Communication
from trackcenter.communications.payloads import Delivered, Sent
from trackcenter.delivery_records.models import UnitDeliveryRecord
from trackcenter.evidence.keys import signing_key
from trackcenter.evidence.models import Seal, TimeStamp
from trackcenter.evidence.seals import seal
from trackcenter.receipts.models import InboundReceipt

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7 the letter"
MAIL = b"Subject: delivered\n\nrelayed to the recipient"


@pytest.fixture(autouse=True)
def own_files(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGE_URL = (tmp_path / "files").as_uri()


@pytest.fixture
def letter() -> Communication:
    """A mail with everything: body, file, receipt, note, delivery record; and sealed."""
    (one,) = a_bill("EMAIL", unit="12")
    text = storage.save("Guten Tag, Frau Müßig".encode(), content_type="text/plain")
    html = storage.save(b"<p>Guten Tag</p>", content_type="text/html")
    pdf = storage.save(PDF, content_type="application/pdf")
    attempt = Attempt.objects.create(
        communication=one,
        number=1,
        channel="EMAIL",
        recipient="resident.12@example.org",
        subject="Abrechnung",
        body_text_sha256=text,
        body_html_sha256=html,
        outcome="ACCEPTED",
    )
    Attachment.objects.create(
        communication=one,
        attempt=attempt,
        kind="STATEMENT",
        file_name="../Abrechnung für 12.pdf",
        content_type="application/pdf",
        size=len(PDF),
        sha256=pdf,
    )
    an_event(one, Sent(provider="test", content_sha256=(text, html, pdf)))
    receipt = InboundReceipt.objects.create(
        origin="msgraph-email",
        dedupe_key="1",
        body=b'{"value": [1.0]}',
        mime=MAIL,
        state="APPLIED",
        attempt=attempt,
    )
    an_event(one, Delivered(receipt_id=str(receipt.id), detail={"ümlaut": [1, "\x07\u2028"]}))
    seal()
    for other in range(5):
        a_bill(unit=f"{other + 20}")
    seal()
    admin = an_admin()
    AuditNote.objects.create(communication=one, user=admin.user, note="Called; she has it.")
    UnitDeliveryRecord.objects.create(
        unit=one.unit, year=one.year, method="HAND_DELIVERY", recorded_by=admin.user
    )
    return one


def unpacked(one: Communication, folder: Path, **who: Any) -> Path:
    """The bundle, fetched over HTTP and unpacked."""
    answer = api_client(**who).get(f"/api/track/communications/{one.id}/evidence")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    assert 'filename="evidence B1 12 2025 EMAIL.zip"' in answer["Content-Disposition"]
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert len(content) == int(answer["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    return folder


def verified(folder: Path, *options: str) -> tuple[int, str]:
    """What the verifier says, run as a stranger runs it: isolated from everything of ours."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify.py"), *options],
        cwd=folder,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def evidence_of(folder: Path) -> dict[str, Any]:
    evidence: dict[str, Any] = json.loads((folder / "evidence.json").read_text())
    return evidence


def test_the_bundle_verifies_offline_and_says_what_it_proves(
    letter: Communication, tmp_path: Path
) -> None:
    folder = unpacked(letter, tmp_path / "out")
    code, said = verified(folder, "--key", str(signing_key().verifier))
    assert code == 0, said
    assert "RESULT: nothing wrong was found" in said
    proven = said.partition("PROVEN\n")[2].partition("NOT PROVEN")[0]
    assert "The 3 events are one chain" in proven
    assert "Events 1 to 3 stood in the log" in proven
    assert "files/01 _Abrechnung für 12.pdf is the file that an event names" in proven
    assert "bodies/attempt 1.txt is the file that an event names" in proven
    assert "Version 1 of the bill is the one that the events speak of" in proven
    assert "receipts/01.eml is the file that was on record" in said
    assert "taken from this bundle" not in said


def test_everything_on_record_is_in_it(letter: Communication, tmp_path: Path) -> None:
    folder = unpacked(letter, tmp_path / "out")
    evidence = evidence_of(folder)
    assert [event["type"] for event in evidence["events"]] == ["CREATED", "SENT", "DELIVERED"]
    assert [note["note"] for note in evidence["notes"]] == ["Called; she has it."]
    assert [one["method"] for one in evidence["deliveryRecords"]] == ["HAND_DELIVERY"]
    assert evidence["bills"][0]["row"]["recipient"] == "Resident 12"
    assert (folder / evidence["attachments"][0]["file"]).read_bytes() == PDF
    assert (folder / evidence["receipts"][0]["mail"]).read_bytes() == MAIL
    assert (folder / evidence["receipts"][0]["body"]).read_bytes() == b'{"value": [1.0]}'
    text = folder / evidence["attempts"][0]["bodies"]["txt"]
    assert text.read_text() == "Guten Tag, Frau Müßig"
    readme = (folder / "README.txt").read_text()
    assert "WHAT IT PROVES" in readme
    assert "WAS ES BEWEIST" in readme


def test_without_a_key_from_elsewhere_it_says_so(letter: Communication, tmp_path: Path) -> None:
    code, said = verified(unpacked(letter, tmp_path / "out"))
    assert code == 0
    assert str(signing_key().verifier) in said.partition("NOT PROVEN")[2]


def test_another_key_is_not_believed(letter: Communication, tmp_path: Path) -> None:
    folder = unpacked(letter, tmp_path / "out")
    other = "track-center/ffffffff+"
    (tmp_path / "keys" / "seal_key").unlink()
    code, said = verified(folder, "--key", f"{other}nonsense")
    assert code == 1
    assert "cannot be read" in said


def change_text(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        content = path.read_bytes()
        assert old.encode() in content
        path.write_bytes(content.replace(old.encode(), new.encode(), 1))

    return change


def change_event(**columns: Any) -> Callable[[Path], None]:
    """Change the second event in evidence.json."""

    def change(folder: Path) -> None:
        evidence = evidence_of(folder)
        evidence["events"][1].update(columns)
        (folder / "evidence.json").write_text(json.dumps(evidence))

    return change


def change_proof(folder: Path) -> None:
    evidence = evidence_of(folder)
    path = evidence["events"][1]["proofs"][0]["path"]
    path[0] = path[0][:-1] + ("0" if path[0][-1] != "0" else "1")
    (folder / "evidence.json").write_text(json.dumps(evidence))


def remove_event(folder: Path) -> None:
    evidence = evidence_of(folder)
    del evidence["events"][1]
    (folder / "evidence.json").write_text(json.dumps(evidence))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (change_event(occurredAt="2020-01-01T00:00:00.000000Z"), "Event 2 (SENT"),
        (change_event(type="DELIVERED"), "its header is not the one"),
        (change_event(payload={"provider": "x"}), "its payload is not the one"),
        (change_event(salt="00" * 16), "its payload is not the one"),
        (change_event(previousHash="00" * 32), "it does not follow from the event before"),
        (change_event(hash="00" * 32), "its header is not the one"),
        (remove_event, "event 2 is missing before it"),
        (change_proof, "its proof does not lead to seals/3.txt"),
        (change_text("files/01 _Abrechnung für 12.pdf", "letter", "lettre"), "files/01 _Abrech"),
        (change_text("bodies/attempt 1.txt", "Tag", "Tak"), "bodies/attempt 1.txt was changed"),
        (change_text("receipts/01.eml", "relayed", "delayed"), "receipts/01.eml was changed"),
        (change_text("seals/3.txt", "\n3\n", "\n4\n"), "seals/3.txt was changed"),
        (change_text("evidence.json", "she has it", "he has it"), "evidence.json was changed"),
        (change_text("evidence.json", "Resident 12", "Resident 13"), "evidence.json was changed"),
        (change_text("evidence.json", "100.00", "999.00"), "Version 1 of the bill was changed"),
        (change_text("evidence.note", "sha256 ", "sha256  "), "evidence.note: its signature"),
        (lambda folder: (folder / "bodies/attempt 1.html").unlink(), "attempt 1.html is missing"),
        (change_text("evidence.json", "{", "["), "cannot be read"),
    ],
)
def test_whatever_is_changed_is_named(
    letter: Communication, tmp_path: Path, change: Callable[[Path], None], named: str
) -> None:
    folder = unpacked(letter, tmp_path / "out")
    change(folder)
    code, said = verified(folder)
    assert code == 1
    assert named in said.partition("WRONG")[2]
    assert "is not what it was" in said


def test_a_changed_checkpoint_is_named_even_where_the_list_is_changed_too(
    letter: Communication, tmp_path: Path
) -> None:
    import hashlib

    folder = unpacked(letter, tmp_path / "out")
    old = hashlib.sha256((folder / "seals/3.txt").read_bytes()).hexdigest()
    change_text("seals/3.txt", "\n3\n", "\n4\n")(folder)
    new = hashlib.sha256((folder / "seals/3.txt").read_bytes()).hexdigest()
    change_text("evidence.json", old, new)(folder)
    code, said = verified(folder)
    assert code == 1
    assert "seals/3.txt: its signature is wrong" in said


def test_what_is_not_sealed_yet_is_said(letter: Communication, tmp_path: Path) -> None:
    an_event(letter, Delivered())
    code, said = verified(unpacked(letter, tmp_path / "out"))
    assert code == 0
    assert "Event 4: no seal is over them yet" in said


def test_a_file_that_storage_lost_is_said_and_the_rest_is_there(
    letter: Communication, tmp_path: Path
) -> None:
    attachment = letter.attachments.get()
    [stored] = (tmp_path / "files").rglob(attachment.sha256)
    stored.chmod(0o600)
    stored.write_bytes(b"rotten")
    code, said = verified(unpacked(letter, tmp_path / "out"))
    assert code == 0
    assert "is not in the bundle: the stored file" in said


def test_a_time_stamp_comes_along_and_is_read(letter: Communication, tmp_path: Path) -> None:
    from tests.evidence.authority import time_stamp

    made = Seal.objects.order_by("size").last()
    assert made is not None
    moment = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    TimeStamp.objects.create(
        seal=made,
        authority="http://tsa.example",
        response=time_stamp(made.note.encode(), moment),
        stamped_at=moment,
    )
    folder = unpacked(letter, tmp_path / "out")
    evidence = evidence_of(folder)
    assert [one["checkpoint"] for one in evidence["seals"]] == ["seals/3.txt", "seals/8.txt"]
    code, said = verified(folder)
    assert code == 0
    assert "time-stamped by http://tsa.example at 2026-02-03 04:05:06" in said
    assert "openssl ts -verify -data seals/8.txt" in said


def test_reading_it_is_written_down(letter: Communication, tmp_path: Path) -> None:
    unpacked(letter, tmp_path / "out", username="Paula")
    [line] = AccessRecord.objects.filter(act=Act.EVIDENCE_READ)
    assert line.subject_id == letter.id
    assert line.user is not None
    assert line.user.username == "Paula"


def test_nobody_gets_the_evidence_of_another_building(letter: Communication) -> None:
    a_bill(building="B2")
    viewer = api_client("vera", role="VIEWER", buildings=["B2"])
    answer = viewer.get(f"/api/track/communications/{letter.id}/evidence")
    assert answer.status_code == 404
    assert not AccessRecord.objects.filter(act=Act.EVIDENCE_READ).exists()
    own = api_client("valentin", role="VIEWER", buildings=["B1"])
    assert own.get(f"/api/track/communications/{letter.id}/evidence").status_code == 200
