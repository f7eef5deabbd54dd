"""Templates of a building through the API: saved, refused in words, previewed, estimated."""

import io
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image
from pytest_django import Settings

from tests.api_client import api_client, get, places, post
from tests.communications.factories import YEAR, a_bill, a_building
from trackcenter import storage
from trackcenter.access.models import AccessRecord, Role
from trackcenter.channels.documents.reading import opened, pages_of
from trackcenter.channels.snapshot import Snapshot
from trackcenter.config.environment import Price
from trackcenter.delivery.branding import estimate as estimating
from trackcenter.delivery.branding.models import PreviewFile
from trackcenter.delivery.branding.selectors import (
    logo_for,
    sender_for,
    sms_wording_for,
    wording_for,
)
from trackcenter.delivery.tasks import forget_previews
from trackcenter.kit.clock import now
from trackcenter.storage.links import PREFIX, read_link

pytestmark = pytest.mark.django_db

ADDRESS: dict[str, Any] = {
    "timeZone": "Europe/Berlin",
    "street": "Hauptstr. 5",
    "postcode": "10115",
    "city": "Berlin",
}
OWN: dict[str, Any] = {
    "sender": {
        "name": "Genossenschaft Süd",
        "address": "Südweg 1\n80331 München",
        "replyTo": "fragen@sued.example.org",
        "phone": "+49 89 1234567",
        "payee": "Genossenschaft Süd eG",
    },
    "templates": {
        "en": {
            "subject": "Bill {{ year }} for {{ unit }}",
            "greeting": "Hello {{ recipient }}!",
            "intro": "Here is your bill.",
            "closing": "All the best",
            "smsText": "{{ sender_name }}: {{ place }}, {{ year }}",
        }
    },
}


@pytest.fixture
def admin() -> Client:
    return api_client()


def templates_of(building: Any) -> str:
    return f"/buildings/{building.id}/templates"


def put(client: Client, path: str, body: Any, *, expect: int = 200) -> Any:
    answer = client.put(f"/api/track{path}", body, "application/json")
    assert answer.status_code == expect, answer.content
    return answer.json()


def put_logo(client: Client, building: Any, content: bytes, *, expect: int = 200) -> Any:
    file = io.BytesIO(content)
    file.name = "logo"
    answer = client.put(
        f"/api/track/buildings/{building.id}/logo",
        encode_multipart(BOUNDARY, {"file": file}),
        MULTIPART_CONTENT,
    )
    assert answer.status_code == expect, answer.content
    return answer.json()


def a_png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 20), "navy").save(file, "PNG")
    return file.getvalue()


def stored(url: str) -> bytes:
    return storage.open(read_link(url.removeprefix(PREFIX)).sha256)


def previewed(client: Client, url: str) -> bytes:
    answer = client.get(url)
    assert answer.status_code == 200
    return bytes(answer.content)


def words_of(pdf: bytes) -> str:
    with opened(pdf) as document:
        return " ".join(page.everything() for page in pages_of(document))


def test_a_building_without_templates_shows_what_applies(admin: Client, settings: Settings) -> None:
    settings.SENDER_NAME = settings.PAYEE_NAME = "Landlord"
    shown = get(admin, templates_of(a_building()))
    assert shown["sender"] == dict.fromkeys(("name", "address", "replyTo", "phone", "payee"))
    assert shown["installation"]["name"] == "Landlord"
    assert shown["logo"] is shown["updatedAt"] is shown["updatedBy"] is None
    assert set(shown["languages"]) == {"de", "en"}
    english = shown["languages"]["en"]
    assert set(english["texts"].values()) == {None}
    assert english["builtIn"]["email"]["greeting"] == "Dear {{ recipient }},"
    assert "{{ place }}" in english["builtIn"]["smsText"]
    variables = {one["name"]: one for one in english["variables"]}
    assert variables["year"]["always"]
    assert not variables["due_date"]["always"]
    assert variables["unit"]["example"] == "Unit 12"
    assert shown["limits"]["smsText"] > 0


def test_what_is_saved_is_what_messages_are_made_of(admin: Client) -> None:
    building = a_building()
    shown = put(admin, templates_of(building), OWN)
    assert shown == get(admin, templates_of(building)) | {"updatedAt": shown["updatedAt"]}
    assert shown["sender"] == OWN["sender"]
    assert shown["languages"]["en"]["texts"] == OWN["templates"]["en"]
    assert shown["updatedBy"]["username"] == "ada"
    snapshot = Snapshot.from_row(a_bill()[0].snapshot.row)
    sender = sender_for(snapshot, building.id)
    assert (sender.name, sender.reply_to) == ("Genossenschaft Süd", "fragen@sued.example.org")
    assert sender.payee == "Genossenschaft Süd eG"
    assert wording_for(building.id, "en")["closing"] == "All the best"
    assert set(sms_wording_for(building.id, "en")) == {"text"}
    assert wording_for(building.id, "de") == sms_wording_for(building.id, "de") == {}


