"""Sign-in through every layer: middleware, allauth, the limits in the database."""

import re
from http import HTTPStatus

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from tests.access.people import PASSWORD
from trackcenter.access import services
from trackcenter.access.models import Role, User
from trackcenter.access.words import WORDS

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"


def try_to_sign_in(
    login: str, password: str, *, client: Client | None = None, **extra: str
) -> bool:
    """Fill in the form as a browser does; whether it let us in."""
    client = client or Client(enforce_csrf_checks=True)
    page = client.get(LOGIN).content.decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found is not None
    form = {"login": login, "password": password, "csrfmiddlewaretoken": found.group(1)}
    response = client.post(LOGIN, form, **extra)  # type: ignore[arg-type]
    return response.status_code == HTTPStatus.FOUND


def test_the_right_password_leads_to_where_one_wanted_to_go(admin: User) -> None:
    client = Client()
    response = client.get("/track")
    assert response.headers["Location"] == f"{LOGIN}?next=/track"
    response = client.post(
        LOGIN, {"login": "anna", "password": PASSWORD, "next": "/track?buildingId=1"}
    )
    assert response.headers["Location"] == "/track?buildingId=1"
    assert client.cookies["sessionid"]["httponly"]
    assert client.cookies["sessionid"]["samesite"] == "Lax"


def test_sign_in_never_leads_to_another_site(admin: User) -> None:
    form = {"login": "Anna", "password": PASSWORD, "next": "https://evil.example/"}
    assert Client().post(LOGIN, form).headers["Location"] == "/track"


@pytest.mark.parametrize("login", ["Anna", "ANNA", "anna@example.org", "Anna@Example.ORG"])
def test_name_and_address_work_in_any_case(login: str, admin: User) -> None:
    assert try_to_sign_in(login, PASSWORD)


def test_twelve_wrong_passwords_lock_the_account_for_the_right_one_too(
    admin: User, viewer: User
) -> None:
    for _ in range(12):
        assert not try_to_sign_in("Anna", "wrong")
    page = Client().post(LOGIN, {"login": "Anna", "password": PASSWORD})
    assert page.status_code == HTTPStatus.OK
    assert WORDS["en"]["locked"] in page.content.decode()
    assert "sessionid" not in page.cookies
    assert try_to_sign_in("victor", PASSWORD), "others are not locked with it"
    cache.clear()  # the quarter of an hour is over
    assert try_to_sign_in("Anna", PASSWORD)


def test_eleven_wrong_passwords_do_not_lock(admin: User) -> None:
    for _ in range(11):
        assert not try_to_sign_in("Anna", "wrong")
    assert try_to_sign_in("Anna", PASSWORD)


def test_an_account_has_one_lock_under_all_its_names_and_from_everywhere(admin: User) -> None:
    names = ["Anna", "ANNA", "anna@example.org", "ANNA@example.org", " anna", "\uff21nna"]
    for number in range(12):
        address = f"192.0.2.{number}"
        assert not try_to_sign_in(names[number % len(names)], "wrong", REMOTE_ADDR=address)
    assert not try_to_sign_in("anna@example.org", PASSWORD, REMOTE_ADDR="192.0.2.99")


def test_unknown_names_are_answered_and_locked_like_known_ones(admin: User) -> None:
    def answer(login: str) -> str:
        page = Client().post(LOGIN, {"login": login, "password": "wrong"}).content.decode()
        return re.sub(r'value="[^"]*"', "", page)

    for _ in range(13):
        assert answer("Anna") == answer("nobody")


def test_one_address_may_miss_a_hundred_times_over_all_accounts(admin: User) -> None:
    for number in range(100):
        Client().post(LOGIN, {"login": f"user{number}", "password": "wrong"})
    assert not try_to_sign_in("Anna", PASSWORD)
    assert try_to_sign_in("Anna", PASSWORD, REMOTE_ADDR="192.0.2.7")


def test_nobody_can_choose_the_address_that_is_counted(admin: User) -> None:
    for number in range(12):
        spoofed = f"198.51.100.{number}"
        assert not try_to_sign_in("Anna", "wrong", HTTP_X_FORWARDED_FOR=spoofed)
    assert not try_to_sign_in("Anna", PASSWORD, HTTP_X_FORWARDED_FOR="198.51.100.77")


def test_mistakes_are_said_beside_their_field() -> None:
    page = Client().post(LOGIN, {"login": "anna", "password": ""}).content.decode()
    assert 'role="alert"' in page
    assert '<a href="#id_password">Password</a>: Please fill this in.' in page
    assert page.count('aria-invalid="true"') == 1
    assert 'value="anna"' in page


def test_the_page_speaks_the_visitors_language() -> None:
    page = Client().get(LOGIN, headers={"Accept-Language": "de-AT,de;q=0.9"})
    assert 'lang="de"' in page.content.decode()
    assert "Anmelden" in page.content.decode()
    page = Client().get(LOGIN, headers={"Accept-Language": "fr"})
    assert "Sign in" in page.content.decode()


def test_both_languages_say_the_same_things() -> None:
    assert WORDS["en"].keys() == WORDS["de"].keys()
    assert all(WORDS["de"][word] != WORDS["en"][word] for word in WORDS["en"])


def test_signing_out_takes_a_post(admin: User) -> None:
    client = Client()
    assert try_to_sign_in("Anna", PASSWORD, client=client)
    assert client.get("/accounts/logout/").status_code == HTTPStatus.OK
    assert "_auth_user_id" in client.session
    assert client.post("/accounts/logout/").headers["Location"] == LOGIN
    assert "_auth_user_id" not in client.session


def test_nobody_signs_up_and_there_is_no_admin_site() -> None:
    for path in ("/accounts/signup/", "/accounts/password/reset/", "/accounts/email/", "/admin/"):
        assert Client().get(path).status_code == HTTPStatus.NOT_FOUND


def test_a_form_without_its_token_says_so(admin: User) -> None:
    response = Client(enforce_csrf_checks=True).post(LOGIN, {"login": "Anna", "password": PASSWORD})
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "out of date" in response.content.decode()


def test_passwords_are_hashed_with_argon2(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[1:]  # without the tests' quick one
    user = services.create_user("olga", role=Role.ADMIN, password=PASSWORD)
    assert user.password.startswith("argon2$argon2id$")
    assert try_to_sign_in("olga", PASSWORD)


@pytest.mark.parametrize("login", ["\x00", "a\x00b", "x" * 10_000, "\u202e", "@", "' OR 1=1 --"])
def test_odd_names_are_just_wrong(login: str, admin: User) -> None:
    response = Client().post(LOGIN, {"login": login, "password": "\x00"})
    assert response.status_code == HTTPStatus.OK
    assert 'role="alert"' in response.content.decode()
