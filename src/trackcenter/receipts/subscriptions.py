"""Keeping Graph's notifications coming, and catching up on those that never came."""

import logging
from typing import Any

from django.conf import settings
from django.db import transaction

from trackcenter.providers import registry
from trackcenter.receipts.models import InboxCursor
from trackcenter.receipts.store import Arrival, as_body, graph_identity, store

log = logging.getLogger(__name__)

WEBHOOK = "/api/track/providers/msgraph/email"


def watched_mailbox() -> str | None:
    """The mailbox to watch; None where there is none, or no address at which to be told."""
    if settings.GRAPH_CLIENT_STATE and settings.PUBLIC_URL:
        return settings.GRAPH_MAILBOX or None
    return None


def ensure(*, renew: bool = False) -> None:
    """Create, renew or keep the subscription to the sending mailbox's inbox.

    Graph calls back during this, so the server must be running. Raises `ProviderFailure`.
    """
    mailbox = watched_mailbox()
    if mailbox is None:
        return
    url = f"{settings.PUBLIC_URL}{WEBHOOK}"
    subscription = registry.graph_mail(settings).subscriptions.ensure(
        mailbox,
        notification_url=url,
        lifecycle_url=url,
        client_state=settings.GRAPH_CLIENT_STATE or "",
        renew=renew,
    )
    if subscription.change != "kept":
        log.info("Graph subscription", extra={"change": subscription.change})


def handle_lifecycle(notification: dict[str, Any]) -> None:
    """Do what a lifecycle notification asks for."""
    event = notification.get("lifecycleEvent")
    if event == "reauthorizationRequired":
        registry.graph_mail(settings).subscriptions.reauthorize(
            str(notification.get("subscriptionId", ""))
        )
    elif event == "subscriptionRemoved":
        ensure()
        resync()
    elif event == "missed":
        resync()


def resync() -> int:
    """Store every mail of the inbox that no notification told of. Says how many were new.

    The receipts and the place reached in the inbox are committed together.
    """
    mailbox = watched_mailbox()
    if mailbox is None:
        return 0
    cursor = InboxCursor.objects.filter(mailbox=mailbox).first()
    changes = registry.graph_mail(settings).inbox_changes(
        mailbox, cursor.delta_link if cursor else None
    )
    with transaction.atomic():
        new = store(_arrival(mailbox, message.id) for message in changes.messages)
        InboxCursor.objects.update_or_create(
            mailbox=mailbox, defaults={"delta_link": changes.delta_link}
        )
    return new


def _arrival(mailbox: str, message_id: str) -> Arrival:
    item = {"resource": f"Users/{mailbox}/Messages/{message_id}", "changeType": "created"}
    return Arrival("msgraph-email", graph_identity(item), as_body(item))
