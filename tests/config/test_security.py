"""What a browser is told, in development and behind TLS."""

import json
import os
import re
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, RequestFactory

from trackcenter.config import page
from trackcenter.config.security import LARGEST_BODY
from trackcenter.kit.ids import new_id


def policy(response: Any) -> dict[str, list[str]]:
    parts = response.headers["Content-Security-Policy"].split("; ")
    return {part.split()[0]: part.split()[1:] for part in parts}


def test_every_answer_carries_the_strict_policy() -> None:
    for path in ("/healthz", "/accounts/login/", "/no/such/page", "/static/access/account.css"):
        directives = policy(Client().get(path))
        assert directives["default-src"] == ["'none'"], path
        assert directives["script-src"] == ["'self'"], path
        assert directives["frame-ancestors"] == ["'none'"]
        assert directives["base-uri"] == ["'none'"]
        assert directives["form-action"] == ["'self'"]
        assert "unsafe-eval" not in str(directives)
        assert [name for name, sources in directives.items() if "'unsafe-inline'" in sources] == [
            "style-src-attr"
        ]


def test_every_answer_carries_the_other_headers() -> None:
    headers = Client().get("/accounts/login/").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert re.fullmatch(r"[0-9a-f]{16}", headers["X-Request-ID"])


def test_sign_in_pages_hold_nothing_inline() -> None:
    for path in ("/accounts/login/", "/accounts/inactive/", "/no/such/page"):
        text = Client().get(path).content.decode()
        assert "<script" not in text
        assert "<style" not in text
        assert not re.search(r'\s(style|on\w+)="', text)


def test_a_body_that_is_too_large_is_refused_unread() -> None:
    response = Client().generic("POST", "/accounts/login/", CONTENT_LENGTH=str(LARGEST_BODY + 1))
    assert response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert response.headers["Content-Type"] == "application/problem+json"
    response = Client().generic("POST", "/accounts/login/", CONTENT_LENGTH="plenty")
    assert response.status_code == HTTPStatus.BAD_REQUEST


def test_below_the_api_a_missing_page_is_a_problem_document() -> None:
    response = Client().get(f"/api/track/no/such/{new_id()}")
    assert response.status_code == HTTPStatus.NOT_FOUND
    assert response.json()["title"] == "Not Found"


def test_what_the_api_says_stays_out_of_every_cache() -> None:
    response = Client().get("/api/track/buildings")
    assert "no-store" in response.headers["Cache-Control"]


def test_a_crash_says_nothing_but_that_it_was_one() -> None:
    request = RequestFactory().get("/api/track/buildings")
    response = page.broken(request)
    assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    document = json.loads(response.content)
    assert set(document) == {"type", "title", "status", "detail", "code", "values"}
    assert (document["code"], document["values"]) == ("ourFault", {})
    response = page.broken(RequestFactory().get("/track"))
    assert "Something went wrong" in response.content.decode()


_ASK = """
import json, sys, django
django.setup()
from django.test import Client
from django.conf import settings
from trackcenter.config import doctor
def told(response):
    cookies = {name: bool(morsel["secure"]) for name, morsel in response.cookies.items()}
    return {"status": response.status_code, "headers": dict(response.headers), "cookies": cookies}
client = Client(SERVER_NAME="track.example.org")
print(json.dumps({
    "silent proxy": told(client.get("/accounts/login/")),
    "tls": told(client.get("/accounts/login/", headers={"X-Forwarded-Proto": "https"})),
    "plain": told(client.get("/accounts/login/?x=1", headers={"X-Forwarded-Proto": "http"})),
    "health": told(client.get("/healthz", headers={"X-Forwarded-Proto": "http"})),
    "stranger": told(Client(SERVER_NAME="evil.example").get("/track")),
    "deployment": [str(finding) for finding in doctor._deployment()],
}))
"""


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The answers of a production server, which needs a process of its own: settings are final."""
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith("TRACKCENTER_")},
        "DJANGO_SETTINGS_MODULE": "trackcenter.config.settings",
        "PYTHONPATH": str(Path(page.__file__).parents[2]),
        "TRACKCENTER_DATA": str(tmp_path_factory.mktemp("data")),
        "TRACKCENTER_PUBLIC_URL": "https://track.example.org",
        "TRACKCENTER_ALLOWED_HOSTS": "track.example.org",
        "TRACKCENTER_SECRET_KEY": "0123456789" * 6,
    }
    done = subprocess.run(
        [sys.executable, "-c", _ASK], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("proxy", ["silent proxy", "tls"])
def test_production_sets_secure_cookies_and_hsts(production: dict[str, Any], proxy: str) -> None:
    answer = production[proxy]
    assert answer["status"] == HTTPStatus.OK
    assert answer["cookies"] == {"csrftoken": True}
    assert answer["headers"]["Strict-Transport-Security"] == "max-age=31536000"


def test_production_sends_plain_http_to_https(production: dict[str, Any]) -> None:
    assert production["plain"]["status"] == HTTPStatus.MOVED_PERMANENTLY
    location = production["plain"]["headers"]["Location"]
    assert location == "https://track.example.org/accounts/login/?x=1"
    assert production["health"]["status"] == HTTPStatus.OK, "probes come without TLS"


def test_production_answers_to_its_own_names_only(production: dict[str, Any]) -> None:
    assert production["stranger"]["status"] == HTTPStatus.BAD_REQUEST


def test_djangos_deployment_check_is_clean(production: dict[str, Any]) -> None:
    assert production["deployment"] == ["ok    Django's checks find nothing (deployment)"]
