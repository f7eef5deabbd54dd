"""Sessions end, and outlive a change of the secret key just long enough."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import Settings

from tests.access.people import PASSWORD
from trackcenter.access import services
from trackcenter.access.models import User
from trackcenter.access.second_step import SecondStep
from trackcenter.access.tasks import clear_sessions
from trackcenter.config.environment import SettingsError, read_environment
from trackcenter.kit.clock import now
from trackcenter.storage.links import LinkAltered, read_link, sign

pytestmark = pytest.mark.django_db

BUILDINGS = "/api/track/buildings"


@pytest.fixture
def session(admin: User) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": "Anna", "password": PASSWORD})
    assert client.get(BUILDINGS).status_code == HTTPStatus.OK
    return client


def test_a_session_is_over_after_half_a_day(session: Client, settings: Settings) -> None:
    [row] = Session.objects.all()
    assert timedelta(hours=11, minutes=59) < row.expire_date - now() <= timedelta(hours=12)
    Session.objects.update(expire_date=now() - timedelta(seconds=1))
    assert session.get(BUILDINGS).status_code == HTTPStatus.UNAUTHORIZED
    clear_sessions()
    assert not Session.objects.exists()


def test_a_new_password_ends_every_session(session: Client, admin: User) -> None:
    services.set_new_password(admin)
    assert session.get(BUILDINGS).status_code == HTTPStatus.UNAUTHORIZED


def test_a_new_secret_key_ends_nothing_while_the_old_one_is_a_fallback(
    session: Client, settings: Settings
) -> None:
    link = sign(
        "0" * 64, file_name="a.pdf", content_type="application/pdf", expires_in=timedelta(hours=1)
    ).removeprefix("/files/")
    kept = SecondStep().encrypt("JBSWY3DPEHPK3PXP")
    old, settings.SECRET_KEY = settings.SECRET_KEY, "new" * 20
    settings.SECRET_KEY_FALLBACKS = [old]
    assert session.get(BUILDINGS).status_code == HTTPStatus.OK
    assert read_link(link).file_name == "a.pdf"
    assert SecondStep().decrypt(kept) == "JBSWY3DPEHPK3PXP"

    settings.SECRET_KEY_FALLBACKS = []
    assert session.get(BUILDINGS).status_code == HTTPStatus.OK, "signed anew on the way"
    with pytest.raises(LinkAltered):
        read_link(link)


def test_the_variable_holds_earlier_keys_each_once() -> None:
    read = read_environment({"TRACKCENTER_SECRET_KEY_FALLBACKS": "key-of-old, key-of-older"})
    assert read.secret_key_fallbacks == ("key-of-old", "key-of-older")
    assert "key-of" not in repr(read)
    with pytest.raises(SettingsError, match="SECRET_KEY_FALLBACKS"):
        read_environment({"TRACKCENTER_SECRET_KEY_FALLBACKS": "key-of-old,key-of-old"})