def test_a_bill_s_own_payee_comes_first_and_the_sender_last(settings: Settings) -> None:
    settings.SENDER_NAME = settings.PAYEE_NAME = "Landlord"
    building = a_building()
    (one,) = a_bill()
    nobody = Snapshot.from_row(one.snapshot.row)
    named = Snapshot.from_row(one.snapshot.row | {"payee": "The Bank"})
    assert sender_for(named, building.id).payee == "The Bank"
    assert sender_for(nobody, building.id).payee == "Landlord"
    put(api_client(), templates_of(building), {"sender": {"name": "Own House"}})
    assert sender_for(nobody, building.id).payee == "Own House"
    settings.PAYEE_NAME = "Treasury"
    assert sender_for(nobody, building.id).payee == "Treasury"


def test_what_a_put_does_not_name_stays_and_what_it_empties_goes(admin: Client) -> None:
    building = a_building()
    put(admin, templates_of(building), OWN)
    shown = put(admin, templates_of(building), {"sender": {"name": "Other"}})
    assert shown["sender"]["name"] == "Other"
    assert shown["sender"]["replyTo"] is None
    assert shown["languages"]["en"]["texts"]["closing"] == "All the best"
    shown = put(
        admin, templates_of(building), {"templates": {"en": {"closing": "", "intro": "Hi."}}}
    )
    assert shown["sender"]["name"] == "Other"
    assert shown["languages"]["en"]["texts"]["closing"] is None
    assert shown["languages"]["en"]["texts"]["intro"] == "Hi."
    shown = put(admin, templates_of(building), {"templates": {}})
    assert set(shown["languages"]["en"]["texts"].values()) == {None}


def test_faulty_texts_are_refused_by_field_and_nothing_is_saved(admin: Client) -> None:
    building = a_building()
    faulty = {
        "sender": {"name": "New"},
        "templates": {
            "de": {"subject": "{{ jahr }}", "greeting": "{{ recipient", "intro": "fine"},
            "en": {"smsText": "x" * 2000, "closing": "☃\U0010ffff"},
        },
    }
    problem = put(admin, templates_of(building), faulty, expect=422)
    assert places(problem) == [
        ["body", "templates", "de", "subject"],
        ["body", "templates", "de", "greeting"],
        ["body", "templates", "en", "smsText"],
    ]
    assert "there is no {{ jahr }}" in problem["errors"][0]["msg"]
    assert "recipient" in problem["errors"][0]["msg"]
    assert get(admin, templates_of(building))["sender"]["name"] is None


def test_a_text_that_no_font_can_print_is_refused(admin: Client) -> None:
    problem = put(
        admin,
        templates_of(a_building()),
        {"templates": {"en": {"greeting": "Hello", "closing": "Bye \U0010fffd"}}},
        expect=422,
    )
    assert places(problem) == [["body", "templates", "en", "closing"]]
    assert "U+10FFFD" in problem["errors"][0]["msg"]


@pytest.mark.parametrize(
    ("sender", "field"),
    [
        ({"replyTo": "nobody"}, "replyTo"),
        ({"phone": "call me"}, "phone"),
        ({"name": "A\nB"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"address": "1,2,3,4,5,6,7"}, "address"),
        ({"fax": "1"}, "fax"),
    ],
)
def test_a_faulty_sender_is_refused(admin: Client, sender: Any, field: str) -> None:
    problem = put(admin, templates_of(a_building()), {"sender": sender}, expect=422)
    assert places(problem) == [["body", "sender", field]]


def test_an_unknown_language_is_refused(admin: Client) -> None:
    problem = put(admin, templates_of(a_building()), {"templates": {"fr": {}}}, expect=422)
    assert places(problem) == [["body", "templates", "fr"]]


def test_a_logo_is_kept_shown_and_removed(admin: Client) -> None:
    building = a_building()
    shown = put_logo(admin, building, a_png())
    assert (shown["logo"]["contentType"], shown["logo"]["size"]) == ("image/png", len(a_png()))
    assert logo_for(building.id) == stored(shown["logo"]["url"]) == a_png()
    answer = admin.get(shown["logo"]["url"])
    assert answer.headers["Content-Type"] == "image/png"
    put(admin, templates_of(building), OWN)
    assert get(admin, templates_of(building))["logo"] is not None
    for _ in range(2):
        answer = admin.delete(f"/api/track/buildings/{building.id}/logo")
        assert answer.status_code == 200
        assert answer.json()["logo"] is None
    assert logo_for(building.id) is None
    assert answer.json()["sender"]["name"] == "Genossenschaft Süd"


