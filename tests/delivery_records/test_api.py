import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.communications.factories import YEAR, a_bill, an_event
from tests.delivery_records.files import a_pdf, a_picture, uploaded
from trackcenter.access.models import Role
from trackcenter.access.services import create_token
from trackcenter.communications.models import Attachment, AuditNote, Communication, Event
from trackcenter.communications.payloads import Cancelled
from trackcenter.delivery_records.models import UnitDeliveryRecord
from trackcenter.kit.clock import now

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> None:
    settings.STORAGE_URL = tmp_path.as_uri()


@pytest.fixture
def admin() -> Client:
    _, secret = create_token("ada", role=Role.ADMIN)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def record(client: Client, one: Communication, **body: Any) -> Any:
    body = {"year": YEAR, "method": "HAND_DELIVERY", **body}
    path = f"/api/track/units/{one.unit_id}/delivery-record"
    return client.post(path, json.dumps(body), "application/json")


def events_of(one: Communication) -> list[Event]:
    return list(one.events.select_related("payload_row", "user").order_by("sequence"))


def status_of(one: Communication) -> str:
    one.refresh_from_db()
    return one.delivery_status


def test_a_vouched_delivery_is_recorded_marked_and_noted(admin: Client):
    email, letter = a_bill("EMAIL", "LETTER")
    answer = record(
        admin,
        letter,
        dispatchedAt="2026-03-01T08:00:00Z",
        deliveredAt="2026-03-02T10:00:00+01:00",
        witness="Frau Beck",
        note="Handed over at the door",
    )
    assert answer.status_code == 201
    said = answer.json()
    assert said["communicationId"] == str(letter.id)
    assert said["deliveredAt"] == "2026-03-02T09:00:00Z"
    assert said["recordedBy"]["username"] == "ada"
    marked = events_of(letter)[-1]
    assert (marked.type, marked.source, marked.user.username) == ("MANUAL_MARKED", "USER", "ada")
    assert marked.occurred_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert marked.payload_row.payload["detail"]["changes"]["witness"] == {
        "old": None,
        "new": "Frau Beck",
    }
    assert status_of(letter) == "MANUAL"
    assert status_of(email) == "PENDING"
    assert AuditNote.objects.get().note == "Handed over at the door"
    assert AuditNote.objects.get().event_id == marked.id


def test_a_second_word_changes_the_record_and_keeps_the_first_in_the_events(admin: Client):
    (letter,) = a_bill("LETTER")
    assert record(admin, letter, dispatchedAt="2026-03-01T08:00:00Z").status_code == 201
    assert status_of(letter) == "PENDING"
    assert events_of(letter)[-1].type == "NOTICE"
    assert record(admin, letter, deliveredAt="2026-03-02T08:00:00Z").status_code == 200
    answer = record(admin, letter, deliveredAt="2026-03-03T08:00:00Z", witness="Herr Kurz")
    assert answer.status_code == 200
    assert answer.json()["dispatchedAt"] == "2026-03-01T08:00:00Z"
    assert UnitDeliveryRecord.objects.count() == 1
    assert events_of(letter)[-1].payload_row.payload["detail"]["changes"] == {
        "deliveredAt": {"old": "2026-03-02T08:00:00Z", "new": "2026-03-03T08:00:00Z"},
        "witness": {"old": None, "new": "Herr Kurz"},
    }
    assert [event.type for event in events_of(letter)] == [
        "CREATED", "NOTICE", "MANUAL_MARKED", "MANUAL_MARKED",
    ]  # fmt: skip
    assert AuditNote.objects.count() == 3
    history = answer.json()["history"]
    assert [sorted(change["changes"]) for change in history] == [
        ["dispatchedAt"], ["deliveredAt"], ["deliveredAt", "witness"],
    ]  # fmt: skip
    assert {change["user"]["username"] for change in history} == {"ada"}
    assert history[-1]["eventId"] == answer.json()["eventId"]
    (shown,) = admin.get(f"/api/track/units/{letter.unit_id}").json()["deliveryRecords"]
    assert shown["history"] == history


def test_the_same_word_again_changes_nothing(admin: Client):
    (letter,) = a_bill("LETTER")
    first = record(admin, letter, deliveredAt="2026-03-02T08:00:00Z")
    again = record(admin, letter, deliveredAt="2026-03-02T09:00:00+01:00")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["eventId"] is None
    assert len(events_of(letter)) == 2


def test_the_events_go_to_the_channel_s_communication_else_to_the_newest(admin: Client):
    email, registered = a_bill("EMAIL", "LETTER_WITH_RECEIPT")
    (older,) = a_bill("LETTER", unit="2", year=YEAR - 1)
    (newer,) = a_bill("EMAIL", unit="2", year=YEAR)

    def goes_to(one: Communication, **body: Any) -> str:
        return str(record(admin, one, note="Given", **body).json()["communicationId"])

    assert goes_to(email, method="REGISTERED_LETTER") == str(registered.id)
    assert goes_to(email, method="EMAIL") == str(email.id)
    assert goes_to(older, method="POSTAL_DELIVERY", year=YEAR - 1) == str(older.id)
    assert goes_to(older, method="POSTAL_DELIVERY", year=YEAR) == str(newer.id)
    assert goes_to(older, method="CARRIER_PIGEON", year=1999) == str(newer.id)


