"""What is known of a request that got no answer, and bounds on the answers that come."""

import socket
import ssl
from datetime import UTC, datetime

import pytest

from tests.providers.peer import Answer, peer
from trackcenter.providers.base import ProviderFailure
from trackcenter.providers.wire import NoReply, Pool, checked_url, retry_after_seconds, unreachable


def post(url: str, pool: Pool | None = None, **more: object) -> object:
    pool = pool or Pool(connect_seconds=1, read_seconds=1)
    return pool.call("POST", url, headers={}, body=b"send", **more)  # type: ignore[arg-type]


def a_closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return f"http://127.0.0.1:{gone.getsockname()[1]}"


def test_a_refused_connection_cannot_have_sent_anything() -> None:
    with pytest.raises(NoReply) as refused:
        post(a_closed_port())
    assert not refused.value.may_have_arrived


def test_an_unknown_host_cannot_have_sent_anything() -> None:
    with pytest.raises(NoReply) as unknown:
        post("http://nowhere.invalid/")
    assert not unknown.value.may_have_arrived


def test_a_failed_handshake_cannot_have_sent_anything() -> None:
    with peer(lambda _: Answer()) as plain, pytest.raises(NoReply) as failed:
        post(plain.url.replace("http:", "https:"), Pool(trust=ssl.create_default_context()))
    assert not failed.value.may_have_arrived
    # The peer may take the random bytes of a handshake for a request line; it is none of ours.
    assert "POST" not in [asked.method for asked in plain.asked]


def test_a_handshake_that_never_ends_cannot_have_sent_anything() -> None:
    patience = Pool(trust=ssl.create_default_context(), connect_seconds=0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(NoReply) as failed:
        post(f"https://127.0.0.1:{mute.getsockname()[1]}/", patience)
    assert not failed.value.may_have_arrived


@pytest.mark.parametrize(
    "raw",
    [
        b"",  # closed without a word
        b"HTTP/1.1 20",  # in the middle of the status
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nhalf",
        b"SSH-2.0-OpenSSH_9\r\n",
    ],
)
def test_a_request_without_a_complete_answer_may_have_arrived(raw: bytes) -> None:
    with peer(lambda _: Answer(raw=raw)) as broken, pytest.raises(NoReply) as lost:
        post(broken.url)
    assert lost.value.may_have_arrived
    assert [each.body for each in broken.asked] == [b"send"], "the library never asks again"


def test_a_slow_answer_may_come_from_a_request_that_arrived() -> None:
    with peer(lambda _: None) as slow, pytest.raises(NoReply) as lost:
        post(slow.url, read_seconds=0.2)
    assert lost.value.may_have_arrived


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with peer(lambda _: Answer(307, headers={"Location": "/elsewhere"})) as sly:
        reply = post(sly.url)
    assert reply.status == 307  # type: ignore[attr-defined]
    assert len(sly.asked) == 1


def test_an_endless_answer_is_cut_or_refused() -> None:
    with peer(lambda _: Answer(body=b"x" * 500_000)) as long:
        with pytest.raises(NoReply, match="too long"):
            post(long.url, max_bytes=100_000)
        assert len(post(long.url, max_bytes=100_000, cut=True).body) == 100_000  # type: ignore[attr-defined]


def test_connections_are_kept() -> None:
    pool = Pool()
    with peer(lambda _: Answer(204)) as kept:
        for _ in range(3):
            post(kept.url, pool)
        assert len(kept.asked) == 3


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Mon, 23 Nov 2026 08:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0.0),
        ("999999999", 86400.0),
        ("soon", None),
        ("nan", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    at = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    assert retry_after_seconds(value, at=at) == seconds


def test_only_a_send_can_leave_the_outcome_unknown() -> None:
    lost = NoReply("reset", may_have_arrived=True)
    assert unreachable("Graph", lost, sending=True).unknown
    assert not unreachable("Graph", lost, sending=False).unknown
    refused = NoReply("refused", may_have_arrived=False)
    assert not unreachable("Graph", refused, sending=True).unknown


@pytest.mark.parametrize(
    "url", ["https://graph.microsoft.com/v1.0/", "http://127.0.0.1:1/", "http://localhost/"]
)
def test_plain_http_is_for_this_machine(url: str) -> None:
    assert checked_url("NAME", url) == url.rstrip("/")


@pytest.mark.parametrize("url", ["http://graph.microsoft.com", "ftp://127.0.0.1", "", "127.0.0.1"])
def test_any_other_address_is_refused_by_the_name_of_its_setting(url: str) -> None:
    with pytest.raises(ProviderFailure, match="NAME") as refused:
        checked_url("NAME", url)
    assert refused.value.misconfigured
