"""HTTP to a provider: pooled, bounded, never retried by the library.

What matters to a send is one question: can the provider have acted on the request? A refused
connection, a failed name look-up or TLS handshake cannot; a request that was written and got no
complete answer can.
"""

import ipaddress
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from trackcenter.kit.clock import now
from trackcenter.providers.base import ProviderFailure

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
MAX_REPLY_BYTES = 4 * 1024 * 1024
_LONGEST_WAIT_SECONDS = 24 * 3600.0


class NoReply(Exception):
    """No complete answer came. `may_have_arrived` is false only where that is certain."""

    def __init__(self, words: str, *, may_have_arrived: bool) -> None:
        super().__init__(words)
        self.may_have_arrived = may_have_arrived


@dataclass(frozen=True)
class Reply:
    """A complete answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one when it is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def text(self) -> str:
        """The body as it came, undecodable bytes replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait by `Retry-After` (RFC 9110: a number or a date); None when unnamed."""
        return retry_after_seconds(self.headers.get("Retry-After"))


def retry_after_seconds(value: str | None, *, at: datetime | None = None) -> float | None:
    """`Retry-After` as seconds from `at` (default: now), within 0 and a day; None if unreadable."""
    if value is None:
        return None
    words = value.strip()
    try:
        seconds = float(words)
    except ValueError:
        try:
            moment = parsedate_to_datetime(words)
        except (ValueError, TypeError, IndexError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - (at or now())).total_seconds()
    if seconds != seconds:  # 'nan' is a float, not a number of seconds
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)


class _Connection(HTTPSConnection):
    def connect(self) -> None:
        """Connect; a failed handshake is a failure to connect: nothing was asked of anyone yet."""
        try:
            super().connect()
        except (OSError, ssl.CertificateError) as error:  # a timeout within it, too
            raise NewConnectionError(self, f"TLS handshake failed: {error}") from error


@cache
def _trust() -> ssl.SSLContext:
    """The machine's certificate authorities, read when first needed: that takes a while."""
    return ssl.create_default_context()


class _ConnectionPool(HTTPSConnectionPool):
    ConnectionCls = _Connection

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **({"ssl_context": _trust()} | more))


def _target(url: str) -> str:
    """What stands in the request's first line: path and query."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class Pool:
    """Connections to providers, shared by the threads of a process."""

    def __init__(
        self,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        connections: int = 16,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        own_trust: dict[str, Any] = {"ssl_context": trust} if trust else {}
        self._manager = urllib3.PoolManager(
            num_pools=8, maxsize=connections, retries=False, **own_trust
        )
        self._manager.pool_classes_by_scheme = {
            "http": HTTPConnectionPool,
            "https": _ConnectionPool,
        }

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        read_seconds: float | None = None,
        max_bytes: int = MAX_REPLY_BYTES,
        cut: bool = False,
    ) -> Reply:
        """Ask once and read the whole answer; redirects are answers, not followed.

        An answer longer than `max_bytes` is NoReply, or cut there when `cut`. The answer's body
        must be complete within twice the read timeout, so that a trickle cannot hold a worker.
        """
        seconds = read_seconds or self._read_seconds
        deadline = time.monotonic() + 2 * seconds
        try:
            # Not by the manager: its redirects and retries, which we do not want, cost a quarter.
            response = self._manager.connection_from_url(url).urlopen(
                method,
                _target(url),
                body=body,
                headers=dict(headers),
                timeout=urllib3.Timeout(connect=self._connect_seconds, read=seconds),
                preload_content=False,
                redirect=False,
                retries=False,
            )
        except ConnectTimeoutError as error:  # refused, no such host, no handshake, too slow
            raise NoReply(str(error), may_have_arrived=False) from error
        except (HTTPError, OSError) as error:
            raise NoReply(str(error), may_have_arrived=True) from error
        complete = False
        try:
            chunks, size = [], 0
            while chunk := response.read(65536):
                chunks.append(chunk)
                size += len(chunk)
                if size > max_bytes and cut:
                    break
                if size > max_bytes:
                    raise NoReply("the answer is too long", may_have_arrived=True)
                if time.monotonic() > deadline:
                    raise NoReply("the answer came too slowly", may_have_arrived=True)
            else:
                complete = True
        except (HTTPError, OSError) as error:
            raise NoReply(str(error), may_have_arrived=True) from error
        finally:
            if complete:
                response.release_conn()
            else:
                response.close()
        return Reply(response.status, response.headers, b"".join(chunks)[:max_bytes])


class Restraint:
    """What `Retry-After` asks of the threads of this process, a sender: calls that were about to be
    made when another one was told to wait are not made. (The worker's pause holds for all
    processes, but is looked at once a message.)
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def check(self, sender: str) -> None:
        """ProviderFailure, with the time that is left, while the sender is to be left alone."""
        left = self._until.get(sender, 0.0) - time.monotonic()
        if left > 0:
            raise ProviderFailure(
                "The provider asked us to slow down.", code="retry-after", retry_after=left
            )

    def heed(self, sender: str, reply: Reply) -> None:
        """Remember what a refusal asked for."""
        if reply.status >= 400 and (seconds := reply.retry_after):
            until = time.monotonic() + seconds
            self._until[sender] = max(until, self._until.get(sender, 0.0))


def unreachable(provider: str, error: NoReply, *, sending: bool) -> ProviderFailure:
    """No answer, as a failure: after a request to send that may have arrived, nobody knows."""
    if error.may_have_arrived:
        message = f"{provider} did not answer."
    else:
        message = f"{provider} could not be reached."
    return ProviderFailure(
        message, code="no-reply", raw=str(error), unknown=sending and error.may_have_arrived
    )


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine, the only place where plain http is acceptable."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_url(name: str, url: str) -> str:
    """A provider's base URL without its last slash; a misconfiguration unless https or loopback."""
    parts = urlsplit(url)
    if not parts.hostname or (parts.scheme != "https" and not is_loopback(url)):
        raise ProviderFailure(
            f"{name} must be an https address (plain http only on this machine).",
            code="configuration",
            misconfigured=True,
        )
    if parts.scheme not in ("https", "http"):
        raise ProviderFailure(
            f"{name} must begin with https.", code="configuration", misconfigured=True
        )
    return url.rstrip("/")
