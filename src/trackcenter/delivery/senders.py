"""From which address a message leaves, and which provider carries it."""

from django.conf import settings

from trackcenter.communications.models import Attempt


def email_provider_of(attempt: Attempt) -> str:
    """The provider that may already have the mail, else the one the settings name.

    Only the provider that was asked to send can say what became of it.
    """
    if attempt.send_started_at is not None and attempt.provider:
        return attempt.provider
    return str(settings.EMAIL_PROVIDER)


def mailbox_of(building_code: str) -> str:
    """The mailbox that sends for a building: its own where it has one, else the usual one."""
    return settings.GRAPH_MAILBOXES.get(building_code) or settings.GRAPH_MAILBOX or ""


def mailboxes() -> list[str]:
    """Every mailbox that sends, each once; they are also where bounces arrive."""
    return sorted({*settings.GRAPH_MAILBOXES.values(), settings.GRAPH_MAILBOX or ""} - {""})


def sender_of(attempt: Attempt, building_code: str) -> str:
    """The address an attempt leaves from; a Graph draft that was begun stays in its mailbox."""
    if attempt.channel == "SMS":
        return settings.SMS_FROM or ""
    if attempt.channel != "EMAIL":
        return ""
    if email_provider_of(attempt) == "acs":
        return settings.EMAIL_FROM or ""
    begun = attempt.draft_id or attempt.send_started_at
    return (attempt.mailbox if begun else "") or mailbox_of(building_code)
