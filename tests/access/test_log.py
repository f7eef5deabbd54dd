"""Who read what is written down once, for good, and before it is shown."""

import html
import re
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils.timezone import localtime

from tests.access.people import PASSWORD, Place
from tests.access.test_routes import ids_of
from trackcenter.access import log, services
from trackcenter.access.models import AccessRecord, Act, Role, User
from trackcenter.access.selectors import places_of
from trackcenter.access.visible import EVERY_BUILDING, only
from trackcenter.batches.models import PrintRun
from trackcenter.buildings.models import Unit

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


def log_page(admin: User, **headers: str) -> str:
    client = Client(headers=headers)
    client.force_login(admin)
    response = client.get("/users/log/")
    assert response.status_code == HTTPStatus.OK
    return html.unescape(response.content.decode())


def test_the_page_says_of_which_unit_and_leads_there(admin: User, here: Place) -> None:
    ids = ids_of(here)
    communication, unit = ids["communication_id"], here.unit.pk
    run = PrintRun.objects.create(batch=here.batch)
    client = Client()
    client.force_login(admin)
    for path in (
        f"units/{unit}",
        f"communications/{communication}",
        f"attachments/{ids['attachment_id']}",
        f"print-runs/{run.pk}",
    ):
        client.get(f"/api/track/{path}")
    lines = {line.act: line.subject_id for line in AccessRecord.objects.all()}
    assert lines[Act.PRINT_RUN_READ] == run.pk
    page = log_page(admin)
    place = f"/track?buildingId={here.building.pk}"
    of_message = f"{place}&year=2024&unit={unit}&communication={communication}"
    assert f'<a href="{place}&unit={unit}">Unit 1</a>' in page
    assert page.count(f'<a href="{of_message}">Unit 1</a>') == 2
    assert f'<a href="{place}&year=2024">House HERE 2024</a>' in page
    assert str(unit) not in re.sub(r'(href|datetime)="[^"]*"', "", page)


def test_the_page_asks_no_more_for_many_lines_than_for_one(
    admin: User, here: Place, django_assert_max_num_queries: Any
) -> None:
    log.record(admin, Act.UNIT_READ, here.unit.pk)
    for number in range(2, 30):
        unit = Unit.objects.create(building=here.building, number=str(number), sort_key="1")
        log.record(admin, Act.UNIT_READ, unit.pk)
    client = Client()
    client.force_login(admin)
    with django_assert_max_num_queries(10):
        assert b"Unit 29" in client.get("/users/log/").content


def test_what_lies_in_no_visible_building_is_named_by_its_id_only(
    here: Place, elsewhere: Place
) -> None:
    ids = [here.unit.pk, elsewhere.unit.pk, uuid4()]
    assert list(places_of(only([here.building.pk]), ids)) == [here.unit.pk]
    assert list(places_of(EVERY_BUILDING, ids)) == [here.unit.pk, elsewhere.unit.pk]


@pytest.mark.parametrize(
    ("language", "day"), [("en", "%-d %b %Y"), ("de", "%d.%m.%Y")], ids=["english", "german"]
)
def test_a_day_is_written_as_the_language_does(admin: User, language: str, day: str) -> None:
    page = log_page(admin, **{"Accept-Language": language})
    [made] = records(Act.USER_CREATED)
    assert f">{localtime(made.at).strftime(day)} " in page
