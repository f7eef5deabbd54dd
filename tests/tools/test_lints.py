"""The house rules notice what they forbid and leave alone what is allowed."""

from pathlib import Path

import pytest

from tools.lints import check_source, check_tree

SRC = "src/trackcenter"


def messages(path: str, source: str) -> list[str]:
    return [finding.message for finding in check_source(path, source)]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (f"{SRC}/kit/ids.py", "from trackcenter.storage import save"),
        (f"{SRC}/buildings/models.py", "import trackcenter.communications.models"),
        (f"{SRC}/communications/events.py", "from ..delivery.tasks import deliver"),
        (f"{SRC}/channels/sms.py", "from trackcenter import providers"),
        (f"{SRC}/delivery/worker.py", "def late():\n    from trackcenter.api import api"),
        (f"{SRC}/sandbox/graph.py", "from trackcenter.queue import publish"),
        (f"{SRC}/delivery/worker.py", "from trackcenter.sandbox import app"),
        (f"{SRC}/config/settings.py", "from trackcenter.embedded import start"),
        (f"{SRC}/kit/ids.py", "from tests.factories import a_building"),
        (f"{SRC}/utils/text.py", ""),
    ],
)
def test_imports_never_point_up_the_house(path: str, source: str) -> None:
    assert messages(path, source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (f"{SRC}/cli.py", "from trackcenter.sandbox import app\nimport trackcenter.embedded"),
        (f"{SRC}/api.py", "from trackcenter.imports.api import router"),
        (f"{SRC}/communications/events.py", "from .models import Event\nfrom ..kit import clock"),
        (f"{SRC}/sandbox/graph.py", "from trackcenter.kit.clock import now\nimport json"),
        (f"{SRC}/batches/models.py", "x = ForeignKey('imports.ImportRun')"),
        ("tests/sandbox/test_graph.py", "from trackcenter.sandbox import app"),
        (f"{SRC}/__init__.py", ""),
    ],
)
def test_imports_may_point_down(path: str, source: str) -> None:
    assert messages(path, source) == []


MODELS = "from trackcenter.communications.models import Event, EventPayload, Communication\n"


@pytest.mark.parametrize(
    "source",
    [
        MODELS + "Event.objects.create(type='SENT')",
        MODELS + "Event.objects.bulk_create([])",
        MODELS + "EventPayload(salt=b'')",
        "from trackcenter.communications import models as m\nm.Event(type='SENT')",
        "communication.events.create(type='SENT')",
        "communication.delivery_status = 'SENT'",
        "communication.delivery_status: str = 'SENT'",
        "setattr(communication, 'delivery_status', 'SENT')",
        "rows.update(delivery_status='SENT')",
        "rows.bulk_update(them, ['queued_at', 'delivery_status'])",
        "rows.bulk_update(them, fields=['delivery_status'])",
        "cursor.execute('INSERT INTO communication_events VALUES (1)')",
        "cursor.execute(f'insert  into \"communication_event_payloads\" {values}')",
        "SQL = 'UPDATE communications SET queued_at = now(), delivery_status = %s WHERE id = %s'",
        "SQL = 'COPY communication_events (id) FROM STDIN'",
        "SQL = 'DELETE FROM communication_events'",
    ],
)
def test_only_the_event_writer_writes_events_and_status(source: str) -> None:
    assert messages(f"{SRC}/delivery/worker.py", source)
    assert messages(f"{SRC}/communications/events.py", source) == []


@pytest.mark.parametrize(
    "source",
    [
        MODELS + "Event.objects.filter(type='SENT')",
        MODELS + "Communication.objects.create(channel='SMS')",
        "from threading import Event\nEvent().wait()",
        "if communication.delivery_status == 'SENT': pass",
        "rows.filter(delivery_status='SENT').update(queued_at=None)",
        "SQL = 'UPDATE communications SET subject = %s WHERE delivery_status = %s'",
        "SQL = 'SELECT * FROM communication_events WHERE delivery_status = %s'",
        '"""Nobody may INSERT INTO communication_events here."""',
    ],
)
def test_reading_events_and_status_is_free(source: str) -> None:
    assert messages(f"{SRC}/delivery/worker.py", source) == []


