"""The API's document: committed, complete, and the one the server gives."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from tests.api_client import api_client
from trackcenter.api import api

COMMITTED = Path(__file__).parents[1] / "web" / "openapi.json"
WEBHOOKS = "/providers/"


def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
    return made


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


ALL = [(method, path) for method, path, _ in operations()]


def test_the_committed_document_is_the_present_one(tmp_path: Path) -> None:
    """Otherwise: `python -m django export_openapi_schema --api trackcenter.api.api --indent 2
    --output web/openapi.json`, then `npm run generate` in `web`."""
    fresh = tmp_path / "openapi.json"
    call_command("export_openapi_schema", api="trackcenter.api.api", indent=2, output=fresh)
    assert json.loads(COMMITTED.read_text()) == json.loads(fresh.read_text())


@pytest.mark.django_db
def test_the_server_gives_it_to_everybody_and_to_programs_alike() -> None:
    for client in (Client(), api_client()):
        answer = client.get("/api/openapi.json")
        assert answer.status_code == 200
        assert answer.json() == document()


@pytest.mark.parametrize(("method", "path"), ALL)
def test_every_operation_says_what_can_go_wrong(method: str, path: str) -> None:
    responses = document()["paths"][path][method]["responses"]
    assert responses.keys() >= {"400", "401", "403", "404", "409", "411", "413", "422", "503"}
    for status, response in responses.items():
        if status >= "400":
            assert response["description"]
            (schema,) = response["content"].values()
            assert "application/problem+json" in response["content"]
            assert schema == {"schema": {"$ref": "#/components/schemas/Problem"}}
    assert any(status < "400" for status in responses)


def test_operations_have_names_of_their_own_and_sentences() -> None:
    names = Counter(operation["operationId"] for _, _, operation in operations())
    assert set(names.values()) == {1}
    for _, path, operation in operations():
        assert re.fullmatch(r"[a-z]+([A-Z][a-z]*)*", operation["operationId"]), path
        assert operation["description"].strip(), path


def test_every_operation_but_the_webhooks_asks_for_credentials() -> None:
    for method, path, operation in operations():
        assert ("security" in operation) == (WEBHOOKS not in path), (method, path)


def test_names_on_the_wire_are_camel_case() -> None:
    for name, schema in document()["components"]["schemas"].items():
        for key in schema.get("properties", {}):
            assert re.fullmatch(r"[a-z]+([A-Z0-9][a-z0-9]*)*|street2", key), (name, key)


@pytest.mark.parametrize(
    "route",
    [
        "GET /buildings",
        "GET /buildings/{}/years",
        "GET /buildings/{}/years/{}/units",
        "GET /buildings/{}/years/{}/activity",
        "GET /communications/{}",
        "GET /attachments/{}",
        "POST /communications/{}/resend",
        "POST /communications/{}/manual-event",
        "POST /communications/{}/notes",
        "POST /imports",
        "GET /batches/{}",
        "POST /batches/{}/send",
        "POST /providers/msgraph/email",
        "POST /providers/msgraph/sms",
        "POST /providers/acs/email",
    ],
)
def test_the_contracts_routes_are_there(route: str) -> None:
    known = {
        f"{method.upper()} {re.sub('{[^}]+}', '{}', path).removeprefix('/api/track')}"
        for method, path in ALL
    }
    assert route in known


@pytest.mark.django_db
def test_the_page_shows_the_document_from_our_own_files() -> None:
    answer = Client().get("/api/docs")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "/api/openapi.json" in page
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert loaded
    assert all(address.startswith("/static/ninja/") for address in loaded)
    for address in loaded:
        assert Client().get(address).status_code == 200
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-eval" not in policy
    # No script stands in the page itself, so none needs a nonce.
    inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", page)
    assert inline == [' type="application/json" id="swagger-settings"']


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/track/nothing", "/api/track/buildings/"])
def test_an_address_that_is_not_there_is_a_problem_document(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
def test_a_verb_that_is_not_there_is_a_problem_document() -> None:
    answer = Client().put("/api/track/imports")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert answer.json()["detail"] == "this address knows POST only"


@pytest.mark.django_db
def test_a_stranger_with_a_misspelt_parameter_is_told_first_to_sign_in() -> None:
    answer = Client().get("/api/track/buildings?serach=x")
    assert answer.status_code == 401
    answer = api_client().get("/api/track/buildings?serach=x")
    assert answer.status_code == 422
