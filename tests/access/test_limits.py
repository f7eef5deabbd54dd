"""A storm of wrong secrets at the webhooks, and who is not hit by it."""

from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import Settings

from trackcenter.config.logs import JsonLines

pytestmark = pytest.mark.django_db

SMS = "/api/track/providers/msgraph/sms"
MAIL = "/api/track/providers/msgraph/email"


@pytest.fixture(autouse=True)
def secrets(settings: Settings) -> None:
    settings.EVENTGRID_SECRETS = ("right", "also-right")
    settings.GRAPH_CLIENT_STATE = "right"


def push(path: str, body: str = "[]", **extra: str) -> int:
    return Client().post(path, body, "application/json", **extra).status_code  # type: ignore[arg-type]


def test_after_sixty_wrong_secrets_an_address_is_asked_to_wait() -> None:
    answers = [push(f"{SMS}?code=wrong") for _ in range(61)]
    assert answers == [HTTPStatus.UNAUTHORIZED] * 60 + [HTTPStatus.TOO_MANY_REQUESTS]
    wrong_state = '{"value": [{"clientState": "wrong"}]}'
    response = Client().post(MAIL, wrong_state, "application/json")
    assert response.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert response.headers["Retry-After"] == "60"
    assert response.headers["Content-Type"] == "application/problem+json"


def test_who_knows_the_secret_and_who_comes_from_elsewhere_are_not_slowed_down() -> None:
    for _ in range(61):
        push(f"{SMS}?code=wrong")
    assert push(f"{SMS}?code=right") == HTTPStatus.OK
    assert push(f"{SMS}?code=also-right") == HTTPStatus.OK
    assert push(f"{SMS}?code=wrong", REMOTE_ADDR="192.0.2.7") == HTTPStatus.UNAUTHORIZED


def test_a_secret_stands_in_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    push(f"{SMS}?code=a-wrong-secret")
    push(f"{SMS}?code=right", "not json")
    Client().post("/accounts/login/", {"login": "anna", "password": "a-wrong-secret"})
    Client(headers={"Authorization": "Bearer tc_a-wrong-secret"}).get("/api/track/buildings")
    told = "\n".join(JsonLines().format(line) for line in caplog.records)
    assert "answered" in told
    assert "a-wrong-secret" not in told
    assert "code=" not in told