@pytest.mark.parametrize(
    "source",
    [
        "deliver.defer(attempt_id=1)",
        "deliver.configure(queue='email').defer(**job)",
        "deliver.defer()",
        "await deliver.defer_async(attempt_id=1)",
        "deliver.batch_defer({'a': 1}, {'a': 2})",
        "app.configure_task('deliver').defer(a=1)",
    ],
)
def test_only_the_queue_defers_jobs(source: str) -> None:
    source = f"async def work():\n    {source}"
    assert messages(f"{SRC}/batches/services.py", source)
    assert messages(f"{SRC}/queue/publish.py", source) == []


def test_django_may_defer_columns() -> None:
    assert messages(f"{SRC}/batches/services.py", "rows.defer('body')") == []


@pytest.mark.parametrize("source", ["import obstore", "from obstore.store import LocalStore"])
def test_only_storage_knows_obstore(source: str) -> None:
    assert messages(f"{SRC}/exports/files.py", source)
    assert messages(f"{SRC}/storage/store.py", source) == []


NINJA = "from ninja import Router\nrouter = Router()\n"


def test_an_operation_without_a_name_is_found() -> None:
    source = NINJA + "@router.get('/buildings')\ndef buildings(request): ..."
    assert messages(f"{SRC}/buildings/api.py", source)


def test_a_named_operation_and_other_decorators_are_fine() -> None:
    source = (
        NINJA
        + "@router.get('/buildings', operation_id='listBuildings')\n@cache.get\n"
        + "def buildings(request): ..."
    )
    assert messages(f"{SRC}/buildings/api.py", source) == []


@pytest.mark.parametrize(
    "source",
    [
        "def all_of_them(): return Building.objects.all()",
        "def one(id): return models.Unit.objects.get(id=id)",
        "def one(id): return get_object_or_404(Communication, id=id)",
        "def one(visible, id): return Unit.objects.get(id=id)",
        "EVERYTHING = Event.objects.all()",
        "def rows(): cursor.execute('SELECT 1')",
    ],
)
def test_questions_that_ignore_the_viewer_are_found(source: str) -> None:
    assert messages(f"{SRC}/buildings/selectors.py", source)


@pytest.mark.parametrize(
    "source",
    [
        "def some(user): return Building.objects.visible_to(user)",
        "def some(x): return Building.objects.visible_to(x).filter(code='A')",
        "def rows(visible): cursor.execute('SELECT 1', visible.as_parameter())",
        "def rows(*, visible): return Unit.objects.filter(id__in=visible.ids)",
        "def users(): return User.objects.all()",
    ],
)
def test_questions_that_start_from_the_visible_are_fine(source: str) -> None:
    assert messages(f"{SRC}/buildings/selectors.py", source) == []


def test_services_and_lower_folders_may_ask_freely() -> None:
    assert messages(f"{SRC}/buildings/services.py", "Building.objects.all()") == []
    assert messages(f"{SRC}/access/selectors.py", "Building.objects.all()") == []


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.utcnow()",
        "import datetime as dt\ndt.datetime.now()",
    ],
)
def test_naive_times_are_found(source: str) -> None:
    assert messages(f"{SRC}/kit/clock.py", source)


def test_times_with_a_zone_are_fine() -> None:
    source = "from datetime import UTC, datetime\ndatetime.now(UTC)\ndatetime.now(tz=UTC)"
    assert messages(f"{SRC}/kit/clock.py", source) == []


@pytest.mark.parametrize(
    "source", ["import time\ntime.sleep(1)", "from time import sleep\nsleep(1)"]
)
def test_a_sleeping_test_is_found(source: str) -> None:
    assert messages("tests/delivery/test_worker.py", source)
    assert messages(f"{SRC}/embedded/supervisor.py", source) == []


def test_a_finding_names_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "src" / "trackcenter" / "kit" / "ids.py"
    file.parent.mkdir(parents=True)
    file.write_text("import uuid\n\nfrom trackcenter.api import api\n")
    assert [str(finding) for finding in check_tree(tmp_path)] == [
        "src/trackcenter/kit/ids.py:3: kit lies below api and must not import it"
    ]
