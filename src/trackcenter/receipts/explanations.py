"""Enhanced status codes (RFC 3463) as a sentence and a next step for an administrator."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "de"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What happened, and what to do about it."""

    sentence: str
    next_step: str


_Texts = dict[Language, Explanation]


def _texts(en: str, en_step: str, de: str, de_step: str) -> _Texts:
    return {"en": Explanation(en, en_step), "de": Explanation(de, de_step)}


_CORRECT = "Correct the address and send again."
_KORRIGIEREN = "Adresse korrigieren und erneut senden."
_LATER = "Send again later, or send a letter."
_SPAETER = "Später erneut senden oder einen Brief schicken."
_ASK_POLICY = "Ask the recipient to allow your address, or send a letter."
_UM_FREIGABE_BITTEN = "Empfänger um Freigabe Ihrer Adresse bitten oder einen Brief schicken."
_OUR_ADMIN = "Have your mail administrator check the sending domain (SPF, DKIM, DMARC)."
_UNSER_ADMIN = "Die sendende Domain (SPF, DKIM, DMARC) von der Mailadministration prüfen lassen."

_NO_SUCH_ADDRESS = _texts(
    "There is no such mailbox.",
    _CORRECT,
    "Dieses Postfach gibt es nicht.",
    _KORRIGIEREN,
)
_BAD_DOMAIN = _texts(
    "The part of the address after the @ does not exist or takes no mail.",
    _CORRECT,
    "Der Teil der Adresse nach dem @ existiert nicht oder nimmt keine Mail an.",
    _KORRIGIEREN,
)
_MALFORMED = _texts(
    "The address is not written correctly.",
    _CORRECT,
    "Die Adresse ist falsch geschrieben.",
    _KORRIGIEREN,
)
_FULL = _texts("The mailbox is full.", _LATER, "Das Postfach ist voll.", _SPAETER)
_DISABLED = _texts(
    "The mailbox is disabled or takes no mail.",
    "Ask the recipient for another address, or send a letter.",
    "Das Postfach ist deaktiviert oder nimmt keine Mail an.",
    "Nach einer anderen Adresse fragen oder einen Brief schicken.",
)
_TOO_BIG = _texts(
    "The message is too large for the recipient's mailbox.",
    "Send a letter, or ask for an address that takes larger messages.",
    "Die Nachricht ist zu groß für das Postfach.",
    "Einen Brief schicken oder nach einer anderen Adresse fragen.",
)
_UNREACHABLE = _texts(
    "The recipient's mail system could not be reached.",
    _LATER,
    "Das Mailsystem des Empfängers war nicht erreichbar.",
    _SPAETER,
)
_EXPIRED = _texts(
    "Delivery was tried for a long time without success.",
    _LATER,
    "Die Zustellung wurde lange ohne Erfolg versucht.",
    _SPAETER,
)
_LOOP = _texts(
    "The message was forwarded in a circle.",
    "Ask the recipient to check their forwarding, or send a letter.",
    "Die Nachricht wurde im Kreis weitergeleitet.",
    "Empfänger bitten, die Weiterleitung zu prüfen, oder einen Brief schicken.",
)
_REFUSED = _texts(
    "The recipient's mail system does not accept mail from you.",
    _ASK_POLICY,
    "Das Mailsystem des Empfängers nimmt keine Mail von Ihnen an.",
    _UM_FREIGABE_BITTEN,
)
_UNPROVEN = _texts(
    "The recipient's mail system doubts that the mail is really from you.",
    _OUR_ADMIN,
    "Das Mailsystem des Empfängers zweifelt, dass die Mail wirklich von Ihnen kommt.",
    _UNSER_ADMIN,
)
_CONTENT = _texts(
    "The recipient's mail system did not accept the content of the message.",
    "Send a letter, or ask the recipient to allow your messages.",
    "Das Mailsystem des Empfängers hat den Inhalt der Nachricht abgelehnt.",
    "Einen Brief schicken oder den Empfänger um Freigabe bitten.",
)
_SENDER = _texts(
    "The recipient's mail system did not accept the sender address.",
    _OUR_ADMIN,
    "Das Mailsystem des Empfängers hat die Absenderadresse abgelehnt.",
    _UNSER_ADMIN,
)
_LATER_ON = _texts(
    "The recipient's mail system could not take the message at that time.",
    _LATER,
    "Das Mailsystem des Empfängers konnte die Nachricht gerade nicht annehmen.",
    _SPAETER,
)
_BOUNCED = _texts(
    "The recipient's mail system returned the message.",
    "Check the address and send again, or send a letter.",
    "Das Mailsystem des Empfängers hat die Nachricht zurückgeschickt.",
    "Adresse prüfen und erneut senden oder einen Brief schicken.",
)
_FINE = _texts(
    "The message was delivered.",
    "Nothing to do.",
    "Die Nachricht wurde zugestellt.",
    "Nichts zu tun.",
)

