import time

import pytest

from tests.sandbox.fixture import MAILBOX, RunningSandbox, running_sandbox, wait_for
from trackcenter.sandbox.options import CLIENT_ID, CLIENT_SECRET, TENANT_ID

GOOD = {
    "grant_type": "client_credentials",
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "scope": "https://graph.microsoft.com/.default",
}


def ask(sandbox: RunningSandbox, **changes: str):
    fields = {name: value for name, value in {**GOOD, **changes}.items() if value}
    return sandbox.http.request(
        "POST",
        f"{sandbox.url}/{TENANT_ID}/oauth2/v2.0/token",
        fields=fields,
        encode_multipart=False,
    )


def test_client_credentials_get_a_bearer_token(sandbox: RunningSandbox) -> None:
    reply = ask(sandbox)
    assert reply.status == 200
    assert reply.json()["token_type"] == "Bearer"
    assert reply.json()["expires_in"] == 3599


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": ""}, 401, "invalid_client", 7000216),
        ({"client_id": TENANT_ID}, 400, "unauthorized_client", 700016),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"grant_type": ""}, 400, "invalid_request", 900144),
        ({"scope": "Mail.Send"}, 400, "invalid_scope", 1002012),
    ],
)
def test_a_refusal_says_why_in_entra_words(
    sandbox: RunningSandbox, changes: dict[str, str], status: int, error: str, number: int
) -> None:
    reply = ask(sandbox, **changes)
    assert reply.status == status
    assert reply.json()["error"] == error
    assert reply.json()["error_codes"] == [number]
    assert reply.json()["error_description"].startswith(f"AADSTS{number}: ")


@pytest.mark.parametrize("authorization", [None, "Bearer ", "Basic abc", "Bearer made.up.token"])
def test_graph_refuses_what_is_no_token_of_ours(
    sandbox: RunningSandbox, authorization: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    reply = sandbox.request("GET", f"/v1.0/users/{MAILBOX}/messages", headers=headers)
    assert reply.status == 401
    assert reply.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert reply.json()["error"]["innerError"]["request-id"] == reply.headers["request-id"]


def test_a_token_expires() -> None:
    with running_sandbox("--token-seconds", "1") as sandbox:
        sandbox.token()
        asked = time.monotonic()
        reply = wait_for(
            lambda: (
                found
                if (found := sandbox.graph("GET", f"/users/{MAILBOX}/messages")).status == 401
                else None
            )
        )
        assert "expired" in reply.json()["error"]["message"]
        assert time.monotonic() - asked < 10
