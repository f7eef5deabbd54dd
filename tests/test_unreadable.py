"""What cannot be read or kept is refused by a problem document, never a 500 or a page."""

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.api_client import api_client, places
from tests.communications.factories import a_bill
from trackcenter.communications.models import Communication
from trackcenter.kit.errors import InputError
from trackcenter.kit.pagination import decode_cursor, encode_cursor

pytestmark = pytest.mark.django_db

JSON = "application/json"
MANUAL = "/communications/{communication}/manual-event"
RECORD = "/units/{unit}/delivery-record"
CONTACT = ["contact", "email"]
SOME_ID = "506b7203-4a5a-4863-b938-6daf4fd9f48e"


@pytest.fixture
def api() -> Client:
    client = api_client()
    client.raise_request_exception = False  # a 500 is to be seen as such
    return client


def address(path: str, bill: Communication) -> str:
    names = {"communication": bill.id, "unit": bill.unit_id, "batch": bill.batch_id}
    return f"/api/track{path.format(**names)}"


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
@pytest.mark.parametrize(
    ("method", "path", "body", "place"),
    [
        ("POST", "/export", {"filters": {"search": ...}}, ["filters", "search"]),
        ("POST", MANUAL, {"type": "OTHER", "note": "n", "witness": ...}, ["witness"]),
        ("POST", MANUAL, {"type": "OTHER", "note": ...}, ["note"]),
        ("POST", RECORD, {"year": 2025, "method": "EMAIL", "witness": ...}, ["witness"]),
        ("POST", RECORD, {"year": 2025, "method": "EMAIL", "note": ...}, ["note"]),
        ("PUT", "/units/{unit}/legal-hold", {"reason": ...}, ["reason"]),
        ("POST", "/communications/{communication}/notes", {"note": ...}, ["note"]),
        ("POST", "/communications/{communication}/resend", {"note": ...}, ["note"]),
        ("POST", "/communications/{communication}/resend", {"contact": {"email": ...}}, CONTACT),
        ("POST", "/batches/{batch}/resend/dry-run", {"search": ...}, ["search"]),
    ],
)
def test_a_text_that_cannot_be_kept_is_refused_by_name(
    api: Client, method: str, path: str, body: dict[str, Any], place: list[str], text: str
) -> None:
    (bill,) = a_bill()
    words = json.dumps(body, default=lambda _: text)
    answer = api.generic(method, address(path, bill), words, JSON)
    assert answer.status_code == 422, answer.content
    assert places(answer.json()) == [["body", *place]]


@pytest.mark.parametrize("path", ["/tokens?username=", "/buildings?search="])
def test_a_question_that_nothing_can_match_is_refused_by_name(api: Client, path: str) -> None:
    answer = api.get(f"/api/track{path}%00x")
    assert answer.status_code == 422
    assert [place[0] for place in places(answer.json())] == ["query"]


def test_a_text_of_a_form_is_held_to_the_same(api: Client) -> None:
    (bill,) = a_bill()
    form = {"type": "OTHER", "note": "n", "witness": "a\x00"}
    answer = api.post(address(MANUAL, bill), form)
    assert places(answer.json()) == [["body", "witness"]]


def test_a_body_nested_too_deeply_is_a_bad_request(api: Client) -> None:
    (bill,) = a_bill()
    answer = api.post(address(MANUAL, bill), "[" * 100_000, JSON)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def forged(*words: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(words).encode()).decode()


@pytest.mark.parametrize(
    ("path", "cursor"),
    [
        ("/buildings", forged("\ud800", SOME_ID)),
        ("/buildings", forged("a\x00", SOME_ID)),
        ("/retention/report", forged("9999-12-31T23:59:59-10:00", "a", "b", "c")),
        ("/retention/report", forged("0001-01-01T00:00:00+10:00", "a", "b", "c")),
        ("/dead-letters", forged("9999-12-31T23:59:59-10:00", "1")),
        ("/dead-letters", forged("2026-01-01T00:00:00", "1")),
    ],
)
def test_a_forged_cursor_is_refused(api: Client, path: str, cursor: str) -> None:
    answer = api.get(f"/api/track{path}", {"cursor": cursor})
    assert answer.status_code == 422
    assert places(answer.json()) == [["query", "cursor"]]


def test_a_cursor_comes_back_as_it_went() -> None:
    key = ["Ä", uuid.uuid4(), datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC), 7]
    assert decode_cursor(encode_cursor(*key), str, uuid.UUID, datetime, int) == key
    with pytest.raises(InputError):
        decode_cursor(encode_cursor(*key), str, uuid.UUID)


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("/imports", b"--x\r\nfoo", "multipart/form-data"),
        (MANUAL, b"--x\r\nfoo", "multipart/form-data"),
        ("/imports", encode_multipart(BOUNDARY, {f"f{n}": "" for n in range(1001)}), None),
        (
            "/imports",
            encode_multipart(
                BOUNDARY, {f"f{n}": SimpleUploadedFile("a", b"a") for n in range(150)}
            ),
            None,
        ),
    ],
    ids=["no boundary", "no boundary of a form with JSON beside it", "fields", "files"],
)
def test_a_form_that_cannot_be_read_is_a_bad_request_in_words(
    api: Client, path: str, content: bytes, kind: str | None
) -> None:
    (bill,) = a_bill()
    answer = api.generic("POST", address(path, bill), content, kind or MULTIPART_CONTENT)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert "the form cannot be read" in answer.json()["detail"]


def test_a_host_that_is_not_ours_gets_a_problem_document_from_the_api_only(api: Client) -> None:
    answer = api.get("/api/track/buildings", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert "evil" not in answer.content.decode()
    assert api.get("/track", headers={"Host": "evil.example"}).status_code == 400