def test_a_drawing_loses_what_its_editor_noted(admin: Client) -> None:
    svg = (
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><note xmlns="urn:e">me</note>'
        b'<path d="M0 0h4v4z"/></svg>'
    )
    shown = put_logo(admin, a_building(), svg)
    assert shown["logo"]["contentType"] == "image/svg+xml"
    assert b"note" not in stored(shown["logo"]["url"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GIF89a", "no PNG, JPEG or SVG"),
        (b"", "no PNG, JPEG or SVG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "script"),
        (b"\x89PNG" + b"x" * 600_000, "512 KB"),
        (b"x" * 2_000_000, "512 KB"),
    ],
)
def test_what_is_no_logo_is_refused(admin: Client, content: bytes, words: str) -> None:
    problem = put_logo(admin, a_building(), content, expect=422)
    assert places(problem) == [["body", "file"]]
    assert words in problem["errors"][0]["msg"]


def test_a_logo_comes_as_a_form(admin: Client) -> None:
    path = f"/buildings/{a_building().id}/logo"
    put(admin, path, {}, expect=422)
    answer = admin.put(f"/api/track{path}", b"x", "multipart/form-data")
    assert answer.status_code == 422
    answer = admin.put(
        f"/api/track{path}", encode_multipart(BOUNDARY, {"other": "1"}), MULTIPART_CONTENT
    )
    assert places(answer.json()) == [["body", "file"]]


def test_an_email_is_previewed_with_its_statement(admin: Client) -> None:
    put(admin, templates_of(a_building()), OWN)
    (one,) = a_bill(**ADDRESS)
    shown = post(admin, "/templates/preview", {"communicationId": str(one.id)}, expect=200)
    assert (shown["channel"], shown["language"], shown["year"]) == ("EMAIL", "en", YEAR)
    assert shown["communicationId"] == str(one.id)
    assert shown["recipient"] == "resident.1@example.org"
    assert shown["subject"] == "Bill 2025 for Unit 1"
    assert shown["text"].startswith("Hello Resident 1!")
    assert "All the best\nGenossenschaft Süd" in shown["text"]
    assert "Hello Resident 1!" in previewed(admin, shown["htmlUrl"]).decode()
    assert shown["sms"] is None
    words = words_of(previewed(admin, shown["pdfUrl"]))
    assert "Genossenschaft Süd" in words
    assert shown["documentCode"] in words
    one.refresh_from_db()
    assert one.delivery_status == "PENDING"
    assert not one.attempts.exists()
    assert AccessRecord.objects.filter(subject_id=one.id, act="COMMUNICATION_READ").exists()


def test_a_preview_leaves_nothing_in_storage_and_is_forgotten(
    admin: Client, tmp_path: Path, settings: Settings
) -> None:
    settings.STORAGE_URL = tmp_path.as_uri()
    (one,) = a_bill(**ADDRESS)
    wanted = {"communicationId": str(one.id)}
    first = post(admin, "/templates/preview", wanted, expect=200)
    page = Client().get(first["htmlUrl"])  # the link is the permission
    assert page.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert Client().get(first["pdfUrl"]).content.startswith(b"%PDF")
    assert Client().get(first["pdfUrl"][:-1]).status_code == 403
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []
    PreviewFile.objects.update(created_at=now() - timedelta(minutes=61))
    forget_previews()
    assert not PreviewFile.objects.exists()
    assert Client().get(first["pdfUrl"]).status_code == 410


def test_unsaved_texts_are_previewed_and_not_saved(admin: Client) -> None:
    (one,) = a_bill()
    shown = post(
        admin,
        "/templates/preview",
        {
            "communicationId": str(one.id),
            "language": "de",
            "sender": {"name": "Probe"},
            "templates": {"de": {"greeting": "Moin {{ recipient }}"}},
        },
        expect=200,
    )
    assert shown["language"] == "de"
    assert shown["text"].startswith("Moin Resident 1")
    assert "Probe" in shown["text"]
    assert get(admin, templates_of(one.building))["updatedAt"] is None
    problem = post(
        admin,
        "/templates/preview",
        {"communicationId": str(one.id), "templates": {"en": {"subject": "{{ no }}"}}},
        expect=422,
    )
    assert places(problem) == [["body", "templates", "en", "subject"]]


def test_an_sms_is_previewed_with_its_segments_and_price(admin: Client, settings: Settings) -> None:
    settings.SMS_SEGMENT_PRICE = Price(Decimal("0.075"), "EUR")
    (one,) = a_bill("SMS")
    shown = post(admin, "/templates/preview", {"communicationId": str(one.id)}, expect=200)
    sms = shown["sms"]
    assert sms["text"].startswith("Track Center: service-charge statement 2025")
    assert (sms["encoding"], sms["segments"]) == ("GSM-7", 1)
    assert sms["characters"] == len(sms["text"])
    assert sms["costHint"] == {"amount": "0.075", "currency": "EUR"}
    assert shown["subject"] is shown["htmlUrl"] is shown["pdfUrl"] is None


def test_a_letter_is_previewed_for_a_unit_and_year_and_uses_no_number(admin: Client) -> None:
    (one,) = a_bill("LETTER_WITH_RECEIPT", **ADDRESS)
    wanted = {"unitId": str(one.unit_id), "year": YEAR, "channel": "LETTER_WITH_RECEIPT"}
    shown = post(admin, "/templates/preview", wanted, expect=200)
    assert shown["recipient"].splitlines() == ["Resident 1", "Hauptstr. 5", "10115 Berlin"]
    assert "Resident 1" in words_of(previewed(admin, shown["pdfUrl"]))
    assert shown["pages"] == 1
    assert shown["htmlUrl"] is shown["text"] is None


def test_what_could_not_be_sent_says_why(admin: Client) -> None:
    (one,) = a_bill("LETTER")
    problem = post(admin, "/templates/preview", {"communicationId": str(one.id)}, expect=422)
    assert problem["errors"] == [{"loc": ["body"], "msg": "there is no postal address"}]


def test_a_building_without_bills_shows_a_sample(admin: Client) -> None:
    building = a_building("NEW", address="Newstreet 1")
    shown = post(
        admin,
        "/templates/preview",
        {"buildingId": str(building.id), "channel": "LETTER", "language": "en"},
        expect=200,
    )
    assert shown["unitId"] is None
    assert "NEW" in words_of(previewed(admin, shown["pdfUrl"]))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"unitId": "018f0000-0000-7000-8000-000000000000"},
        {"buildingId": "x"},
        {"buildingId": "018f0000-0000-7000-8000-000000000000", "channel": "FAX"},
    ],
)
def test_a_preview_needs_to_know_of_what(admin: Client, body: Any) -> None:
    post(admin, "/templates/preview", body, expect=422)


