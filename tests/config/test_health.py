import socket
import threading
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tests.access.people import Place, place
from tests.evidence.authority import running_authority
from trackcenter.access.models import Role, User
from trackcenter.communications.models import Attempt, BillingSnapshot, Communication
from trackcenter.communications.triggers import APPEND_ONLY_TABLES
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


@pytest.mark.parametrize(
    ("table", "what"),
    [
        *((table, "append-only rules") for table in APPEND_ONLY_TABLES),
        ("communications", "triggers that count"),
    ],
)
def test_the_doctor_sees_triggers_that_are_switched_off_or_gone(table: str, what: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            [table],
        )
        [name, *_] = [row[0] for row in cursor.fetchall()]
        for change in (f"DISABLE TRIGGER {name}", f"ENABLE REPLICA TRIGGER {name}"):
            cursor.execute(f"ALTER TABLE {table} {change}")
            assert switched_off() == [f"the {what} of {table} are switched off or gone"]
        cursor.execute(f"DROP TRIGGER {name} ON {table}")
    assert switched_off() == [f"the {what} of {table} are switched off or gone"]


def switched_off() -> list[str]:
    found = [one for one in doctor._database() if one.state == "fail"]
    assert all("audit verify" in one.mend for one in found)
    return [one.what for one in found]


def test_the_doctor_sees_jobs_that_no_worker_does() -> None:
    def said() -> list[str]:
        return [str(one) for one in doctor._workers()]

    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO procrastinate_jobs (queue_name, task_name, args, scheduled_at)
            VALUES ('email', 't', '{}', NULL), ('email', 't', '{}', now() - interval '1 minute'),
                   ('email', 't', '{}', now() + interval '1 hour')
            """
        )
        assert said() == []
        cursor.execute("UPDATE procrastinate_events SET at = now() - interval '14.5 minutes'")
        [told] = said()
        assert "no worker is at work: 1 jobs wait, the oldest for 14 minutes" in told
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')"
        )
        assert said() == [told], "a worker that died is none"
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
        assert said() == ["ok    1 worker is at work"]


def test_the_doctor_finds_a_lease_too_long_for_text_messages(settings: Settings) -> None:
    settings.LEASE_SECONDS = 120
    assert not list(doctor._workers())
    settings.LEASE_SECONDS = 999
    [told] = doctor._workers()
    assert (told.state, "to 120 or less" in told.mend) == ("warn", True)


def test_the_doctor_asks_the_virus_scanner(settings: Settings) -> None:
    assert not list(doctor._scanner())
    for answer, state in ((b"PONG\0", "ok"), (b"", "fail")):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=answer_ping, args=(listener, answer))
            thread.start()
            settings.CLAMD = f"127.0.0.1:{listener.getsockname()[1]}"
            [told] = doctor._scanner()
            thread.join(10)
        assert told.state == state
    [told] = doctor._scanner()
    assert "CLAMD" in told.mend, "nobody listens there any more"


def answer_ping(listener: socket.socket, answer: bytes) -> None:
    """Be a clamd that is asked once."""
    peer, _ = listener.accept()
    with peer:
        assert peer.recv(100) == b"zPING\0"
        peer.sendall(answer)


def test_the_doctor_asks_the_time_stamping_authority(settings: Settings) -> None:
    assert not list(doctor._time_stamps())
    for broken, state in ((False, "ok"), (True, "warn")):
        with running_authority(broken=broken) as url:
            settings.TIME_STAMP_URL = url
            [told] = doctor._time_stamps()
        assert told.state == state
    [told] = doctor._time_stamps()
    assert "no answer" in told.what


def test_the_doctor_sees_a_key_that_others_can_read(settings: Settings, tmp_path: Path) -> None:
    settings.DATA = tmp_path
    settings.STORAGE_URL = tmp_path.as_uri()
    (tmp_path / "keys").mkdir()
    key = tmp_path / "keys" / "secret_key"
    key.write_text("k", encoding="ascii")
    key.chmod(0o644)
    failed = [one for one in doctor.examine_installation() if one.state == "fail"]
    assert [one.mend for one in failed] == [f"chmod 600 {key}"]
