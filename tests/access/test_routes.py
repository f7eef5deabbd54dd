"""The whole route table of the real API × everybody: a new route is tested the day it is added."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from http import HTTPStatus
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver
from ninja.operation import Operation

from tests.access.people import Place
from trackcenter.access import services
from trackcenter.access.guard import PATH_PARAMETERS, AdminOnly
from trackcenter.access.log import READINGS
from trackcenter.access.models import ApiToken, Role, User
from trackcenter.api import api
from trackcenter.communications.models import Attachment, BillingSnapshot, Communication
from trackcenter.kit.clock import now

pytestmark = pytest.mark.django_db


class Kind(Enum):
    """What a route is, and so who gets how far."""

    OPEN = "a webhook: it checks a secret of its own"
    LIST = "a list of what one may see"
    READ = "something of one building"
    WRITE = "changes something of one building"
    OFFICE = "changes what belongs to no building"
    ADMIN = "shows the insides of the installation: administrators only"
    OWN = "something of no building: the endpoint looks who may see it"
    EXPORT = "changes nothing that a reader may not: a viewer may"


class Row(NamedTuple):
    kind: Kind
    recorded: bool = False
    """Whether the access log says who was here."""


TABLE = {
    ("GET", "/buildings"): Row(Kind.LIST),
    ("GET", "/buildings/{building_id}/years"): Row(Kind.READ),
    ("GET", "/buildings/{building_id}/years/{year}/units"): Row(Kind.READ),
    ("GET", "/buildings/{building_id}/years/{year}/activity"): Row(Kind.READ),
    ("GET", "/buildings/{building_id}/templates"): Row(Kind.READ),
    ("PUT", "/buildings/{building_id}/templates"): Row(Kind.WRITE),
    ("PUT", "/buildings/{building_id}/logo"): Row(Kind.WRITE),
    ("DELETE", "/buildings/{building_id}/logo"): Row(Kind.WRITE),
    ("POST", "/templates/preview"): Row(Kind.EXPORT),
    ("GET", "/units/{unit_id}"): Row(Kind.READ, recorded=True),
    ("POST", "/units/{unit_id}/delivery-record"): Row(Kind.WRITE),
    ("PUT", "/units/{unit_id}/legal-hold"): Row(Kind.WRITE),
    ("DELETE", "/units/{unit_id}/legal-hold"): Row(Kind.WRITE),
    ("GET", "/communications/{communication_id}"): Row(Kind.READ, recorded=True),
    ("GET", "/communications/{communication_id}/evidence"): Row(Kind.READ, recorded=True),
    ("GET", "/attachments/{attachment_id}"): Row(Kind.READ, recorded=True),
    ("POST", "/communications/{communication_id}/resend"): Row(Kind.WRITE),
    ("POST", "/communications/{communication_id}/manual-event"): Row(Kind.WRITE),
    ("POST", "/communications/{communication_id}/notes"): Row(Kind.WRITE),
    ("POST", "/communications/{communication_id}/resolve"): Row(Kind.WRITE),
    ("POST", "/communications/{communication_id}/suggestions"): Row(Kind.WRITE),
    ("GET", "/work/contradictory"): Row(Kind.LIST),
    ("GET", "/work/receipts"): Row(Kind.LIST),
    ("GET", "/work/suggestions"): Row(Kind.LIST),
    ("GET", "/work/unknown"): Row(Kind.LIST),
    ("GET", "/senders"): Row(Kind.LIST),
    ("GET", "/dead-letters"): Row(Kind.ADMIN),
    ("GET", "/dead-letters/{letter_id}"): Row(Kind.ADMIN),
    ("POST", "/dead-letters/{letter_id}/requeue"): Row(Kind.OFFICE),
    ("POST", "/dead-letters/{letter_id}/discard"): Row(Kind.OFFICE),
    ("POST", "/imports"): Row(Kind.OFFICE),
    ("GET", "/batches/{batch_id}"): Row(Kind.READ),
    ("POST", "/batches/{batch_id}/send"): Row(Kind.WRITE),
    ("POST", "/batches/{batch_id}/resend/dry-run"): Row(Kind.WRITE),
    ("POST", "/batches/{batch_id}/resend"): Row(Kind.WRITE),
    ("GET", "/resends/{resend_id}"): Row(Kind.READ),
    ("GET", "/batches/{batch_id}/estimate"): Row(Kind.READ),
    ("GET", "/batches/{batch_id}/progress"): Row(Kind.READ),
    ("GET", "/batches/{batch_id}/print-runs"): Row(Kind.READ, recorded=True),
    ("POST", "/batches/{batch_id}/print-run"): Row(Kind.WRITE),
    ("GET", "/documents/{document_code}"): Row(Kind.OWN),
    ("GET", "/print-runs/{print_run_id}"): Row(Kind.READ, recorded=True),
    ("POST", "/print-runs/{print_run_id}/posted"): Row(Kind.WRITE),
    ("POST", "/export"): Row(Kind.EXPORT),
    ("GET", "/export/{export_id}"): Row(Kind.OWN, recorded=True),
    ("GET", "/exports"): Row(Kind.LIST, recorded=True),
    ("GET", "/retention/report"): Row(Kind.LIST),
    ("GET", "/tokens"): Row(Kind.LIST),
    ("POST", "/tokens/{token_id}/revoke"): Row(Kind.OFFICE),
    ("POST", "/providers/msgraph/email"): Row(Kind.OPEN),
    ("POST", "/providers/msgraph/sms"): Row(Kind.OPEN),
    ("OPTIONS", "/providers/msgraph/sms"): Row(Kind.OPEN),
    ("POST", "/providers/acs/email"): Row(Kind.OPEN),
    ("OPTIONS", "/providers/acs/email"): Row(Kind.OPEN),
}
"""Every route of the API. One that is added without a row here fails the tests."""

PAGES = {
    "": "anybody",
    "track": "signed in",
    "track/": "signed in",
    "accounts/login/": "anybody",
    "accounts/logout/": "signed in",
    "accounts/inactive/": "anybody",
    "accounts/turned-back/": "anybody",
    "accounts/second-step/": "half signed in",
    "accounts/<slug:provider_id>/login/": "anybody",
    "accounts/<slug:provider_id>/login/callback/": "anybody",
    "account/": "signed in",
    "account/password/": "signed in",
    "account/no-password/": "anybody",
    "account/confirm/": "signed in",
    "account/confirm/code/": "signed in",
    "account/second-step/": "signed in",
    "account/second-step/end/": "signed in",
    "account/recovery-codes/": "signed in",
    "account/recovery-codes/new/": "signed in",
    "users/": "administrators",
    "users/new/": "administrators",
    "users/log/": "administrators",
    "users/<uuid:user_id>/": "administrators",
    "users/<uuid:user_id>/<slug:verb>/": "administrators",
    "files/<str:token>": "who holds the signed link",
    "previews/<str:token>": "who holds the signed link",
    "healthz": "anybody",
    "readyz": "anybody",
    "metrics": "anybody",
    "api/": "the table above",
}
"""Every other address, and for whom it is."""


def operations() -> Iterator[tuple[str, str, Operation]]:
    for router in api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                for method in operation.methods:
                    yield method, path, operation


ROUTES = sorted((method, path) for method, path, _ in operations())
GUARDED = [route for route in ROUTES if TABLE.get(route, Row(Kind.OFFICE)).kind is not Kind.OPEN]
PLACED = [
    route for route in GUARDED if TABLE.get(route, Row(Kind.WRITE)).kind in (Kind.READ, Kind.WRITE)
]


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
        "letter_id": "4711",
        "token_id": uuid.uuid4(),
        "document_code": "NOT-A-CODE",
        "print_run_id": uuid.uuid4(),
        "resend_id": uuid.uuid4(),
        "year": 2024,
    }


def ask(method: str, path: str, ids: dict[str, Any], secret: str | None) -> int:
    address = "/api/track" + path.format(**ids)
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    client = Client(enforce_csrf_checks=True)
    response = client.generic(method, address, "{}", "application/json", headers=headers)
    return response.status_code


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_has_a_row(method: str, path: str) -> None:
    assert (method, path) in TABLE, "say in TABLE who may use it, and whether that is recorded"


def test_every_page_has_a_row() -> None:
    assert {str(route) for route in addresses(get_resolver())} == PAGES.keys()


def addresses(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        address = before + str(one.pattern)
        if isinstance(one, URLResolver) and address != "api/":
            yield from addresses(one, address)
        else:
            yield address


def test_the_guard_stands_before_every_route_but_the_webhooks() -> None:
    for method, path, operation in operations():
        guards = [guard for guard in operation.auth_callbacks if isinstance(guard, AdminOnly)]
        if TABLE[method, path].kind is Kind.OPEN:
            assert not operation.auth_callbacks, (method, path)
        else:
            assert len(guards) == len(operation.auth_callbacks) == 1, (method, path)


def test_what_is_recorded_is_what_the_table_says() -> None:
    for method, path, operation in operations():
        recorded = operation.operation_id in READINGS
        assert recorded == TABLE[method, path].recorded, (method, path)
        if recorded:
            subject = READINGS[str(operation.operation_id)][1]
            assert subject is None or subject in parameters(path), (method, path)


def test_the_guard_can_place_every_path_parameter() -> None:
    for _, path in GUARDED:
        assert parameters(path) <= PATH_PARAMETERS.keys(), path


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_nobody_is_let_in(method: str, path: str, admin: User, here: Place) -> None:
    ids = ids_of(here)
    token, expired = services.create_token(admin.username, days=1)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=now() - timedelta(seconds=1))
    token, revoked = services.create_token(admin.username)
    services.revoke_token(token.pk)
    for secret in (None, "tc_invented", expired, revoked):
        assert ask(method, path, ids, secret) == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(("method", "path"), PLACED)
def test_a_viewer_finds_nothing_of_another_building(
    method: str, path: str, viewer: User, elsewhere: Place
) -> None:
    _, secret = services.create_token(viewer.username)
    assert ask(method, path, ids_of(elsewhere), secret) == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(("method", "path"), PLACED)
def test_an_administrator_s_token_for_some_buildings_finds_nothing_of_others(
    method: str, path: str, admin: User, here: Place, elsewhere: Place
) -> None:
    _, secret = services.create_token(admin.username, buildings=[here.building.code])
    assert ask(method, path, ids_of(elsewhere), secret) == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_a_viewer_reads_but_changes_nothing(
    method: str, path: str, viewer: User, here: Place
) -> None:
    _, secret = services.create_token(viewer.username)
    status = ask(method, path, ids_of(here), secret)
    if TABLE[method, path].kind in (Kind.WRITE, Kind.OFFICE, Kind.ADMIN):
        # A row that is not there is not there for a viewer either, whatever the verb.
        assert status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
        assert status == HTTPStatus.FORBIDDEN or "print_run_id" in parameters(path)
    else:
        assert status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_an_administrator_passes_every_door(method: str, path: str, here: Place) -> None:
    _, secret = services.create_token("robot", role=Role.ADMIN)
    status = ask(method, path, ids_of(here), secret)
    assert status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    assert status < HTTPStatus.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize("route", [route for route in PAGES if PAGES[route] != "the table above"])
def test_pages_are_for_whom_they_say(route: str, admin: User, viewer: User) -> None:
    address = "/" + (
        route.replace("<slug:provider_id>", "oidc")
        .replace("<uuid:user_id>", str(viewer.pk))
        .replace("<slug:verb>", "switch-off")
        .replace("<str:token>", "altered")
    )
    statuses = {}
    for who, user in (("nobody", None), ("viewer", viewer), ("admin", admin)):
        client = Client()
        if user is not None:
            client.force_login(user)
        method = client.post if "<slug:verb>" in route else client.get
        statuses[who] = method(address)
        assert statuses[who].status_code < HTTPStatus.INTERNAL_SERVER_ERROR or route == "track"
    sent_away = statuses["nobody"].headers.get("Location", "").startswith("/accounts/login/")
    assert sent_away == (PAGES[route] in ("signed in", "administrators", "half signed in"))
    if PAGES[route] == "administrators":
        assert statuses["viewer"].status_code == HTTPStatus.FORBIDDEN
        assert statuses["admin"].status_code in (HTTPStatus.OK, HTTPStatus.FOUND)
    viewer.refresh_from_db()
    assert viewer.is_active == ("<slug:verb>" not in route)