# By subject.detail, whatever the class; a four or a five in front says only how often it was tried.
_BY_DETAIL: dict[str, _Texts] = {
    "1.0": _NO_SUCH_ADDRESS,
    "1.1": _NO_SUCH_ADDRESS,
    "1.2": _BAD_DOMAIN,
    "1.3": _MALFORMED,
    "1.4": _NO_SUCH_ADDRESS,
    "1.6": _texts(
        "The mailbox has moved and left no new address.",
        "Ask the recipient for the new address, or send a letter.",
        "Das Postfach ist umgezogen, ohne eine neue Adresse zu hinterlassen.",
        "Nach der neuen Adresse fragen oder einen Brief schicken.",
    ),
    "1.7": _SENDER,
    "1.8": _SENDER,
    "1.10": _BAD_DOMAIN,  # RFC 7505: the domain says that it takes no mail
    "2.0": _DISABLED,
    "2.1": _DISABLED,
    "2.2": _FULL,
    "2.3": _TOO_BIG,
    "2.4": _LOOP,
    "3.1": _FULL,
    "3.4": _TOO_BIG,
    "4.1": _UNREACHABLE,
    "4.2": _UNREACHABLE,
    "4.3": _UNREACHABLE,
    "4.4": _BAD_DOMAIN,
    "4.6": _LOOP,
    "4.7": _EXPIRED,
    "4.14": _LOOP,
    "4.310": _BAD_DOMAIN,  # Exchange Online: the domain does not exist in DNS
    "4.312": _BAD_DOMAIN,
    "4.316": _EXPIRED,
    "5.2": _REFUSED,
    "6.0": _CONTENT,
    "7.0": _REFUSED,
    "7.1": _REFUSED,
    "7.2": _REFUSED,
    "7.20": _UNPROVEN,
    "7.21": _UNPROVEN,
    "7.22": _UNPROVEN,
    "7.23": _UNPROVEN,
    "7.24": _UNPROVEN,
    "7.25": _UNPROVEN,
    "7.26": _UNPROVEN,
    "7.27": _SENDER,
    "7.28": _LATER_ON,
    "7.29": _UNPROVEN,
    "7.57": _UNPROVEN,
    "7.60": _UNPROVEN,
    "7.64": _REFUSED,
    "7.124": _REFUSED,  # Exchange Online: not on the list of allowed senders
    "7.129": _REFUSED,
    "7.133": _REFUSED,
    "7.134": _REFUSED,
    "7.136": _REFUSED,
    "7.509": _UNPROVEN,  # Exchange Online: the DMARC policy of our domain says reject
    "7.511": _REFUSED,
    "7.606": _REFUSED,
    "7.705": _texts(
        "Microsoft has limited how much your organisation may send.",
        "Have your mail administrator contact Microsoft; send again afterwards.",
        "Microsoft begrenzt zurzeit, wie viel Ihre Organisation senden darf.",
        "Die Mailadministration sollte Microsoft kontaktieren; danach erneut senden.",
    ),
    "7.708": _REFUSED,
}

