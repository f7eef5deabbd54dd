"""Keeping Graph's notifications coming, and catching up on those that never came."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction

from trackcenter.delivery.senders import mailboxes
from trackcenter.delivery.slots import graph_slot, mailbox_slot
from trackcenter.kit.clock import now
from trackcenter.providers import registry
from trackcenter.providers.base import ProviderFailure
from trackcenter.queue.retry import RetryAt
from trackcenter.receipts.models import InboxCursor
from trackcenter.receipts.store import GRAPH, Arrival, as_body, graph_identity, store

log = logging.getLogger(__name__)

T = TypeVar("T")

WEBHOOK = "/api/track/providers/msgraph/email"

LOOK_BACK = timedelta(days=14)
"""How far back a first look into an inbox goes: an old mailbox may hold a hundred thousand mails,
and a report that is older than this is about nothing we sent lately."""


def watched_mailboxes() -> list[str]:
    """The mailboxes to watch; none where there is no address at which to be told."""
    if settings.GRAPH_CLIENT_STATE and settings.PUBLIC_URL:
        return mailboxes()
    return []


@dataclass(frozen=True, slots=True)
class Watch:
    """How a mailbox is watched: until when notifications come (None: they do not)."""

    mailbox: str
    expires_at: datetime | None


def examine() -> list[Watch]:
    """How every mailbox is watched just now. Changes nothing; raises `ProviderFailure`."""
    found = []
    for mailbox in watched_mailboxes():
        with graph_slot():
            current = registry.graph_mail(settings).subscriptions.current(
                mailbox, notification_url=_url(), lifecycle_url=_url()
            )
        found.append(Watch(mailbox, current.expires_at if current else None))
    return found


def ensure(*, renew: bool = False, removed: str | None = None) -> None:
    """Create, renew or keep the subscription to every sending mailbox's inbox.

    Graph calls back during this, so the server must be running. A subscription that had to be
    made anew was missing for a while, so its inbox is read again. One that Graph called `removed`
    is not kept, even where it is listed still. Raises `ProviderFailure`, or `RetryAt` for a mailbox
    that is to be left alone, when the others are done.
    """
    _each(watched_mailboxes(), lambda mailbox: _ensure(mailbox, renew=renew, removed=removed))


def _ensure(mailbox: str, *, renew: bool, removed: str | None) -> None:
    with mailbox_slot(mailbox):
        subscription = registry.graph_mail(settings).subscriptions.ensure(
            mailbox,
            notification_url=_url(),
            lifecycle_url=_url(),
            client_state=settings.GRAPH_CLIENT_STATE or "",
            renew=renew,
            removed=removed,
        )
    if subscription.change != "kept":
        log.info("Graph subscription", extra={"change": subscription.change})
    if subscription.change == "created":
        _resync(mailbox)


def handle_lifecycle(notification: dict[str, Any]) -> None:
    """Do what a lifecycle notification asks for. Raises `ProviderFailure` or `RetryAt`."""
    event = notification.get("lifecycleEvent")
    if event == "reauthorizationRequired":
        _reauthorize(str(notification.get("subscriptionId", "")))
    elif event == "subscriptionRemoved":
        ensure(removed=str(notification.get("subscriptionId", "")))
        resync()
    elif event == "missed":
        resync()


def _reauthorize(subscription_id: str) -> None:
    try:
        with graph_slot():
            registry.graph_mail(settings).subscriptions.reauthorize(subscription_id)
    except ProviderFailure as failure:
        if failure.status not in (404, 410):
            raise
        ensure()  # it went before we could answer


def resync() -> int:
    """Store every mail of the inboxes that no notification told of. Says how many were new.

    Raises `ProviderFailure`, or `RetryAt` for a mailbox that is to be left alone, when the others
    are done.
    """
    return sum(_each(watched_mailboxes(), _resync))


def _each(names: Sequence[str], do: Callable[[str], T]) -> list[T]:
    """Do something for each mailbox; one that has to wait does not keep the others."""
    done, waits = [], None
    for mailbox in names:
        try:
            done.append(do(mailbox))
        except RetryAt as later:
            waits = later
    if waits is not None:
        raise waits
    return done


def _resync(mailbox: str) -> int:
    """The receipts and the place reached in the inbox are committed together."""
    cursor = InboxCursor.objects.filter(mailbox=mailbox).first()
    with mailbox_slot(mailbox):
        changes = registry.graph_mail(settings).inbox_changes(
            mailbox, cursor.delta_link if cursor else None, since=now() - LOOK_BACK
        )
    with transaction.atomic():
        new = store(_arrival(mailbox, message.id) for message in changes.messages)
        InboxCursor.objects.update_or_create(
            mailbox=mailbox, defaults={"delta_link": changes.delta_link}
        )
    return new


def _url() -> str:
    return f"{settings.PUBLIC_URL}{WEBHOOK}"


def _arrival(mailbox: str, message_id: str) -> Arrival:
    item = {
        "resource": f"Users/{mailbox}/Messages/{message_id}",
        "resourceData": {"id": message_id},  # which may hold a slash
        "changeType": "created",
    }
    return Arrival(GRAPH, graph_identity(item), as_body(item))
