import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from tests.communications.factories import YEAR, a_bill, a_building, an_admin
from trackcenter.access.models import Role
from trackcenter.access.services import create_token, create_user
from trackcenter.communications.models import Attachment, Batch, Communication
from trackcenter.kit.errors import NotFound
from trackcenter.retention import services
from trackcenter.retention.command import hold_command, retention_lines
from trackcenter.retention.models import LegalHold, RetentionDecision

pytestmark = pytest.mark.django_db

LATE = datetime(2040, 1, 1, tzinfo=UTC)


def a_completed_bill(code: str = "B1", *, unit: str = "1", year: int = YEAR) -> Communication:
    (one,) = a_bill("EMAIL", unit=unit, building=code, year=year)
    Batch.objects.filter(id=one.batch_id).update(
        retention_hint="P10Y",
        retention_hint_attachments="P3Y",
        completed_at=datetime(2026, 2, 28, 23, 30, tzinfo=UTC),
    )
    return one


@pytest.fixture
def admin() -> Client:
    _, secret = create_token("ada", role=Role.ADMIN)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def report(client: Client, **query: Any) -> Any:
    answer = client.get("/api/track/retention/report", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def told(answer: Any) -> list[tuple[str, str, str]]:
    return [(item["content"], item["decision"], item["dueAt"][:10]) for item in answer["items"]]


def test_the_report_says_what_would_be_purged_when_and_why(admin: Client):
    a_building("B1", time_zone="Europe/Berlin")
    a_completed_bill()
    answer = report(admin, on="2030-01-01")
    # Completed on 1 March in Berlin; midnight there is 23:00 in UTC.
    assert told(answer) == [
        ("ATTACHMENTS", "PURGE", "2029-03-01"),
        ("BODIES", "KEEP", "2036-03-01"),
    ]
    assert answer["items"][0]["why"] == "P3Y from 2026-03-01 ended on 2029-03-01"
    assert answer["items"][0]["communications"] == 1
    assert answer["counts"] == {"keep": 1, "archive": 0, "purge": 1}
    assert answer["on"] == "2030-01-01"
    assert told(report(admin, on="2029-03-01"))[0][1] == "KEEP"
    assert told(report(admin, on="2029-03-02"))[0][1] == "PURGE"


def test_a_held_unit_is_archived_apart_from_its_batch(admin: Client):
    one = a_completed_bill()
    a_completed_bill_of_unit_2 = a_bill("EMAIL", unit="2")[0]
    path = f"/api/track/units/{one.unit_id}/legal-hold"
    answer = admin.put(path, json.dumps({"reason": "lawsuit"}), "application/json")
    assert answer.status_code == 200
    assert answer.json()["legalHold"]["reason"] == "lawsuit"
    assert admin.put(path, json.dumps({"reason": "x"}), "application/json").status_code == 409
    archived = report(admin, on="2030-01-01", decision="ARCHIVE")["items"]
    assert [(item["unit"]["number"], item["content"]) for item in archived] == [
        ("1", "ATTACHMENTS")
    ]
    assert "lawsuit" in archived[0]["why"]
    assert admin.delete(path).json()["legalHold"] is None
    assert admin.delete(path).status_code == 404
    assert report(admin, on="2030-01-01", decision="ARCHIVE")["items"] == []
    # It stays on record who held it, and who let go.
    hold = LegalHold.objects.get()
    assert hold.lifted_by == hold.placed_by
    assert a_completed_bill_of_unit_2.unit_id != one.unit_id


def test_a_viewer_sees_only_the_granted_buildings(admin: Client):
    a_completed_bill("B1")
    a_completed_bill("B2")
    create_user("vera", role=Role.VIEWER, buildings=["B2"])
    vera = Client(headers={"Authorization": f"Bearer {create_token('vera')[1]}"})
    assert {item["building"]["code"] for item in report(vera)["items"]} == {"B2"}
    assert len(report(admin)["items"]) == 4


def test_the_report_comes_in_pages_soonest_first(admin: Client):
    for year in range(2020, 2025):
        a_completed_bill(year=year)
    whole = report(admin)["items"]
    paged: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = report(admin, limit=3, **cursor)
        paged += page["items"]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert paged == whole
    assert [item["dueAt"] for item in whole] == sorted(item["dueAt"] for item in whole)


def test_the_nightly_run_writes_what_changed_and_deletes_nothing():
    one = a_completed_bill()
    Attachment.objects.create(
        communication=one,
        kind="STATEMENT",
        file_name="a.pdf",
        content_type="application/pdf",
        size=1,
        sha256="0" * 64,
    )
    assert services.decide_all(datetime(2026, 3, 2, tzinfo=UTC)) == 2
    assert services.decide_all(datetime(2026, 3, 3, tzinfo=UTC)) == 0
    services.place_hold(an_admin(), one.unit_id, "lawsuit")
    assert services.decide_all(LATE) == 4
    decisions = RetentionDecision.objects.order_by("id")
    assert sorted(
        (row.content, row.decision, row.unit_id is not None) for row in decisions[2:]
    ) == [
        ("ATTACHMENTS", "ARCHIVE", True),
        ("ATTACHMENTS", "PURGE", False),
        ("BODIES", "ARCHIVE", True),
        ("BODIES", "PURGE", False),
    ]
    assert all(row.why and row.due_at for row in decisions)
    assert Communication.objects.count() == Attachment.objects.count() == 1


def test_the_command_is_a_dry_run_for_any_day():
    a_completed_bill()
    lines = list(retention_lines(date(2030, 1, 1)))
    assert len(lines) == 3
    assert lines[-1] == "On 2030-01-01: 1 keep, 0 archive, 1 purge. Nothing was deleted."
    assert any(line.startswith("PURGE   2029-03-") and "attachments" in line for line in lines)
    assert not RetentionDecision.objects.exists()


def test_the_command_line_places_and_lifts_holds():
    a_completed_bill()
    an_admin("anna")
    where = {"building": "B1", "unit": "1", "username": "anna"}
    assert "under a legal hold" in hold_command(**where, reason="lawsuit")
    assert LegalHold.objects.get().placed_by.username == "anna"
    assert "lifted" in hold_command(**where, reason=None)
    with pytest.raises(NotFound):
        hold_command(**(where | {"unit": "9"}), reason="x")
