"""Who read what is written down once, for good, and before it is shown."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from tests.access.people import PASSWORD, Place
from tests.access.test_routes import ids_of
from trackcenter.access import log, services
from trackcenter.access.models import AccessRecord, Act, Role, User

pytestmark = pytest.mark.django_db


def records(act: Act) -> list[AccessRecord]:
    return list(AccessRecord.objects.filter(act=act).order_by("id"))


def asking(secret: str) -> Any:
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_reading_a_communication_leaves_a_line(admin: User, here: Place) -> None:
    token, secret = services.create_token(admin.username)
    communication = ids_of(here)["communication_id"]
    response = asking(secret).get(f"/api/track/communications/{communication}")
    assert response.status_code == HTTPStatus.OK
    [line] = records(Act.COMMUNICATION_READ)
    assert (line.user_id, line.token_id) == (admin.pk, token.pk)
    assert line.subject_id == communication
    assert line.request_id == response.headers["X-Request-ID"]


def test_looking_again_soon_is_the_same_reading_but_by_somebody_else_is_not(
    admin: User, viewer: User, here: Place
) -> None:
    communication = ids_of(here)["communication_id"]
    address = f"/api/track/communications/{communication}"
    for user in (admin, admin, viewer, admin):
        client = Client()
        client.force_login(user)
        assert client.get(address).status_code == HTTPStatus.OK
    assert [line.user_id for line in records(Act.COMMUNICATION_READ)] == [admin.pk, viewer.pk]


def test_later_it_is_another_reading(
    admin: User, here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    communication = ids_of(here)["communication_id"]
    client = Client()
    client.force_login(admin)
    client.get(f"/api/track/communications/{communication}")
    monkeypatch.setattr(log, "ONE_READING", timedelta(0))
    client.get(f"/api/track/communications/{communication}")
    assert len(records(Act.COMMUNICATION_READ)) == 2


def test_an_opened_attachment_leaves_a_line(admin: User, here: Place) -> None:
    ids = ids_of(here)
    client = Client()
    client.force_login(admin)
    response = client.get(f"/api/track/attachments/{ids['attachment_id']}")
    assert response.status_code == HTTPStatus.FOUND
    [line] = records(Act.ATTACHMENT_READ)
    assert line.subject_id == ids["attachment_id"]


def test_a_list_with_links_to_files_leaves_a_line_and_a_screen_that_asks_again_none(
    admin: User, here: Place
) -> None:
    client = Client()
    client.force_login(admin)
    for _ in range(2):
        assert client.get("/api/track/exports").status_code == HTTPStatus.OK
    [line] = records(Act.EXPORT_READ)
    assert (line.user_id, line.subject_id) == (admin.pk, None)
    ids = ids_of(here)
    assert client.get(f"/api/track/units/{ids['unit_id']}").status_code == HTTPStatus.OK
    [line] = records(Act.UNIT_READ)
    assert line.subject_id == ids["unit_id"]


def test_what_was_refused_was_not_read(viewer: User, elsewhere: Place) -> None:
    client = Client()
    client.force_login(viewer)
    communication = ids_of(elsewhere)["communication_id"]
    response = client.get(f"/api/track/communications/{communication}")
    assert response.status_code == HTTPStatus.NOT_FOUND
    assert not records(Act.COMMUNICATION_READ)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE access_log SET act = 'SIGNED_IN'", "DELETE FROM access_log", "TRUNCATE access_log"],
)
def test_nobody_changes_the_log(statement: str, admin: User) -> None:
    assert AccessRecord.objects.exists(), "making the administrator left a line"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)


def test_signing_in_leaves_a_line(admin: User) -> None:
    Client().post("/accounts/login/", {"login": "Anna", "password": "wrong"})
    assert not records(Act.SIGNED_IN)
    Client().post("/accounts/login/", {"login": "Anna", "password": PASSWORD})
    [line] = records(Act.SIGNED_IN)
    assert line.user_id == line.subject_id == admin.pk


def test_every_change_of_rights_leaves_a_line_that_names_who_did_it(
    admin: User, viewer: User, elsewhere: Place
) -> None:
    from trackcenter.access.actor import actor_of

    by = actor_of(admin)
    services.grant(viewer, ["ELSEWHERE"], by=by)
    services.withdraw(viewer, ["ELSEWHERE"], by=by)
    services.set_role(viewer, Role.ADMIN, by=by)
    services.set_active(viewer, False, by=by)
    services.set_active(viewer, True, by=by)
    services.set_new_password(viewer, by=by)
    token, secret = services.create_token(viewer.username, days=3, by=by)
    services.revoke_token(token.pk, by=by)
    services.revoke_token(token.pk, by=by)
    lines = AccessRecord.objects.filter(user=admin, subject_id=viewer.pk).order_by("id")
    assert [line.act for line in lines] == [
        Act.GRANTED,
        Act.WITHDRAWN,
        Act.ROLE_CHANGED,
        Act.SWITCHED_OFF,
        Act.SWITCHED_ON,
        Act.PASSWORD_SET,
        Act.TOKEN_CREATED,
        Act.TOKEN_REVOKED,
    ]
    assert lines[0].detail == {"buildings": ["ELSEWHERE"]}
    assert lines[6].detail == {"token": str(token.pk), "role": "ADMIN", "buildings": [], "days": 3}
    assert secret not in str([line.detail for line in lines])
