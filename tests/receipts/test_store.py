"""Reports are kept once, together with their job, however many arrive at the same moment."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DataError, connection
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from tests.receipts.pushes import sms_report
from tests.receipts.wsgi import post
from trackcenter.receipts.direct import DirectWebhooks
from trackcenter.receipts.models import InboundReceipt
from trackcenter.receipts.store import GRID_SMS, Arrival, store
from trackcenter.receipts.webhooks import MAX_BODY

SMS = "/api/track/providers/msgraph/sms"


def at_once(arrivals: list[list[Arrival]]) -> list[int | Exception]:
    """Store each list in a thread of its own, all starting together; what each call said."""
    start = threading.Barrier(len(arrivals))

    def one(some: list[Arrival]) -> int | Exception:
        start.wait(30)
        try:
            return store(some)
        except DataError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(arrivals)) as threads:
        return list(threads.map(one, arrivals))


def arrival(name: str, origin: str = GRID_SMS) -> Arrival:
    return Arrival(origin, ("test", name), b"{}")


@pytest.mark.django_db(transaction=True)
def test_what_arrives_together_is_counted_for_each_and_kept_once() -> None:
    pushed = [[arrival(f"{number}"), arrival(f"{number % 4}")] for number in range(16)]
    said = at_once(pushed)
    assert sum(new for new in said if isinstance(new, int)) == 16
    assert InboundReceipt.objects.count() == 16
    jobs = ProcrastinateJob.objects.filter(task_name="apply-receipt")
    receipts = {str(id_) for id_ in InboundReceipt.objects.values_list("id", flat=True)}
    assert {job.args["receiptId"] for job in jobs} == receipts
    assert len(jobs) == 16


@pytest.mark.django_db(transaction=True)
def test_one_that_cannot_be_kept_takes_no_other_with_it() -> None:
    pushed = [[arrival(f"{number}")] for number in range(8)]
    pushed.append([arrival("bad", origin="x" * 100)])
    said = at_once(pushed)
    assert said[:8] == [1] * 8
    assert isinstance(said[8], DataError)
    assert InboundReceipt.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_lost_costs_nothing() -> None:
    store([arrival("1")])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()

    def kill() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        connection.close()

    killer = threading.Thread(target=kill)
    killer.start()
    killer.join()
    assert store([arrival("1"), arrival("2")]) == 1


@pytest.mark.django_db
def test_the_short_way_answers_whole(settings: Settings) -> None:
    settings.EVENTGRID_SECRETS = ("hush",)
    answer = post(SMS, json.dumps([sms_report()]), headers={"aeg-sas-key": "hush"})
    assert answer.status_code == 200
    assert answer["Content-Length"] == "0"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "X-Request-ID" in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert InboundReceipt.objects.count() == 1


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"REQUEST_METHOD": "OPTIONS"},
        {"PATH_INFO": SMS + "/"},
        {"HTTP_HOST": "elsewhere.example"},
        {"HTTP_HOST": ""},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": str(MAX_BODY + 1)},
        {"HTTP_X_FORWARDED_PROTO": "http"},
        {"HTTP_AEG_SAS_KEY": "guessed"},
    ],
)
def test_the_short_way_leaves_to_django_what_it_must_not_judge(
    settings: Settings, envelope: dict[str, str]
) -> None:
    settings.EVENTGRID_SECRETS = ("hush",)
    settings.BEHIND_TLS = True
    bodies = []

    def django(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        bodies.append(environ["wsgi.input"].read())
        start_response("418 I'm a Teapot", [])
        return []

    body = json.dumps([] if envelope else [{"eventType": "validation"}])
    plain = {"HTTP_AEG_SAS_KEY": "hush", **envelope}
    assert post(SMS, body, application=DirectWebhooks(django), **plain).status_code == 418
    assert bodies == [body.encode()]