def test_a_viewer_previews_only_granted_buildings() -> None:
    (here,) = a_bill()
    (elsewhere,) = a_bill(building="B2")
    viewer = api_client("victor", role=Role.VIEWER, buildings=["B1"])
    post(viewer, "/templates/preview", {"communicationId": str(here.id)}, expect=200)
    for body in (
        {"communicationId": str(elsewhere.id)},
        {"buildingId": str(elsewhere.building_id)},
        {"unitId": str(elsewhere.unit_id), "year": YEAR},
    ):
        post(viewer, "/templates/preview", body, expect=404)


def test_an_estimate_counts_segments_of_what_is_pending(admin: Client, settings: Settings) -> None:
    settings.SMS_SEGMENT_PRICE = Price(Decimal("0.075"), "EUR")
    for number in range(1, 15):
        a_bill("SMS", "EMAIL", unit=str(number), language="en")
    (odd, _) = a_bill("SMS", "EMAIL", unit="99", buildingName="Дом 1", iban="DE1" * 30)
    shown = get(admin, f"/batches/{odd.batch_id}/estimate")
    assert shown["channels"]["EMAIL"] == {"pending": 15, "sms": None}
    sms = shown["channels"]["SMS"]
    assert sms["pending"] == 15
    assert (sms["sms"]["gsm7"], sms["sms"]["ucs2"], sms["sms"]["exact"]) == (14, 1, True)
    assert sms["sms"]["mostSegments"] > 1
    assert sms["sms"]["segments"] == 14 + sms["sms"]["mostSegments"]
    price = Decimal("0.075") * sms["sms"]["segments"]
    assert Decimal(sms["sms"]["costHint"]["amount"]) == round(price, 2)
    only = get(admin, f"/batches/{odd.batch_id}/estimate", channel=["EMAIL"])
    assert list(only["channels"]) == ["EMAIL"]
    get(admin, f"/batches/{odd.batch_id}/estimate", channel=["FAX"], expect=422)


def test_a_large_batch_is_reckoned_up_from_a_sample(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimating, "MOST", 4)
    for number in range(1, 11):
        (one,) = a_bill("SMS", unit=str(number))
    sms = get(admin, f"/batches/{one.batch_id}/estimate")["channels"]["SMS"]["sms"]
    assert (sms["counted"], sms["exact"], sms["segments"]) == (4, False, 10)
    assert sms["costHint"] is None