_BY_SUBJECT: dict[str, _Texts] = {
    "1": _NO_SUCH_ADDRESS,
    "2": _DISABLED,
    "3": _LATER_ON,
    "4": _UNREACHABLE,
    "5": _UNREACHABLE,
    "6": _CONTENT,
    "7": _REFUSED,
}


_OPTED_OUT = _texts(
    "The recipient has opted out of text messages from you (answered STOP).",
    "Do not send texts; use another channel, or ask the recipient to answer START.",
    "Der Empfänger hat SMS von Ihnen abbestellt (mit STOP geantwortet).",
    "Keine SMS mehr senden; anderen Kanal nutzen oder um die Antwort START bitten.",
)
_BAD_NUMBER = _texts(
    "There is no such phone number.",
    "Correct the number and send again.",
    "Diese Telefonnummer gibt es nicht.",
    "Nummer korrigieren und erneut senden.",
)
_PHONE_OFF = _texts(
    "The phone could not be reached.",
    "Send again later, or use another channel.",
    "Das Telefon war nicht erreichbar.",
    "Später erneut senden oder einen anderen Kanal nutzen.",
)
_CARRIER = _texts(
    "The recipient's phone network blocked the message.",
    "Use another channel, or ask Microsoft support about the sender number.",
    "Das Mobilfunknetz des Empfängers hat die Nachricht blockiert.",
    "Einen anderen Kanal nutzen oder den Microsoft-Support zur Absendernummer fragen.",
)
_OUR_NUMBER = _texts(
    "The sender's number may not send this message.",
    "Have your administrator check the number in Azure Communication Services.",
    "Die Absendernummer darf diese Nachricht nicht senden.",
    "Die Nummer in Azure Communication Services von der Administration prüfen lassen.",
)
_NOT_TEXTED = _texts(
    "The text message was not delivered.",
    "Check the number and send again, or use another channel.",
    "Die SMS wurde nicht zugestellt.",
    "Nummer prüfen und erneut senden oder einen anderen Kanal nutzen.",
)

# https://learn.microsoft.com/azure/communication-services/resources/troubleshooting/voice-video-calling/troubleshooting-codes
_BY_SMS_CODE: dict[str, _Texts] = {
    "4000": _CARRIER,
    "4001": _OUR_NUMBER,
    "4002": _BAD_NUMBER,
    "4003": _BAD_NUMBER,
    "4004": _BAD_NUMBER,
    "4005": _CARRIER,
    "4006": _PHONE_OFF,
    "4007": _OPTED_OUT,
    "4008": _OUR_NUMBER,
    "4009": _OUR_NUMBER,
    "4010": _OUR_NUMBER,
    "5001": _PHONE_OFF,
    "5002": _PHONE_OFF,
}


def explain_sms(code: str | None, language: str = "en") -> Explanation:
    """The plain words for a detail code of an SMS delivery report such as `4007`. Never fails."""
    chosen: Language = "de" if language.lower().startswith("de") else "en"
    return _BY_SMS_CODE.get(code or "", _NOT_TEXTED)[chosen]


def explain(code: str | None, language: str = "en") -> Explanation:
    """The plain words for a status code such as `5.1.1`, in English or German.

    An unknown code is explained by its subject (the middle number), a missing or unreadable one
    as a plain bounce; an unknown language gets English. Never fails.
    """
    chosen: Language = "de" if language.lower().startswith("de") else "en"
    return _of(code or "")[chosen]


def _of(code: str) -> _Texts:
    parts = code.strip().split(".")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return _BOUNCED
    klass, subject, detail = (str(int(part)) for part in parts)
    if klass == "2":
        return _FINE
    exact = _BY_DETAIL.get(f"{subject}.{detail}")
    if exact is not None:
        return exact
    if klass == "4" and subject not in ("1", "2"):
        return _LATER_ON
    return _BY_SUBJECT.get(subject, _BOUNCED)
