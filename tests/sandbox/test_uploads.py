import pytest

from tests.sandbox.fixture import MAILBOX, RunningSandbox

SIZE = 3 * 1024 * 1024 + 500
CHUNK = 2 * 1024 * 1024
FILE = bytes(range(256)) * (SIZE // 256 + 1)


def session(sandbox: RunningSandbox, size: int = SIZE) -> tuple[str, str]:
    draft = sandbox.draft("silent@example.org")["id"]
    reply = sandbox.graph(
        "POST",
        f"/users/{MAILBOX}/messages/{draft}/attachments/createUploadSession",
        {"AttachmentItem": {"attachmentType": "file", "name": "plan.pdf", "size": size}},
    )
    assert reply.status == 201, reply.data
    assert reply.json()["nextExpectedRanges"] == ["0-"]
    return draft, reply.json()["uploadUrl"]


def put(sandbox: RunningSandbox, url: str, start: int, end: int, **headers: str):
    return sandbox.request(
        "PUT",
        url,
        content=FILE[start:end],
        headers={"Content-Range": f"bytes {start}-{end - 1}/{SIZE}", **headers},
    )


def test_a_large_attachment_comes_in_ordered_chunks(sandbox: RunningSandbox) -> None:
    draft, url = session(sandbox)
    first = put(sandbox, url, 0, CHUNK)
    assert first.status == 200
    assert first.json()["nextExpectedRanges"] == [str(CHUNK)]
    last = put(sandbox, url, CHUNK, SIZE)
    assert last.status == 201
    assert "/Attachments('" in last.headers["Location"]
    path = f"/users/{MAILBOX}/messages/{draft}/attachments"
    [stored] = sandbox.graph("GET", path).json()["value"]
    assert (stored["name"], stored["size"]) == ("plan.pdf", SIZE)
    assert put(sandbox, url, 0, CHUNK).status == 404


def test_chunks_out_of_order_are_refused(sandbox: RunningSandbox) -> None:
    _, url = session(sandbox)
    assert put(sandbox, url, CHUNK, SIZE).status == 416
    assert put(sandbox, url, 0, CHUNK).status == 200
    assert put(sandbox, url, 0, CHUNK).status == 416
    assert sandbox.request("GET", url).json()["nextExpectedRanges"] == [str(CHUNK)]


def test_the_upload_url_takes_no_authorization_header(sandbox: RunningSandbox) -> None:
    _, url = session(sandbox)
    reply = put(sandbox, url, 0, CHUNK, Authorization=f"Bearer {sandbox.token()}")
    assert reply.status == 401


@pytest.mark.parametrize("content_range", ["", "bytes 0-9/10", "bytes 5-1/100", "0-99/100"])
def test_a_range_must_fit(sandbox: RunningSandbox, content_range: str) -> None:
    _, url = session(sandbox)
    headers = {"Content-Range": content_range} if content_range else {}
    reply = sandbox.request("PUT", url, content=b"x" * 100, headers=headers)
    assert reply.status == 400


def test_more_than_four_megabytes_at_once_are_refused(sandbox: RunningSandbox) -> None:
    size = 5 * 1024 * 1024
    _, url = session(sandbox, size)
    headers = {"Content-Range": f"bytes 0-{size - 1}/{size}"}
    assert sandbox.request("PUT", url, content=bytes(size), headers=headers).status == 413


@pytest.mark.parametrize("size", [10, 151 * 1024 * 1024])
def test_sessions_are_for_three_to_a_hundred_and_fifty_megabytes(
    sandbox: RunningSandbox, size: int
) -> None:
    draft = sandbox.draft("silent@example.org")["id"]
    reply = sandbox.graph(
        "POST",
        f"/users/{MAILBOX}/messages/{draft}/attachments/createUploadSession",
        {"AttachmentItem": {"attachmentType": "file", "name": "a", "size": size}},
    )
    assert reply.status == 400


def test_an_upload_can_be_cancelled_and_its_url_not_be_altered(sandbox: RunningSandbox) -> None:
    _, url = session(sandbox)
    assert put(sandbox, url + "x", 0, CHUNK).status == 401
    assert sandbox.request("DELETE", url).status == 204
    assert put(sandbox, url, 0, CHUNK).status == 404
