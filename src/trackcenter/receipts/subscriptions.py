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


def configured() -> bool:
    """Whether this installation has a mailbox to watch and an address to be told at."""
    return all((settings.GRAPH_MAILBOX, settings.GRAPH_CLIENT_STATE, settings.PUBLIC_URL))


def ensure(*, renew: bool = False) -> None:
    """Create, renew or keep the subscription to the sending mailbox's inbox.

    Graph calls back during this, so the server must be running. Raises `ProviderFailure`.
    """
    if not configured():
        return
    url = f"{settings.PUBLIC_URL}{WEBHOOK}"
    subscription = registry.graph_mail(settings).subscriptions.ensure(
        settings.GRAPH_MAILBOX,
        notification_url=url,
        lifecycle_url=url,
        client_state=settings.GRAPH_CLIENT_STATE,
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
    if not configured():
        return 0
    mailbox = settings.GRAPH_MAILBOX
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
