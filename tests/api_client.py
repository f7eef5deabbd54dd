"""A program that talks to the API with a bearer token."""

from collections.abc import Sequence
from typing import Any

from django.test import Client

from trackcenter.access.models import Role
from trackcenter.access.services import create_token


def api_client(
    username: str = "ada", *, role: str = Role.ADMIN, buildings: Sequence[str] = ()
) -> Client:
    """A client that is `username`; a viewer sees exactly `buildings`."""
    _, secret = create_token(username, role=Role(role), buildings=list(buildings))
    return Client(headers={"Authorization": f"Bearer {secret}"})


def get(client: Client, path: str, *, expect: int = 200, **query: Any) -> Any:
    """The JSON answer of a GET below `/api/track`; fails when the status is another."""
    answer = client.get(f"/api/track{path}", query)
    assert answer.status_code == expect, answer.content
    return answer.json()


def post(client: Client, path: str, body: Any = None, *, expect: int) -> Any:
    """The JSON answer of a POST below `/api/track`."""
    answer = client.post(f"/api/track{path}", body or {}, "application/json")
    assert answer.status_code == expect, answer.content
    return answer.json()


def every_page(client: Client, path: str, **query: Any) -> list[Any]:
    """The items of every page, following the cursors."""
    items: list[Any] = []
    while True:
        page = get(client, path, **query)
        assert len(page["items"]) <= query.get("limit", 50)
        items += page["items"]
        if page["nextCursor"] is None:
            return items
        query["cursor"] = page["nextCursor"]


def places(problem: Any) -> list[list[str | int]]:
    """Where a problem document says the errors are."""
    return [error["loc"] for error in problem["errors"]]
