import hashlib
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from tests.communications.factories import an_admin
from tests.exports.reading import a_bill, as_rows
from trackcenter import storage
from trackcenter.exports import services
from trackcenter.exports.models import CommunicationExport
from trackcenter.exports.services import MAX_STARTS, NoSuchExport, request_export, write_export
from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id
from trackcenter.queue.retry import RetryAt

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.STORAGE_URL = (tmp_path / "files").as_uri()
    settings.DATA = tmp_path
    return tmp_path


def an_export(kind: str = "csv", **filters: Any) -> CommunicationExport:
    return request_export(an_admin(), filters, kind)


def jobs_of(export: CommunicationExport) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT task_name, queue_name FROM procrastinate_jobs WHERE args = %s::jsonb",
            [f'{{"exportId": "{export.id}"}}'],
        )
        return cursor.fetchall()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_ends_ready_with_its_file_counted_and_hashed(kind: str, folder: Path):
    a_bill("EMAIL", "SMS")
    export = an_export(kind)
    assert jobs_of(export) == [("write-export", "export")]
    write_export(export.id)
    export.refresh_from_db()
    content = storage.open(export.sha256)
    assert (export.status, export.progress, export.row_count) == ("READY", 100, 2)
    assert export.sha256 == export.storage_path == hashlib.sha256(content).hexdigest()
    assert export.size == len(content)
    assert export.expires_at - now() > timedelta(days=6)
    assert len(as_rows(content)) == {"csv": 2, "xlsx": 3}[kind]
    assert len(files_in(folder)) == 1


def test_the_job_that_comes_again_changes_nothing():
    export = an_export()
    write_export(export.id)
    export.refresh_from_db()
    a_bill("EMAIL")
    write_export(export.id)
    again = CommunicationExport.objects.get()
    assert again.row_count == 0
    assert again.finished_at == export.finished_at
    assert again.starts == 1


def test_two_workers_with_the_same_job_write_it_once(monkeypatch: pytest.MonkeyPatch):
    a_bill("EMAIL")
    export = an_export()
    writing, go_on = threading.Event(), threading.Event()
    real = services.csv_file

    def held(*arguments: Any) -> Iterator[bytes]:
        for chunk in real(*arguments):
            writing.set()
            assert go_on.wait(30)
            yield chunk

    monkeypatch.setattr(services, "csv_file", held)

    def work() -> None:
        write_export(export.id)
        connection.close()

    first = threading.Thread(target=work)
    first.start()
    assert writing.wait(30)
    with pytest.raises(RetryAt):
        write_export(export.id)
    go_on.set()
    first.join(30)
    write_export(export.id)
    export.refresh_from_db()
    assert (export.status, export.starts, export.row_count) == ("READY", 1, 1)


def test_a_run_that_was_given_up_writes_nothing_any_more(monkeypatch: pytest.MonkeyPatch):
    export = an_export()
    real = services.csv_file

    def overtaken(*arguments: Any) -> Iterator[bytes]:
        CommunicationExport.objects.update(claim=new_id())
        yield from real(*arguments)

    monkeypatch.setattr(services, "csv_file", overtaken)
    write_export(export.id)
    export.refresh_from_db()
    assert (export.status, export.sha256) == ("RUNNING", "")


def test_a_full_disk_is_a_failure_with_its_reason(folder: Path):
    export = an_export()
    (folder / "files").write_text("a file where the folder should be")
    write_export_to_nowhere(export)
    assert export.status == "FAILED"
    assert export.reason
    assert export.finished_at is not None


def write_export_to_nowhere(export: CommunicationExport) -> None:
    def broken(*arguments: Any, **options: Any) -> str:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services.storage, "save_stream", broken)
        write_export(export.id)
    export.refresh_from_db()


def test_a_database_that_goes_away_is_the_queue_s_to_repeat(monkeypatch: pytest.MonkeyPatch):
    a_bill("EMAIL")
    export = an_export()

    def cut_off(reading: Any, *arguments: Any) -> Iterator[bytes]:
        with reading._database.cursor() as cursor, connection.cursor() as killer:
            cursor.execute("SELECT pg_backend_pid()")
            killer.execute("SELECT pg_terminate_backend(%s)", cursor.fetchone())
        yield b"half a file"
        with reading._database.cursor() as cursor:
            cursor.execute("SELECT 1")

    with monkeypatch.context() as patch:
        patch.setattr(services, "csv_file", cut_off)
        with pytest.raises(OperationalError):
            write_export(export.id)
    export.refresh_from_db()
    assert export.status == "RUNNING"
    write_export(export.id)
    export.refresh_from_db()
    assert (export.status, export.starts, export.row_count) == ("READY", 2, 1)


def test_a_worker_that_always_dies_is_not_given_the_export_for_ever():
    export = an_export()
    CommunicationExport.objects.update(status="RUNNING", starts=MAX_STARTS)
    write_export(export.id)
    export.refresh_from_db()
    assert export.status == "FAILED"
    assert "5 times" in export.reason


def test_a_job_without_an_export_is_dead_at_once():
    with pytest.raises(NoSuchExport) as caught:
        write_export(new_id())
    assert caught.value.permanent
