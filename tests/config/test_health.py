from http import HTTPStatus
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from tests.access.people import place
from trackcenter.communications.models import BillingSnapshot, Communication
from trackcenter.config import doctor

pytestmark = pytest.mark.django_db


def test_it_is_alive_and_ready(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGE_URL = (tmp_path / "made" / "on first use").as_uri()
    assert Client().get("/healthz").content == b"ok\n"
    response = Client().get("/readyz")
    assert response.status_code == HTTPStatus.OK
    assert response.json() == {
        "status": "ready",
        "checks": {"database": "ok", "queue": "ok", "storage": "ok"},
    }


def test_what_is_not_ready_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    settings.STORAGE_URL = (tmp_path / "file" / "below").as_uri()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE procrastinate_jobs RENAME TO jobs_elsewhere")
        cursor.execute("SAVEPOINT before_the_question")
    response = Client().get("/readyz")
    assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    checks = response.json()["checks"]
    assert checks["database"] == "ok"
    assert "queue" in checks["queue"]
    assert "cannot be written" in checks["storage"]


def test_metrics_count_communications_and_jobs() -> None:
    spot = place("HERE")
    snapshot = BillingSnapshot.objects.create(
        batch=spot.batch, unit=spot.unit, version=1, row={}, sha256="0" * 64
    )
    Communication.objects.create(
        batch=spot.batch,
        building=spot.building,
        unit=spot.unit,
        year=2024,
        channel="EMAIL",
        snapshot=snapshot,
        recipient_name="Secret Name",
        delivery_status="PENDING",
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO procrastinate_jobs (queue_name, task_name, args)
            VALUES ('email', 't', '{}')
            """
        )
    response = Client().get("/metrics")
    lines = response.content.decode().splitlines()
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'trackcenter_communications{status="PENDING"} 1' in lines
    assert 'trackcenter_communications{status="FAILED"} 0' in lines
    assert 'trackcenter_queue_jobs{queue="email",state="todo"} 1' in lines
    assert any(
        line.startswith('trackcenter_queue_oldest_seconds{queue="email"} ') for line in lines
    )
    assert "Secret Name" not in response.content.decode()


def test_the_doctor_says_how_to_mend() -> None:
    [finding] = doctor.examine_environment({"TRACKCENTER_QEUE": "postgres"})
    assert finding.state == "fail"
    assert "TRACKCENTER_QUEUE" in str(finding)
    assert doctor.exit_code([finding]) == 1


def test_the_doctor_finds_this_installation_usable(settings: Settings, tmp_path: Path) -> None:
    settings.DATA = tmp_path
    settings.STORAGE_URL = tmp_path.as_uri()
    findings = doctor.examine_installation()
    assert doctor.exit_code(findings) == 0, "\n".join(map(str, findings))
    told = {finding.what: finding for finding in findings}
    assert "createadmin" in told["nobody can administer"].mend
    assert told["tables are up to date; events are append-only"].state == "ok"


def test_the_doctor_sees_that_events_could_be_changed() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE communication_events DISABLE TRIGGER USER")
    findings = doctor.examine_installation()
    failed = [finding for finding in findings if finding.state == "fail"]
    assert [finding.what for finding in failed] == [
        "the append-only rules of the events are switched off"
    ]


def test_the_doctor_sees_a_key_that_others_can_read(settings: Settings, tmp_path: Path) -> None:
    settings.DATA = tmp_path
    settings.STORAGE_URL = tmp_path.as_uri()
    (tmp_path / "keys").mkdir()
    key = tmp_path / "keys" / "secret_key"
    key.write_text("k", encoding="ascii")
    key.chmod(0o644)
    failed = [one for one in doctor.examine_installation() if one.state == "fail"]
    assert [one.mend for one in failed] == [f"chmod 600 {key}"]
