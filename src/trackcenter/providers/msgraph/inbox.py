"""Reading the sending mailbox: where receipts, bounces and ordinary answers arrive."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from trackcenter.providers.base import ProviderFailure
from trackcenter.providers.msgraph.client import GraphClient, values

_MIME_BYTES = 4 * 1024 * 1024
"""A report says what it has to say at its beginning; the returned original may be huge."""

_STATE_GONE = ("syncstatenotfound", "syncstateinvalid", "resyncrequired")


@dataclass(frozen=True)
class InboxMessage:
    """A message in the inbox; `received_at` is aware UTC, None when Graph did not say."""

    id: str
    received_at: datetime | None


@dataclass(frozen=True)
class InboxChanges:
    """What came since the last look, and the link that continues from here."""

    messages: tuple[InboxMessage, ...]
    delta_link: str
    restarted: bool = False
    """The old link had run out, so these are not only what is new."""


class Inbox:
    """The inboxes that the application may read."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client

    def fetch_mime(self, mailbox: str, message_id: str) -> bytes:
        """A message as MIME (RFC 5322), its first 4 MB.

        ProviderFailure is permanent where Graph finds the mailbox, but no such message in it.
        """
        path = f"/users/{quote(mailbox, safe='@')}/messages/{quote(message_id, safe='')}/$value"
        try:
            reply = self._client.call("GET", path, max_bytes=_MIME_BYTES, cut=True, accept="*/*")
        except ProviderFailure as error:
            # Any other 404 is about the mailbox.
            if (error.code or "").lower() == "erroritemnotfound":
                raise replace(
                    error,
                    message="The message is no longer in the mailbox.",
                    permanent=True,
                    misconfigured=False,
                ) from error
            raise
        return reply.body

    def list_inbox_since(self, mailbox: str, since: datetime) -> Iterator[InboxMessage]:
        """Messages received at or after `since` (aware), oldest first."""
        question = urlencode(
            {
                "$filter": f"receivedDateTime ge {_iso(since)}",
                "$orderby": "receivedDateTime",
                "$select": "id,receivedDateTime",
                "$top": "100",
            },
            quote_via=quote,
            safe="$",
        )
        for page in self._client.pages(f"{_inbox(mailbox)}?{question}"):
            yield from _messages(page)

    def inbox_changes(
        self, mailbox: str, delta_link: str | None = None, *, since: datetime | None = None
    ) -> InboxChanges:
        """New messages since `delta_link`, by delta query. Removed messages are left out.

        Without a link, or with one that Graph forgot (`restarted`), these are the messages
        received at or after `since` (aware; None: all of the inbox).
        """
        if delta_link is not None:
            try:
                return self._changes(delta_link)
            except ProviderFailure as error:
                if error.status != 410 and (error.code or "").lower() not in _STATE_GONE:
                    raise
        return replace(self._first_changes(mailbox, since), restarted=delta_link is not None)

    def _first_changes(self, mailbox: str, since: datetime | None) -> InboxChanges:
        start = f"{_inbox(mailbox)}/delta?$select=id,receivedDateTime"
        if since is None:
            return self._changes(start)
        bound = urlencode(
            {"$filter": f"receivedDateTime ge {_iso(since)}"}, quote_via=quote, safe="$"
        )
        try:
            changes = self._changes(f"{start}&{bound}")
        except ProviderFailure as error:
            if error.status != 400:
                raise
            changes = self._changes(start)  # a server without that filter
        # A filtered delta ends after 5,000 messages, so the link is its only use here.
        recent = {each.id: each for each in self.list_inbox_since(mailbox, since)}
        recent |= {
            each.id: each
            for each in changes.messages
            if each.received_at is None or each.received_at >= since
        }
        return replace(changes, messages=tuple(recent.values()))

    def _changes(self, link: str) -> InboxChanges:
        messages: list[InboxMessage] = []
        delta_link = ""
        for page in self._client.pages(link):
            messages.extend(_messages(page))
            delta_link = str(page.get("@odata.deltaLink") or delta_link)
        if not delta_link:
            raise ProviderFailure("Microsoft Graph gave no delta link.", code="no-delta-link")
        return InboxChanges(tuple(messages), delta_link)


def _inbox(mailbox: str) -> str:
    return f"/users/{quote(mailbox, safe='@')}/mailFolders/inbox/messages"


def _messages(page: dict[str, Any]) -> Iterator[InboxMessage]:
    for each in values(page):
        message_id = each.get("id")
        if isinstance(message_id, str) and "@removed" not in each:
            yield InboxMessage(message_id, _moment(each.get("receivedDateTime")))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
