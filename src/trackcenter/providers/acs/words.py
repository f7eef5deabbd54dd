"""The words of Azure Communication Services in ours.

Documented samples differ in the case of the same word, and words may be added: compare without
case, and let an unknown word be a NOTICE that keeps its text.
"""

from typing import Literal

Kind = Literal["FAILED", "DELIVERED", "OPENED", "NOTICE"]

OPTED_OUT = "4007"
"""The detail code of a delivery report whose recipient no longer wants text messages from us."""

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


def sms_code(detail: str) -> str | None:
    """The four-digit code at the head of a delivery report's details, None where there is none."""
    code = detail.strip()[:4]
    if len(code) == 4 and code.isdecimal() and not detail.strip()[4:5].isdecimal():
        return code
    if "sender blocked for given recipient" in detail.lower():
        return OPTED_OUT
    return None


def email_kind(word: str) -> Kind:
    """`status` of an e-mail delivery report."""
    return _EMAIL.get(word.strip().lower(), "NOTICE")


def engagement_kind(word: str) -> Kind:
    """`engagementType` of an e-mail engagement report."""
    return _ENGAGEMENT.get(word.strip().lower(), "NOTICE")
