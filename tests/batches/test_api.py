import uuid
from typing import Any

import pytest
from django.test import Client

from tests.api_client import api_client, get, places, post
from tests.communications.factories import a_bill
from tests.queue.jobs import jobs
from tests.receipts import wsgi
from trackcenter.access.models import Role
from trackcenter.access.services import create_token
from trackcenter.batches import services
from trackcenter.batches.models import BatchSend

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Client:
    return api_client()


def test_sending_answers_with_the_progress_to_be_watched(api: Client) -> None:
    made = a_bill("EMAIL", "SMS")
    path = f"/batches/{made[0].batch_id}"
    assert get(api, path)["batchStatus"] == "IMPORTED"
    asked = post(api, f"{path}/send", expect=202)
    assert asked["batchStatus"] == "SENDING"
    assert asked["progress"] == {"total": 2, "enqueued": 0, "done": 0, "failed": 0}
    assert asked["buildingCode"] == "B1"
    services.fulfil(BatchSend.objects.get().id)
    assert get(api, path)["progress"]["enqueued"] == 2


def test_a_send_without_a_body_sends_all(api: Client) -> None:
    (one,) = a_bill()
    answer = api.generic("POST", f"/api/track/batches/{one.batch_id}/send")
    assert answer.status_code == 202
    assert BatchSend.objects.get().channels == [
        "EMAIL",
        "LETTER",
        "LETTER_WITH_RECEIPT",
        "SMS",
    ]


@pytest.mark.parametrize(
    ("envelope", "body", "status"),
    [
        # As granian hands it over: without a length, and decoded.
        ({"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}, '{"channels": ["SMS"]}', 411),
        ({"CONTENT_LENGTH": "21"}, "", 400),
        ({"CONTENT_LENGTH": "21"}, '{"channels":', 400),
    ],
    ids=["in chunks", "broken off before the body", "broken off in the body"],
)
def test_a_body_of_unknown_length_or_that_breaks_off_sends_nothing(
    envelope: dict[str, str], body: str, status: int
) -> None:
    (one,) = a_bill()
    _, secret = create_token("ada", role=Role.ADMIN, buildings=[])
    envelope |= {"HTTP_AUTHORIZATION": f"Bearer {secret}", "wsgi.input_terminated": "1"}
    answer = wsgi.post(f"/api/track/batches/{one.batch_id}/send", body, **envelope)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert not BatchSend.objects.exists()


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"channels": []}, ["body", "channels"]),
        ({"channels": ["FAX"]}, ["body", "channels", 0]),
        ({"unitIds": []}, ["body", "unitIds"]),
        ({"unitIds": ["1"]}, ["body", "unitIds", 0]),
        ({"unitIds": [str(uuid.uuid4())]}, ["body", "unitIds"]),
        ({"channel": "SMS"}, ["body", "channel"]),
    ],
)
def test_a_wrong_wish_names_its_place(api: Client, body: Any, place: list[Any]) -> None:
    (one,) = a_bill()
    assert places(post(api, f"/batches/{one.batch_id}/send", body, expect=422)) == [place]
    assert jobs() == []


def test_a_viewer_watches_but_does_not_send() -> None:
    (one,) = a_bill()
    viewer = api_client("vera", role="VIEWER", buildings=["B1"])
    get(viewer, f"/batches/{one.batch_id}")
    post(viewer, f"/batches/{one.batch_id}/send", expect=403)
    assert jobs() == []


def test_a_batch_that_is_not_there(api: Client) -> None:
    get(api, f"/batches/{uuid.uuid4()}", expect=404)
    post(api, f"/batches/{uuid.uuid4()}/send", expect=404)