def test_a_unit_without_bills_has_nothing_to_record_for(admin: Client):
    (one,) = a_bill("LETTER")
    an_event(one, Cancelled(reason="dropped by an import"))
    assert record(admin, one).status_code == 409
    assert not UnitDeliveryRecord.objects.exists()


@pytest.mark.parametrize(
    ("body", "place", "code"),
    [
        ({"deliveredAt": (now() + timedelta(days=1)).isoformat()}, "deliveredAt", "inFuture"),
        ({"deliveredAt": "2000-03-01T08:00:00Z"}, "deliveredAt", "beforeYear"),
        (
            {"dispatchedAt": "2026-03-02T08:00:00Z", "deliveredAt": "2026-03-01T08:00:00Z"},
            *("deliveredAt", "beforeDispatch"),
        ),
        ({"deliveredAt": "2026-03-02T08:00:00"}, "deliveredAt", "timezoneAware"),
        ({"deliveredAt": "0001-01-01T00:00:00+14:00"}, "deliveredAt", "beforeYear"),
        ({"method": "by hand"}, "method", "stringPatternMismatch"),
        ({"year": "soon"}, "year", "intParsing"),
        ({"surprise": 1}, "surprise", "extraForbidden"),
        ({"witness": "x" * 300}, "witness", "stringTooLong"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(admin: Client, body: dict, place: str, code: str):
    (one,) = a_bill("LETTER")
    answer = record(admin, one, **body)
    assert answer.status_code == 422, answer.content
    (problem,) = json.loads(answer.content)["errors"]
    assert (problem["loc"], problem["code"]) == (["body", place], code)
    assert len(events_of(one)) == 1


@pytest.mark.parametrize("nothing", [{}, {"witness": "", "note": "  ", "deliveredAt": None}])
def test_a_new_record_that_says_nothing_is_refused(admin: Client, nothing: dict[str, Any]):
    (one,) = a_bill("LETTER")
    answer = record(admin, one, **nothing)
    assert answer.status_code == 422
    assert [error["loc"] for error in json.loads(answer.content)["errors"]] == [["body", "note"]]
    assert not UnitDeliveryRecord.objects.exists()
    assert len(events_of(one)) == 1


def test_a_file_alone_is_a_record_and_its_words_may_go_later(admin: Client):
    (one,) = a_bill("LETTER")
    form = {"year": YEAR, "method": "OTHER", "files": [uploaded(a_pdf())]}
    path = f"/api/track/units/{one.unit_id}/delivery-record"
    assert admin.post(path, form).status_code == 201
    said = events_of(one)[-1].payload_row.payload
    assert (said["kind"], said["detail"]["created"]) == ("DELIVERY_RECORD", True)
    assert record(admin, one, method="OTHER", witness="Frau Beck").status_code == 200
    assert events_of(one)[-1].payload_row.payload["detail"]["created"] is False
    assert record(admin, one, method="OTHER", witness=None).status_code == 200


def test_a_recorded_delivery_is_corrected_but_not_taken_back(admin: Client):
    (one,) = a_bill("LETTER")
    record(admin, one, deliveredAt="2026-03-02T08:00:00Z")
    assert record(admin, one, deliveredAt=None).status_code == 422
    assert UnitDeliveryRecord.objects.get().delivered_at is not None


def test_files_hang_on_the_communication_and_show_in_unit_and_communication(admin: Client):
    (one,) = a_bill("LETTER")
    answer = admin.post(
        f"/api/track/units/{one.unit_id}/delivery-record",
        {
            "year": YEAR,
            "method": "HAND_DELIVERY",
            "deliveredAt": "2026-03-02T08:00:00Z",
            "note": "",
            "files": [uploaded(a_pdf(), "receipt.pdf"), uploaded(a_picture("JPEG"), "door.jpg")],
        },
    )
    assert answer.status_code == 201, answer.content
    assert [file["fileName"] for file in answer.json()["files"]] == ["receipt.pdf", "door.jpg"]
    unit = admin.get(f"/api/track/units/{one.unit_id}").json()
    shown = admin.get(f"/api/track/communications/{one.id}").json()
    for records in (unit["deliveryRecords"], shown["deliveryRecords"]):
        assert [each["method"] for each in records] == ["HAND_DELIVERY"]
        assert len(records[0]["files"]) == 2
    assert {each["kind"] for each in shown["attachments"]} == {"PROOF"}
    file = Client().get(shown["attachments"][0]["url"])
    assert file["Content-Disposition"].startswith("attachment")
    assert file["X-Content-Type-Options"] == "nosniff"
    assert Client().get(shown["attachments"][0]["thumbnailUrl"])["Content-Type"] == "image/jpeg"


def test_a_form_that_cannot_be_read_is_told_so_in_words(admin: Client):
    (one,) = a_bill("LETTER")
    path = f"/api/track/units/{one.unit_id}/delivery-record"
    many = {"year": YEAR, "method": "OTHER", "files": [uploaded(b"x") for _ in range(30)]}
    broken = admin.post(path, b"--x", "multipart/form-data; boundary=")
    for answer in (admin.post(path, many), broken):
        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"


def test_one_bad_file_and_nothing_is_recorded(admin: Client):
    (one,) = a_bill("LETTER")
    answer = admin.post(
        f"/api/track/units/{one.unit_id}/delivery-record",
        {"year": YEAR, "method": "OTHER", "files": [uploaded(a_pdf()), uploaded(b"<script>")]},
    )
    assert answer.status_code == 422
    assert json.loads(answer.content)["errors"][0]["loc"] == ["body", "files", 1]
    assert not UnitDeliveryRecord.objects.exists()
    assert not Attachment.objects.exists()


def manual(client: Client, one: Communication, form: dict[str, Any]) -> Any:
    return client.post(f"/api/track/communications/{one.id}/manual-event", form)


def test_a_manual_event_carries_its_proof(admin: Client):
    (one,) = a_bill("LETTER")
    form = {"type": "HAND_DELIVERY", "note": "Signed", "proofFile": uploaded(a_pdf(), "s.pdf")}
    assert manual(admin, one, form).status_code == 201
    proof = Attachment.objects.get()
    event = events_of(one)[-1]
    assert event.type == "MANUAL_MARKED"
    assert event.payload_row.payload["proofSha256"] == proof.sha256
    assert AuditNote.objects.get().note == "Signed"
    assert status_of(one) == "MANUAL"


def test_a_manual_event_with_a_witness_keeps_the_delivery_record_by_the_same_event(admin: Client):
    email, letter = a_bill("EMAIL", "LETTER")
    form = {
        "type": "POSTAL_DELIVERY",
        "note": "In the box on the corner",
        "dispatchedAt": "2026-03-01T08:00:00Z",
        "witness": "Frau Beck",
        "proofFile": uploaded(a_pdf(), "s.pdf"),
    }
    assert manual(admin, email, form).status_code == 201
    kept = UnitDeliveryRecord.objects.get()
    assert (kept.method, kept.year, kept.witness) == ("POSTAL_DELIVERY", YEAR, "Frau Beck")
    assert kept.dispatched_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert kept.delivered_at is None
    assert kept.attachments.get() == Attachment.objects.get()
    # Of the message it was said of, not of the one by the record's channel.
    marked = events_of(email)[-1]
    assert marked.payload_row.payload["detail"]["recordId"] == str(kept.id)
    assert (status_of(email), status_of(letter)) == ("MANUAL", "PENDING")
    assert AuditNote.objects.get().note == "In the box on the corner"


@pytest.mark.parametrize(
    ("said", "dispatched"),
    [
        ({"dispatchedAt": "2026-03-01T08:00:00Z", "occurredAt": "2026-03-01T08:00:00Z"}, 1),
        ({"witness": "Frau Beck", "occurredAt": "2026-03-02T08:00:00Z"}, 2),
    ],
    ids=["day-of-dispatch", "witness"],
)
def test_a_letter_that_was_posted_is_not_recorded_as_delivered(
    admin: Client, said: dict[str, str], dispatched: int
):
    (one,) = a_bill("EMAIL")
    form = {"type": "POSTAL_DELIVERY", "note": "In the box on the corner", **said}
    assert manual(admin, one, form).status_code == 201
    kept = UnitDeliveryRecord.objects.get()
    assert kept.dispatched_at == datetime(2026, 3, dispatched, 8, tzinfo=UTC)
    assert kept.delivered_at is None
    assert events_of(one)[-1].occurred_at == kept.dispatched_at


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "RETURNED", "witness": "Frau Beck"},
        {"dispatchedAt": "2026-03-02T08:00:00Z", "occurredAt": "2026-03-01T08:00:00Z"},
        {"note": "  ", "witness": "Frau Beck"},
    ],
    ids=["returned", "arrived-before-it-left", "no-note"],
)
def test_a_manual_event_that_cannot_be_leaves_no_record(admin: Client, wrong: dict[str, str]):
    (one,) = a_bill("LETTER")
    assert manual(admin, one, {"type": "OTHER", "note": "x", **wrong}).status_code == 422
    assert not UnitDeliveryRecord.objects.exists()
    assert len(events_of(one)) == 1


def test_a_manual_event_is_taken_as_json_too_and_needs_a_note(admin: Client):
    (one,) = a_bill("LETTER")
    path = f"/api/track/communications/{one.id}/manual-event"
    body = {"type": "RETURNED", "note": "Came back", "occurredAt": "2026-03-01T08:00:00Z"}
    assert admin.post(path, json.dumps(body), "application/json").status_code == 201
    for bad in ({"type": "OTHER"}, {"type": "OTHER", "note": "  "}, {"note": "x", "type": "?"}):
        assert admin.post(path, json.dumps(bad), "application/json").status_code == 422
    assert admin.post(path, "{", "application/json").status_code == 400
    strange = {"type": "OTHER", "note": "x", "virus": uploaded(a_pdf())}
    assert manual(admin, one, strange).status_code == 422
    assert len(events_of(one)) == 2
