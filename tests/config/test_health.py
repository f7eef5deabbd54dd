from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tests.access.people import Place, place
from trackcenter.access.models import Role, User
from trackcenter.communications.models import Attempt, BillingSnapshot, Communication
from trackcenter.config import doctor, health
from trackcenter.exports.models import CommunicationExport
from trackcenter.kit.clock import now
from trackcenter.receipts.models import InboundReceipt

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


def test_probes_may_ask_by_any_address(settings: Settings, tmp_path: Path) -> None:
    settings.ALLOWED_HOSTS = [".example.org"]
    settings.STORAGE_URL = tmp_path.as_uri()
    for probe in ("/healthz", "/readyz", "/metrics"):
        assert Client(headers={"Host": "10.0.3.7:8000"}).get(probe).status_code == HTTPStatus.OK
    refused = Client(headers={"Host": "10.0.3.7:8000"}).get("/accounts/login/")
    assert refused.status_code == HTTPStatus.BAD_REQUEST


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


def a_communication(spot: Place) -> Communication:
    snapshot = BillingSnapshot.objects.create(
        batch=spot.batch, unit=spot.unit, version=1, row={}, sha256="0" * 64
    )
    return Communication.objects.create(
        batch=spot.batch,
        building=spot.building,
        unit=spot.unit,
        year=2024,
        channel="EMAIL",
        snapshot=snapshot,
        recipient_name="Secret Name",
        delivery_status="PENDING",
    )


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create(username="anna", role=Role.ADMIN)


@pytest.fixture
def fresh_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics counted anew at each question."""
    monkeypatch.setattr(health, "MEASURED_EVERY", 0.0)


def test_metrics_count_communications_and_jobs(fresh_figures: None) -> None:
    spot = place("HERE")
    a_communication(spot)
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


def test_metrics_tell_of_sends_receipts_and_exports(fresh_figures: None, admin: User) -> None:
    spot = place("HERE")
    communication = a_communication(spot)
    for number, outcome in enumerate(("ACCEPTED", "ACCEPTED", "FAILED", "OPEN")):
        Attempt.objects.create(
            communication=communication, number=number + 1, channel="EMAIL", outcome=outcome
        )
    long_ago = now() - timedelta(hours=2)
    for number, state in enumerate(("APPLIED", "PARKED", "PARKED", "NEW")):
        InboundReceipt.objects.create(
            origin="eventgrid-sms",
            dedupe_key=str(number),
            body=b"{}",
            state=state,
            received_at=long_ago,
        )
    CommunicationExport.objects.create(
        requested_by=admin, status="READY", created_at=long_ago, finished_at=now()
    )
    lines = Client().get("/metrics").content.decode().splitlines()
    figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert figures['trackcenter_sends_total{channel="EMAIL",outcome="ACCEPTED"}'] == "2"
    assert figures['trackcenter_sends_total{channel="EMAIL",outcome="FAILED"}'] == "1"
    receipts = 'trackcenter_receipts_{}{{origin="eventgrid-sms",state="{}"}}'
    assert figures[receipts.format("total", "APPLIED")] == "1"
    assert figures[receipts.format("waiting", "PARKED")] == "2"
    assert figures[receipts.format("waiting", "NEW")] == "1"
    assert float(figures["trackcenter_receipts_parked_oldest_seconds"]) > 7000
    assert figures['trackcenter_exports{status="READY"}'] == "1"
    assert float(figures["trackcenter_export_seconds_sum"]) > 7000
    assert figures["trackcenter_export_seconds_count"] == "1"
    kinds = [line.split()[2:] for line in lines if line.startswith("# TYPE")]
    assert all(kind == "counter" for name, kind in kinds if name.endswith("_total"))


def test_figures_are_counted_once_in_a_while_however_often_one_asks() -> None:
    Client().get("/metrics")
    with CaptureQueriesContext(connection) as asked:
        assert Client().get("/metrics").status_code == HTTPStatus.OK
    assert not asked.captured_queries


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
