"""Everybody × every kind of door."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.apps import apps
from django.test import Client

from tests.access.people import PASSWORD, Place
from trackcenter.access import services
from trackcenter.access.guard import PATH_PARAMETERS
from trackcenter.access.models import ApiToken, Role, User
from trackcenter.kit.clock import now

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.doors")]

IN = HTTPStatus.OK
UNKNOWN = HTTPStatus.UNAUTHORIZED
FORBIDDEN = HTTPStatus.FORBIDDEN
MISSING = HTTPStatus.NOT_FOUND

Knock = Callable[[str, str], int]


def bearing(secret: str) -> Knock:
    def knock(method: str, path: str) -> int:
        headers = {"Authorization": f"Bearer {secret}"}
        return Client(enforce_csrf_checks=True).generic(method, path, headers=headers).status_code

    return knock


def nobody(method: str, path: str) -> int:
    return Client(enforce_csrf_checks=True).generic(method, path).status_code


@pytest.fixture
def people(admin: User, viewer: User, here: Place, elsewhere: Place) -> dict[str, Knock]:
    expired, expired_secret = services.create_token(admin.username, days=1)
    ApiToken.objects.filter(pk=expired.pk).update(expires_at=now() - timedelta(seconds=1))
    revoked, revoked_secret = services.create_token(admin.username)
    services.revoke_token(revoked.pk)
    return {
        "nobody": nobody,
        "expired": bearing(expired_secret),
        "revoked": bearing(revoked_secret),
        "invented": bearing("tc_" + "x" * 43),
        "admin": bearing(services.create_token(admin.username)[1]),
        "admin of here": bearing(services.create_token(admin.username, buildings=["HERE"])[1]),
        "admin reading": bearing(services.create_token(admin.username, role=Role.VIEWER)[1]),
        "viewer": bearing(services.create_token(viewer.username)[1]),
        "viewer of nothing": bearing(services.create_token("vera", role=Role.VIEWER)[1]),
    }


MATRIX = {
    # who: (read here, write here, read elsewhere, write elsewhere, import, export)
    "nobody": (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    "expired": (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    "revoked": (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    "invented": (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    "admin": (IN, IN, IN, IN, IN, IN),
    "admin of here": (IN, IN, MISSING, MISSING, FORBIDDEN, IN),
    "admin reading": (IN, FORBIDDEN, IN, FORBIDDEN, FORBIDDEN, IN),
    "viewer": (IN, FORBIDDEN, MISSING, MISSING, FORBIDDEN, IN),
    "viewer of nothing": (MISSING, MISSING, MISSING, MISSING, FORBIDDEN, IN),
}


@pytest.mark.parametrize("who", MATRIX)
def test_everybody_gets_as_far_as_the_table_says(
    who: str, people: dict[str, Knock], here: Place, elsewhere: Place
) -> None:
    knock = people[who]
    assert (
        knock("GET", f"/doors/units/{here.unit.pk}/2024"),
        knock("POST", f"/doors/units/{here.unit.pk}/2024"),
        knock("GET", f"/doors/units/{elsewhere.unit.pk}/2024"),
        knock("POST", f"/doors/units/{elsewhere.unit.pk}/2024"),
        knock("POST", "/doors/imports"),
        knock("POST", "/doors/export"),
    ) == MATRIX[who]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_foreign_building_is_not_there_on_any_verb(
    method: str, people: dict[str, Knock], elsewhere: Place
) -> None:
    assert people["viewer"](method, f"/doors/buildings/{elsewhere.building.pk}") == MISSING
    assert people["viewer"](method, f"/doors/buildings/{uuid.uuid4()}") == MISSING


def test_what_hangs_on_a_foreign_building_is_not_there_either(
    people: dict[str, Knock], here: Place, elsewhere: Place
) -> None:
    assert people["viewer"]("GET", f"/doors/batches/{here.batch.pk}") == IN
    assert people["viewer"]("GET", f"/doors/batches/{elsewhere.batch.pk}") == MISSING


def test_a_route_the_guard_cannot_place_is_shut_for_viewers(people: dict[str, Knock]) -> None:
    path = f"/doors/unheard-of/{uuid.uuid4()}"
    assert people["viewer"]("GET", path) == MISSING
    assert people["admin"]("GET", path) == IN


def test_every_path_parameter_leads_to_a_building() -> None:
    for owner in PATH_PARAMETERS.values():
        if owner is not None:
            rows = apps.get_model(owner.model)._base_manager
            assert rows.values_list(owner.building, flat=True).first() is None


def test_a_refusal_says_how_to_get_in() -> None:
    response = Client().get("/doors/who")
    assert response.status_code == UNKNOWN
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.json()["status"] == UNKNOWN


def test_a_session_reads_without_and_writes_only_with_the_csrf_token(
    admin: User, here: Place
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    path = f"/doors/buildings/{here.building.pk}"
    assert client.get(path).status_code == IN
    assert client.post(path).status_code == FORBIDDEN
    client.get("/accounts/logout/")  # a page with a form sets the cookie
    token = client.cookies["csrftoken"].value
    assert client.post(path, headers={"X-CSRFToken": token}).status_code == IN
    assert client.post(path, headers={"X-CSRFToken": "x" * 32}).status_code == FORBIDDEN


def test_a_bad_token_is_not_saved_by_a_good_session(admin: User) -> None:
    client = Client()
    client.force_login(admin)
    assert client.get("/doors/who").status_code == IN
    for header in ("Bearer tc_nonsense", "Bearer", "Basic QW5uYTp4"):
        response = client.get("/doors/who", headers={"Authorization": header})
        assert response.status_code == UNKNOWN, header


def test_a_switched_off_user_is_out_at_once(admin: User) -> None:
    _, secret = services.create_token(admin.username)
    client = Client()
    client.force_login(admin)
    User.objects.filter(pk=admin.pk).update(is_active=False)
    assert client.get("/doors/who").status_code == UNKNOWN
    assert bearing(secret)("GET", "/doors/who") == UNKNOWN


def test_a_grant_withdrawn_from_the_user_is_gone_from_the_token(viewer: User, here: Place) -> None:
    _, secret = services.create_token(viewer.username, buildings=["HERE"])
    path = f"/doors/buildings/{here.building.pk}"
    assert bearing(secret)("GET", path) == IN
    services.withdraw(viewer, ["HERE"])
    assert bearing(secret)("GET", path) == MISSING


def test_a_role_taken_from_the_user_is_gone_from_the_token(admin: User) -> None:
    _, secret = services.create_token(admin.username, role=Role.ADMIN)
    User.objects.filter(pk=admin.pk).update(role=Role.VIEWER)
    assert bearing(secret)("POST", "/doors/imports") == FORBIDDEN


def test_a_token_limited_to_buildings_that_are_gone_opens_nothing(
    admin: User, elsewhere: Place
) -> None:
    token, secret = services.create_token(admin.username, buildings=["ELSEWHERE"])
    token.buildings.clear()
    assert bearing(secret)("GET", f"/doors/buildings/{elsewhere.building.pk}") == MISSING


def test_the_endpoint_knows_who_is_asking(viewer: User, here: Place) -> None:
    client = Client()
    assert client.login(username="VICTOR", password=PASSWORD)
    assert client.get("/doors/who").json() == {
        "username": "victor",
        "role": "VIEWER",
        "buildings": [str(here.building.pk)],
    }
