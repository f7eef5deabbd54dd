import base64
import uuid
from email import message_from_bytes
from email.policy import default
from urllib.parse import quote, urlencode

import pytest

from tests.sandbox.fixture import MAILBOX, PROPERTY, Json, RunningSandbox, running_sandbox, wait_for

USER = f"/users/{MAILBOX}"


def by_property(sandbox: RunningSandbox, attempt: str) -> list[dict[str, Json]]:
    query = urlencode(
        {
            "$filter": f"singleValueExtendedProperties/Any(ep: ep/id eq '{PROPERTY}' "
            f"and ep/value eq '{attempt}')",
            "$expand": f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')",
            "$select": "id,isDraft,internetMessageId",
        },
        quote_via=quote,
    )
    reply = sandbox.graph("GET", f"{USER}/messages?{query}")
    assert reply.status == 200, reply.data
    found: list[dict[str, Json]] = reply.json()["value"]
    return found


def error(reply: Json) -> tuple[int, str]:
    return reply.status, reply.json()["error"]["code"]


def test_a_draft_has_its_ids_and_is_found_by_the_extended_property(sandbox: RunningSandbox) -> None:
    attempt = str(uuid.uuid4())
    created = sandbox.draft("anna@example.org", attempt=attempt)
    assert created["isDraft"] is True
    assert created["internetMessageId"].startswith("<")
    [found] = by_property(sandbox, attempt)
    assert found["id"] == created["id"]
    assert found["isDraft"] is True
    assert found["internetMessageId"] == created["internetMessageId"]
    assert found["singleValueExtendedProperties"][0]["value"] == attempt
    assert by_property(sandbox, str(uuid.uuid4())) == []
    assert sandbox.messages() == []


def test_a_sent_mail_keeps_its_immutable_id_and_leaves_the_drafts(sandbox: RunningSandbox) -> None:
    attempt = str(uuid.uuid4())
    created = sandbox.draft("silent@example.org", attempt=attempt)
    reply = sandbox.send(created["id"])
    assert (reply.status, reply.data) == (202, b"")
    [found] = wait_for(lambda: by_property(sandbox, attempt))
    assert found["id"] == created["id"]
    assert found["isDraft"] is False
    folder = sandbox.graph("GET", f"{USER}/mailFolders/sentitems/messages").json()["value"]
    assert [item["id"] for item in folder] == [created["id"]]


def test_the_ordinary_id_changes_when_a_mail_is_sent(sandbox: RunningSandbox) -> None:
    created = sandbox.graph(
        "POST",
        f"{USER}/messages",
        {"toRecipients": [{"emailAddress": {"address": "silent@example.org"}}]},
        immutable=False,
    ).json()
    assert sandbox.send(created["id"]).status == 202
    folder = wait_for(
        lambda: sandbox.graph(
            "GET", f"{USER}/mailFolders('SentItems')/messages", immutable=False
        ).json()["value"]
    )
    assert folder[0]["id"] != created["id"]


def test_the_sent_copy_takes_its_time_to_appear() -> None:
    with running_sandbox("--sent-copy-delay", "1.5", speed=1) as slow:
        attempt = str(uuid.uuid4())
        created = slow.draft("silent@example.org", attempt=attempt)
        assert slow.send(created["id"]).status == 202
        assert error(slow.graph("GET", f"{USER}/messages/{created['id']}")) == (
            404,
            "ErrorItemNotFound",
        )
        assert by_property(slow, attempt) == []
        assert wait_for(lambda: by_property(slow, attempt))


def test_a_second_send_finds_no_draft(sandbox: RunningSandbox) -> None:
    created = sandbox.mail("silent@example.org")
    assert error(sandbox.send(created["id"])) == (404, "ErrorItemNotFound")
    assert len(sandbox.messages()) == 1


def test_an_accepted_mail_is_listed_with_its_attempt(sandbox: RunningSandbox) -> None:
    attempt = str(uuid.uuid4())
    created = sandbox.mail("silent@example.org", attempt=attempt)
    [listed] = sandbox.messages()
    assert listed.pop("acceptedAt").endswith("Z")
    assert listed == {
        "channel": "EMAIL",
        "to": "silent@example.org",
        "subject": "Abrechnung 2025 – Einheit 7",
        "idempotencyKey": attempt,
        "internetMessageId": created["internetMessageId"],
    }


