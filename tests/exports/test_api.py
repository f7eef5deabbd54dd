import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from tests.communications.factories import a_building
from tests.exports.reading import a_bill, as_rows
from trackcenter.access.models import Role
from trackcenter.access.services import create_token, create_user
from trackcenter.buildings.models import Building
from trackcenter.exports.models import CommunicationExport
from trackcenter.exports.services import write_export

pytestmark = pytest.mark.django_db(transaction=True)

Visitor = Callable[..., Client]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> None:
    settings.STORAGE_URL = tmp_path.as_uri()


def visitor(username: str, *buildings: str, role: Role = Role.VIEWER) -> Client:
    create_user(username, role=role, buildings=buildings)
    return Client(headers={"Authorization": f"Bearer {create_token(username)[1]}"})


def ask(client: Client, **body: Any) -> Any:
    return client.post("/api/track/export", json.dumps(body), "application/json")


def finished(client: Client, **body: Any) -> dict[str, Any]:
    answer = ask(client, **body)
    assert answer.status_code == 202, answer.content
    write_export(answer.json()["id"])
    return client.get(f"/api/track/export/{answer.json()['id']}").json()


def test_an_export_is_asked_for_watched_and_fetched_without_a_session():
    admin = visitor("ada", role=Role.ADMIN)
    a_bill("EMAIL", "SMS", building="B1")
    answer = ask(admin, filters={"channel": "SMS"})
    assert answer.status_code == 202
    waiting = answer.json()
    assert (waiting["status"], waiting["progress"], waiting["url"]) == ("PENDING", 0, None)
    write_export(waiting["id"])
    ready = admin.get(f"/api/track/export/{waiting['id']}").json()
    assert (ready["status"], ready["progress"], ready["rowCount"]) == ("READY", 100, 1)
    assert ready["filters"] == {"channel": "SMS"}
    assert ready["requestedBy"]["username"] == "ada"
    assert ready["fileName"].startswith("track-center SMS 20")
    file = Client().get(ready["url"])
    assert file.status_code == 200
    assert file["Content-Type"] == "text/csv; charset=utf-8"
    assert file["Content-Disposition"].startswith("attachment")
    assert [row["channel"] for row in as_rows(file.getvalue())] == ["SMS"]


def test_a_workbook_can_be_asked_for():
    ready = finished(visitor("ada", role=Role.ADMIN), format="xlsx")
    assert ready["fileName"].endswith(".xlsx")
    assert Client().get(ready["url"]).getvalue().startswith(b"PK")


def test_a_viewer_exports_the_granted_buildings_and_no_other():
    a_bill("EMAIL", building="B1")
    a_bill("EMAIL", building="B2")
    victor = visitor("victor", "B1")
    ready = finished(victor)
    rows = as_rows(Client().get(ready["url"]).getvalue())
    assert [row["building"] for row in rows] == ["B1"]
    elsewhere = Building.objects.get(code="B2")
    assert ask(victor, filters={"buildingId": str(elsewhere.id)}).status_code == 404
    assert ask(victor, filters={"buildingId": str(uuid4())}).status_code == 404


def test_an_export_is_only_for_who_asked_and_for_who_sees_everything():
    for code in ("B1", "B2"):
        a_building(code)
    victor, vera = visitor("victor", "B1"), visitor("vera", "B1")
    admin = visitor("ada", role=Role.ADMIN)
    export = ask(victor).json()["id"]
    assert victor.get(f"/api/track/export/{export}").status_code == 200
    assert admin.get(f"/api/track/export/{export}").status_code == 200
    assert vera.get(f"/api/track/export/{export}").status_code == 404
    assert vera.get("/api/track/exports").json()["items"] == []
    # Somebody may see less than when they asked.
    CommunicationExport.objects.update(buildings=[Building.objects.get(code="B2").id])
    assert victor.get(f"/api/track/export/{export}").status_code == 404


def test_the_history_comes_newest_first_in_pages():
    admin = visitor("ada", role=Role.ADMIN)
    asked = [ask(admin, filters={"year": 2020 + n}).json()["id"] for n in range(5)]
    first = admin.get("/api/track/exports?limit=3").json()
    rest = admin.get(f"/api/track/exports?limit=3&cursor={first['nextCursor']}").json()
    assert [one["id"] for one in first["items"] + rest["items"]] == asked[::-1]
    assert rest["nextCursor"] is None
    assert admin.get("/api/track/exports?cursor=nonsense").status_code == 422


def test_an_expired_export_has_no_link():
    admin = visitor("ada", role=Role.ADMIN)
    ready = finished(admin)
    CommunicationExport.objects.update(expires_at="2020-01-01T00:00Z")
    assert admin.get(f"/api/track/export/{ready['id']}").json()["url"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"filters": {"channel": "PIGEON"}},
        {"filters": {"building": "B1"}},
        {"filters": {"year": 0}},
        {"format": "pdf"},
        {"filter": {}},
    ],
)
def test_what_is_no_filter_is_refused(body: dict[str, Any]):
    answer = ask(visitor("ada", role=Role.ADMIN), **body)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert not CommunicationExport.objects.exists()
