import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.api_client import places
from tests.imports.files import a_row, as_csv, as_json, as_xlsx
from trackcenter.access.models import Role
from trackcenter.access.services import create_token
from trackcenter.communications.models import Batch, Communication, Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    _, secret = create_token("ada", role=Role.ADMIN)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def post(client: Client, content: bytes, name: str = "bills.csv", **form: Any) -> Any:
    return client.post("/api/track/imports", {"file": SimpleUploadedFile(name, content), **form})


@pytest.mark.parametrize("made", [as_csv, as_xlsx, as_json])
def test_a_file_of_each_kind_is_imported(admin, made):
    answer = post(admin, made(a_row(), a_row(unit="2")))
    assert answer.status_code == 201
    assert answer.json() == {
        "batches": 1,
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "batchIds": [str(Batch.objects.get().pk)],
        "dryRun": False,
    }
    assert Communication.objects.count() == 2


def test_a_large_upload_is_imported_from_disk(admin, settings):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1
    assert post(admin, as_csv(a_row())).status_code == 201
    assert post(admin, as_xlsx(a_row())).json()["unchanged"] == 1


def test_the_events_name_who_uploaded_which_file(admin):
    post(admin, as_csv(a_row()), name="../nebenkosten 2025.csv")
    event = Event.objects.select_related("payload_row", "user").get()
    assert event.user.username == "ada"
    assert event.payload_row.payload["fileName"] == "nebenkosten 2025.csv"


def test_a_dry_run_writes_nothing(admin):
    answer = post(admin, as_csv(a_row()), dryRun="true")
    assert answer.status_code == 201
    assert answer.json()["created"] == 1
    assert answer.json()["dryRun"] is True
    assert not Communication.objects.exists()


def test_every_bad_row_comes_back_with_its_column_and_reason(admin):
    answer = post(admin, as_csv(a_row(year="25"), a_row(unit="2"), a_row(unit="3", email="x@")))
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    year, email = json.loads(answer.content)["errors"]
    assert [year["loc"], email["loc"]] == [["row", 2, "year"], ["row", 4, "email"]]
    assert year["msg"] == "'25' is no year between 1900 and 2200"
    assert year["code"] == "noYear"
    assert year["values"] == {"text": "25", "first": 1900, "last": 2200}
    assert not Communication.objects.exists()


def test_a_form_without_a_file_is_a_bad_request_in_words(admin):
    answer = admin.post("/api/track/imports", {"dryRun": "true"})
    assert answer.status_code == 422
    assert "file" in json.dumps(json.loads(answer.content)["errors"])


@pytest.mark.parametrize("name", ["dry_run", "dryrun", "DryRun", "dry-run", "channels"])
def test_a_field_that_nobody_knows_is_refused_by_name(admin, name):
    answer = post(admin, as_csv(a_row()), **{name: "true"})
    assert answer.status_code == 422
    assert places(answer.json()) == [["body", name]]
    assert not Communication.objects.exists()


@pytest.mark.parametrize(
    ("form", "place"),
    [
        ({"file": ["one", "two"]}, "file"),
        ({"file": ["one"], "second": ["two"]}, "second"),
        ({"file": ["one"], "dryRun": ["three"]}, "dryRun"),
    ],
)
def test_a_second_file_is_refused_instead_of_left_unread(admin, form, place):
    rows = {"one": a_row(), "two": a_row(unit="2"), "three": a_row(unit="3")}
    sent = {
        field: [SimpleUploadedFile(f"{name}.csv", as_csv(rows[name])) for name in names]
        for field, names in form.items()
    }
    answer = admin.post("/api/track/imports", sent)
    assert answer.status_code == 422
    assert places(answer.json()) == [["body", place]]
    assert not Communication.objects.exists()


def test_a_rehearsal_that_is_also_none_is_refused(admin):
    answer = post(admin, as_csv(a_row()), dryRun=["true", "false"])
    assert places(answer.json()) == [["body", "dryRun"]]
    assert not Communication.objects.exists()


def test_a_viewer_does_not_import():
    _, secret = create_token("vera", role=Role.VIEWER)
    answer = post(Client(headers={"Authorization": f"Bearer {secret}"}), as_csv(a_row()))
    assert answer.status_code == 403