def test_two_mails_of_one_attempt_are_both_listed(sandbox: RunningSandbox) -> None:
    attempt = str(uuid.uuid4())
    sandbox.mail("silent@example.org", attempt=attempt)
    sandbox.mail("silent@example.org", attempt=attempt)
    assert len(sandbox.messages(idempotencyKey=attempt)) == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (
            {"internetMessageHeaders": [{"name": "Precedence", "value": "bulk"}]},
            "InvalidInternetMessageHeader",
        ),
        (
            {"internetMessageHeaders": [{"name": f"x-{n}", "value": "1"} for n in range(6)]},
            "InvalidInternetMessageHeaderCollection",
        ),
        (
            {"internetMessageHeaders": [{"name": "x-a", "value": "1\r\nBcc: all@example.org"}]},
            "InvalidInternetMessageHeader",
        ),
        ({"colour": "blue"}, "RequestBodyRead"),
        ({"subject": 7}, "RequestBodyRead"),
        ({"toRecipients": {"emailAddress": {"address": "a@example.org"}}}, "RequestBodyRead"),
        ({"body": {"contentType": "markdown", "content": ""}}, "RequestBodyRead"),
        (
            {"singleValueExtendedProperties": [{"id": "TrackCenterAttempt", "value": "1"}]},
            "ErrorInvalidProperty",
        ),
        ({"attachments": [{"name": "a.pdf", "contentBytes": "AAAA"}]}, "BadRequest"),
        ({"subject": "x" * 256}, "ErrorPropertyTooLong"),
    ],
)
def test_a_malformed_draft_is_refused(sandbox: RunningSandbox, body: Json, code: str) -> None:
    assert error(sandbox.graph("POST", f"{USER}/messages", body)) == (400, code)


def test_a_write_must_be_json(sandbox: RunningSandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token()}"}
    path = f"/v1.0{USER}/messages"
    reply = sandbox.request("POST", path, headers=headers, content=b"subject=x")
    assert reply.status == 415
    headers["Content-Type"] = "application/json"
    reply = sandbox.request("POST", path, headers=headers, content=b"{")
    assert error(reply) == (400, "BadRequest")


def test_unknown_routes_users_and_ids_are_refused(sandbox: RunningSandbox) -> None:
    assert error(sandbox.graph("GET", f"{USER}/letters")) == (400, "BadRequest")
    assert sandbox.graph("PUT", f"{USER}/messages").status == 405
    assert error(sandbox.graph("GET", "/users/nobody/messages")) == (404, "ErrorInvalidUser")
    assert error(sandbox.graph("GET", f"{USER}/messages/17")) == (400, "ErrorInvalidIdMalformed")
    unknown = sandbox.draft("a@example.org")["id"]
    assert error(sandbox.graph("GET", f"/users/other@example.org/messages/{unknown}")) == (
        404,
        "ErrorItemNotFound",
    )


@pytest.mark.parametrize(
    "query", ["$filter=subject eq 'x'", "$select=colour", "$top=0", "$orderby=subject", "page=2"]
)
def test_queries_it_does_not_know_are_refused(sandbox: RunningSandbox, query: str) -> None:
    assert sandbox.graph("GET", f"{USER}/messages?{quote(query, safe='=$')}").status == 400


def test_a_mail_without_a_good_recipient_is_refused_when_sent(sandbox: RunningSandbox) -> None:
    for people in ([], [{"emailAddress": {"address": "not an address"}}]):
        created = sandbox.graph("POST", f"{USER}/messages", {"toRecipients": people}).json()
        assert error(sandbox.send(created["id"])) == (400, "ErrorInvalidRecipients")
    assert sandbox.messages() == []


