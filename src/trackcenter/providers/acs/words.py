"""The words of Azure Communication Services in ours.

Documented samples differ in the case of the same word, and words may be added: compare without
case, and let an unknown word be a NOTICE that keeps its text.
"""

from typing import Literal

Kind = Literal["FAILED", "DELIVERED", "OPENED", "NOTICE"]

_SMS: dict[str, Kind] = {
    "delivered": "DELIVERED",
    "failed": "FAILED",
    "undelivered": "FAILED",
    "rejected": "FAILED",
    "expired": "FAILED",
}

_EMAIL: dict[str, Kind] = {
    "delivered": "DELIVERED",
    # A distribution list took it apart; whether a person got it, nobody says.
    "expanded": "NOTICE",
    "outfordelivery": "NOTICE",
    "suppressed": "FAILED",
    "bounced": "FAILED",
    # It arrived where nobody looks: for the sender of a bill that is not delivery.
    "quarantined": "FAILED",
    "filteredspam": "FAILED",
    "failed": "FAILED",
}

_ENGAGEMENT: dict[str, Kind] = {"view": "OPENED", "click": "NOTICE"}


def sms_kind(word: str) -> Kind:
    """`deliveryStatus` of a text message."""
    return _SMS.get(word.strip().lower(), "NOTICE")


def email_kind(word: str) -> Kind:
    """`status` of an e-mail delivery report."""
    return _EMAIL.get(word.strip().lower(), "NOTICE")


def engagement_kind(word: str) -> Kind:
    """`engagementType` of an e-mail engagement report."""
    return _ENGAGEMENT.get(word.strip().lower(), "NOTICE")
