"""Signed calls to Graph: a token on each, one renewal after a 401, errors in our words."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from trackcenter.providers.base import ProviderFailure
from trackcenter.providers.msgraph.config import GraphConfig
from trackcenter.providers.msgraph.errors import failure
from trackcenter.providers.msgraph.tokens import Tokens
from trackcenter.providers.wire import (
    MAX_REPLY_BYTES,
    NoReply,
    Pool,
    Reply,
    Restraint,
    unreachable,
)

IMMUTABLE_IDS = 'IdType="ImmutableId"'
_PAGES_AT_MOST = 1000


class GraphClient:
    """One tenant's Graph, for all threads of a process."""

    def __init__(self, config: GraphConfig, pool: Pool) -> None:
        self.config = config
        self.pool = pool
        self._tokens = Tokens(config, pool)
        self._restraint = Restraint()

    def call(
        self,
        method: str,
        path: str,
        *,
        payload: Mapping[str, Any] | None = None,
        sending: bool = False,
        read_seconds: float | None = None,
        max_bytes: int = MAX_REPLY_BYTES,
        cut: bool = False,
        accept: str = "application/json",
    ) -> Reply:
        """Ask once (twice after a 401, which acted on nothing) and return a 2xx answer.

        `path` begins with a slash and follows the base URL, or is a whole link that Graph gave.
        ProviderFailure otherwise; see `failure` for what `sending` changes. While Graph wants a
        mailbox left alone, its calls fail so without being made.
        """
        url = self._url(path)
        mailbox = _mailbox(path)
        headers = {"Accept": accept, "Prefer": IMMUTABLE_IDS}
        body = b"" if method != "GET" else None
        if payload is not None:
            headers["Content-Type"] = "application/json"
            body = msgspec.json.encode(payload)
        refused: str | None = None
        while True:
            token = self._tokens.current(refused=refused)
            headers["Authorization"] = f"Bearer {token}"
            self._restraint.check(mailbox)
            try:
                reply = self.pool.call(
                    method,
                    url,
                    headers=headers,
                    body=body,
                    read_seconds=read_seconds,
                    max_bytes=max_bytes,
                    cut=cut,
                )
            except NoReply as error:
                raise unreachable("Microsoft Graph", error, sending=sending) from error
            if reply.status == 401 and refused is None:
                refused = token
                continue
            if not 200 <= reply.status < 300:
                self._restraint.heed(mailbox, reply)
                raise failure(reply, sending=sending)
            return reply

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Each page of a collection, following `@odata.nextLink`."""
        link: str | None = path
        for _ in range(_PAGES_AT_MOST):
            if link is None:
                return
            page = self.call("GET", link).json()
            yield page
            following = page.get("@odata.nextLink")
            link = following if isinstance(following, str) else None
        raise ProviderFailure("Microsoft Graph's list does not end.", code="endless-list")

    def _url(self, path: str) -> str:
        if path.startswith("/"):
            return self.config.base_url + path
        ours, theirs = urlsplit(self.config.base_url), urlsplit(path)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            # The token would go with it.
            raise ProviderFailure("Microsoft Graph linked to another host.", code="foreign-link")
        return path


def _mailbox(path: str) -> str:
    """The mailbox that a path or a link is about; empty for what is about none."""
    return path.partition("/users/")[2].partition("/")[0].lower()


def values(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects of one page; anything else in it is left out."""
    found = page.get("value")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