def test_small_attachments_go_along(sandbox: RunningSandbox) -> None:
    pdf = b"%PDF-1.7 small"
    item = {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": "Abrechnung März.pdf",
        "contentType": "application/pdf",
        "contentBytes": base64.b64encode(pdf).decode(),
    }
    created = sandbox.draft("silent@example.org", attachments=[item])
    assert created["hasAttachments"] is True
    reply = sandbox.graph(
        "POST", f"{USER}/messages/{created['id']}/attachments", {**item, "name": "second.pdf"}
    )
    assert reply.status == 201
    path = f"{USER}/messages/{created['id']}/attachments"
    names = [item["name"] for item in sandbox.graph("GET", path).json()["value"]]
    assert names == ["Abrechnung März.pdf", "second.pdf"]
    assert sandbox.send(created["id"]).status == 202
    mime = wait_for(
        lambda: (
            reply.data
            if (reply := sandbox.graph("GET", f"{USER}/messages/{created['id']}/$value")).status
            == 200
            else None
        )
    )
    message = message_from_bytes(mime, policy=default)
    assert message["Message-ID"].strip() == created["internetMessageId"]
    files = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
    assert files == {"Abrechnung März.pdf": pdf, "second.pdf": pdf}


def test_attachments_of_three_megabytes_need_an_upload_session(sandbox: RunningSandbox) -> None:
    created = sandbox.draft("silent@example.org")
    item = {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": "big.pdf",
        "contentBytes": base64.b64encode(bytes(3 * 1024 * 1024)).decode(),
    }
    reply = sandbox.graph("POST", f"{USER}/messages/{created['id']}/attachments", item)
    assert reply.status == 413


def test_a_draft_can_be_changed_and_deleted_and_a_sent_mail_cannot(
    sandbox: RunningSandbox,
) -> None:
    created = sandbox.draft("silent@example.org")
    path = f"{USER}/messages/{created['id']}"
    assert sandbox.graph("PATCH", path, {"subject": "New"}).json()["subject"] == "New"
    assert sandbox.send(created["id"]).status == 202
    wait_for(lambda: sandbox.graph("GET", path).status == 200)
    assert error(sandbox.graph("PATCH", path, {"subject": "Newer"})) == (
        400,
        "ErrorInvalidPropertySet",
    )
    assert sandbox.graph("PATCH", path, {"isRead": False}).json()["isRead"] is False
    assert sandbox.graph("DELETE", path).status == 204
    assert sandbox.graph("GET", path).status == 404


def test_lists_are_paged(sandbox: RunningSandbox) -> None:
    for _ in range(5):
        sandbox.draft("silent@example.org")
    path = f"{USER}/messages?$top=2&$select=id"
    seen = []
    while path:
        page = sandbox.graph("GET", path).json()
        assert len(page["value"]) <= 2
        seen += [item["id"] for item in page["value"]]
        path = page.get("@odata.nextLink", "")
    assert len(seen) == len(set(seen)) == 5


def test_delta_shows_only_what_is_new_and_ends_with_a_reset(sandbox: RunningSandbox) -> None:
    delta = f"{USER}/mailFolders('inbox')/messages/delta?$select=subject"
    for _ in range(3):
        sandbox.mail("bounce@example.org")
    wait_for(lambda: len(sandbox.inbox()) == 3)
    first = sandbox.graph("GET", delta, Prefer="odata.maxpagesize=2").json()
    assert len(first["value"]) == 2
    second = sandbox.graph("GET", first["@odata.nextLink"], Prefer="odata.maxpagesize=2").json()
    assert len(second["value"]) == 1
    assert set(second["value"][0]) == {"@odata.etag", "id", "subject"}
    link = second["@odata.deltaLink"]
    assert sandbox.graph("GET", link).json()["value"] == []
    sandbox.mail("bounce@example.org")
    wait_for(lambda: len(sandbox.inbox()) == 4)
    assert len(sandbox.graph("GET", link).json()["value"]) == 1
    sandbox.clear()
    assert error(sandbox.graph("GET", link)) == (410, "SyncStateNotFound")


def test_other_hosts_are_refused(sandbox: RunningSandbox) -> None:
    reply = sandbox.request("GET", "/messages", headers={"Host": "evil.example.org"})
    assert reply.status == 421
