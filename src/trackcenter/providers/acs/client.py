"""Signed calls to Azure Communication Services, and its errors in our words."""

from collections.abc import Mapping
from typing import Any

import msgspec

from trackcenter.kit.clock import now
from trackcenter.providers.acs.config import AcsConfig
from trackcenter.providers.acs.signing import signed_headers
from trackcenter.providers.base import ProviderFailure
from trackcenter.providers.wire import NoReply, Pool, Reply, Restraint, unreachable

PROVIDER = "acs"
_NAME = "Azure Communication Services"

_SENTENCES = {
    400: f"{_NAME} refused the message.",
    401: f"{_NAME} did not accept our signature: check the access key and this machine's clock.",
    403: f"{_NAME} does not let this resource send.",
    404: f"{_NAME} does not know the sender or this address.",
    413: "The message is too large.",
    429: f"{_NAME} asked us to slow down.",
}
_MISCONFIGURED = frozenset({401, 403, 404})
_TEMPORARY_4XX = frozenset({408, 409, 412, 425, 429})


class AcsClient:
    """One resource, for all threads of a process."""

    def __init__(self, config: AcsConfig, pool: Pool) -> None:
        self._config = config
        self._pool = pool
        self._restraint = Restraint()

    def call(
        self,
        method: str,
        path: str,
        *,
        payload: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        sending: bool = False,
    ) -> Reply:
        """Ask once and return a 2xx answer; ProviderFailure otherwise.

        While Azure wants to be left alone, calls fail so without being made.
        """
        self._restraint.check("")
        url = self._config.endpoint + path
        body = b""
        every = {"Accept": "application/json", **(headers or {})}
        if payload is not None:
            body = msgspec.json.encode(payload)
            every["Content-Type"] = "application/json"
        every |= signed_headers(method, url, body, key=self._config.key, at=now())
        try:
            reply = self._pool.call(method, url, headers=every, body=body or None)
        except NoReply as error:
            raise unreachable(_NAME, error, sending=sending) from error
        if not 200 <= reply.status < 300:
            self._restraint.heed("", reply)
            raise failure(reply, sending=sending)
        return reply


def failure(reply: Reply, *, sending: bool = False) -> ProviderFailure:
    """An error answer to a whole request. A server's trouble with a send leaves it unknown."""
    error = reply.json().get("error")
    code = error.get("code") if isinstance(error, dict) else None
    permanent, misconfigured = judged(reply.status)
    return ProviderFailure(
        sentence(reply.status),
        permanent=permanent,
        code=code if isinstance(code, str) and code else f"HTTP {reply.status}",
        raw=reply.text,
        retry_after=reply.retry_after,
        unknown=sending and (reply.status >= 500 or reply.status == 408),
        misconfigured=misconfigured,
        status=reply.status,
    )


def judged(status: int) -> tuple[bool, bool]:
    """Whether an HTTP status is permanent for the message, and whether it is ours to mend."""
    if status in _MISCONFIGURED:
        return False, True
    return 400 <= status < 500 and status not in _TEMPORARY_4XX, False


def sentence(status: int) -> str:
    """An HTTP status as a sentence for an administrator."""
    if status in _SENTENCES:
        return _SENTENCES[status]
    if 400 <= status < 500:
        return _SENTENCES[400]
    return f"{_NAME} had a passing fault."
