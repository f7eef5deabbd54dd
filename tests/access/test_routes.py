"""The whole route table of the real API × everybody: a new route is tested the day it is added."""

import uuid
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from ninja.operation import Operation

from tests.access.people import Place
from trackcenter.access import services
from trackcenter.access.guard import PATH_PARAMETERS, SAFE_METHODS, AdminOnly
from trackcenter.access.models import Role, User
from trackcenter.api import api
from trackcenter.communications.models import Attachment, BillingSnapshot, Communication

pytestmark = pytest.mark.django_db

OPEN = {"/providers/msgraph/email", "/providers/msgraph/sms", "/providers/acs/email"}
"""The webhooks: they check secrets of their own."""

FOR_READERS = {("POST", "/export")}
"""Not safe by its method, but a viewer may."""


def operations() -> Iterator[tuple[str, str, Operation]]:
    for router in api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                for method in operation.methods:
                    yield method, path, operation


GUARDED = sorted((method, path) for method, path, _ in operations() if path not in OPEN)
PLACED = [(method, path) for method, path in GUARDED if "_id}" in path]


def parameters(path: str) -> set[str]:
    return {part.partition("}")[0].rpartition(":")[2] for part in path.split("{")[1:]}


def ids_of(spot: Place) -> dict[str, object]:
    """One of everything in a place, by the name of its path parameter."""
    snapshot = BillingSnapshot.objects.create(
        batch=spot.batch, unit=spot.unit, version=1, row={}, sha256="0" * 64
    )
    communication = Communication.objects.create(
        batch=spot.batch,
        building=spot.building,
        unit=spot.unit,
        year=2024,
        channel="EMAIL",
        snapshot=snapshot,
        recipient_name="Somebody",
        delivery_status="PENDING",
    )
    attachment = Attachment.objects.create(
        communication=communication,
        kind="STATEMENT",
        file_name="bill.pdf",
        content_type="application/pdf",
        size=1,
        sha256="0" * 64,
    )
    return {
        "building_id": spot.building.pk,
        "unit_id": spot.unit.pk,
        "batch_id": spot.batch.pk,
        "communication_id": communication.pk,
        "attachment_id": attachment.pk,
        "export_id": uuid.uuid4(),
        "year": 2024,
    }


def ask(method: str, path: str, ids: dict[str, Any], secret: str | None) -> int:
    address = "/api/track" + path.format(**ids)
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    client = Client(enforce_csrf_checks=True)
    response = client.generic(method, address, "{}", "application/json", headers=headers)
    return response.status_code


def test_every_route_but_the_webhooks_passes_the_guard() -> None:
    for method, path, operation in operations():
        guards = [guard for guard in operation.auth_callbacks if isinstance(guard, AdminOnly)]
        if path in OPEN:
            assert not operation.auth_callbacks, (method, path)
        else:
            assert len(guards) == len(operation.auth_callbacks) == 1, (method, path)


def test_the_guard_can_place_every_path_parameter() -> None:
    for _, path in GUARDED:
        assert parameters(path) <= PATH_PARAMETERS.keys(), path


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_nobody_is_let_in(method: str, path: str, here: Place) -> None:
    ids = ids_of(here)
    assert ask(method, path, ids, None) == HTTPStatus.UNAUTHORIZED
    assert ask(method, path, ids, "tc_expired") == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(("method", "path"), PLACED)
def test_a_viewer_finds_nothing_of_another_building(
    method: str, path: str, viewer: User, elsewhere: Place
) -> None:
    _, secret = services.create_token(viewer.username)
    assert ask(method, path, ids_of(elsewhere), secret) == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_a_viewer_reads_but_changes_nothing(
    method: str, path: str, viewer: User, here: Place
) -> None:
    _, secret = services.create_token(viewer.username)
    status = ask(method, path, ids_of(here), secret)
    if method in SAFE_METHODS or (method, path) in FOR_READERS:
        assert status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    else:
        assert status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_an_administrator_passes_every_door(method: str, path: str, here: Place) -> None:
    _, secret = services.create_token("robot", role=Role.ADMIN)
    status = ask(method, path, ids_of(here), secret)
    assert status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    assert status < HTTPStatus.INTERNAL_SERVER_ERROR
