"""Graph change notifications for an inbox: there, not running out, pointing at us.

https://learn.microsoft.com/graph/change-notifications-lifecycle-events
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

from trackcenter.kit.clock import now
from trackcenter.providers.base import ProviderFailure
from trackcenter.providers.msgraph.client import GraphClient, values

LIFETIME = timedelta(minutes=10_080) - timedelta(hours=1)
"""What we ask for: Graph's longest for messages, less room for clocks that differ."""

RENEW_BEFORE = timedelta(days=3)
"""Renewed this long before the end, so that a weekend's outage costs nothing."""


@dataclass(frozen=True)
class Subscription:
    """A subscription as it now stands; `expires_at` is aware UTC."""

    id: str
    mailbox: str
    expires_at: datetime
    change: Literal["created", "renewed", "kept"]


class Subscriptions:
    """The subscriptions of our application."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client

    def ensure(
        self,
        mailbox: str,
        *,
        notification_url: str,
        lifecycle_url: str,
        client_state: str,
        renew: bool = False,
        removed: str | None = None,
        at: datetime | None = None,
    ) -> Subscription:
        """Have a living subscription for new mail in the mailbox's inbox; run it as often as liked.

        Created with both URLs when there is none, renewed within RENEW_BEFORE of its end (always
        when `renew`), created anew when Graph dropped it or says that it `removed` the one of this
        id, which may be listed for a while.
        Graph calls both URLs for its handshake before it answers: they must be up.
        """
        moment = at or now()
        until = moment + LIFETIME
        found = self.current(
            mailbox,
            notification_url=notification_url,
            lifecycle_url=lifecycle_url,
            removed=removed,
            at=moment,
        )
        if found is not None:
            if not renew and found.expires_at - moment > RENEW_BEFORE:
                return found
            if (renewed := self._renew(found.id, mailbox, until)) is not None:
                return renewed
        return self._create(mailbox, notification_url, lifecycle_url, client_state, until)

    def current(
        self,
        mailbox: str,
        *,
        notification_url: str,
        lifecycle_url: str,
        removed: str | None = None,
        at: datetime | None = None,
    ) -> Subscription | None:
        """The living subscription of a mailbox that calls these URLs, or None. Changes nothing."""
        moment = at or now()
        for each in self._ours(mailbox, notification_url, lifecycle_url):
            expires_at = _moment(each.get("expirationDateTime"))
            if each["id"] != removed and expires_at is not None and expires_at > moment:
                return Subscription(str(each["id"]), mailbox, expires_at, "kept")
        return None

    def reauthorize(self, subscription_id: str) -> None:
        """Answer `reauthorizationRequired`; the end stays where it is."""
        self._client.call("POST", f"/subscriptions/{quote(subscription_id, safe='')}/reauthorize")

    def _ours(
        self, mailbox: str, notification_url: str, lifecycle_url: str
    ) -> list[dict[str, Any]]:
        """Those of this inbox that already call these URLs, the longest-lived first."""
        resource = _comparable(_resource(mailbox))
        found = [
            each
            for page in self._client.pages("/subscriptions")
            for each in values(page)
            if isinstance(each.get("id"), str)
            and _comparable(str(each.get("resource", ""))) == resource
            and each.get("notificationUrl") == notification_url
            and each.get("lifecycleNotificationUrl") in (lifecycle_url, None)
        ]
        return sorted(found, key=lambda each: str(each.get("expirationDateTime")), reverse=True)

    def _renew(self, subscription_id: str, mailbox: str, until: datetime) -> Subscription | None:
        try:
            reply = self._client.call(
                "PATCH",
                f"/subscriptions/{quote(subscription_id, safe='')}",
                payload={"expirationDateTime": _iso(until)},
            )
        except ProviderFailure as error:
            if error.status in (404, 410):
                return None  # it ran out or was removed meanwhile
            raise
        expires_at = _moment(reply.json().get("expirationDateTime")) or until
        return Subscription(subscription_id, mailbox, expires_at, "renewed")

    def _create(
        self,
        mailbox: str,
        notification_url: str,
        lifecycle_url: str,
        client_state: str,
        until: datetime,
    ) -> Subscription:
        reply = self._client.call(
            "POST",
            "/subscriptions",
            payload={
                "changeType": "created",
                "notificationUrl": notification_url,
                "lifecycleNotificationUrl": lifecycle_url,
                "resource": _resource(mailbox),
                "expirationDateTime": _iso(until),
                "clientState": client_state,
            },
        )
        answer = reply.json()
        if not isinstance(answer.get("id"), str):
            raise ProviderFailure(
                "Microsoft created a subscription without naming it.", code="no-id", raw=reply.text
            )
        expires_at = _moment(answer.get("expirationDateTime")) or until
        return Subscription(answer["id"], mailbox, expires_at, "created")


def _resource(mailbox: str) -> str:
    return f"/users/{mailbox}/mailFolders('inbox')/messages"


def _comparable(resource: str) -> str:
    """Graph gives a resource back with or without the slash and with its own case."""
    return resource.strip("/").lower()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
