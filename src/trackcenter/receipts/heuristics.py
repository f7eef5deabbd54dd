"""What an ordinary mail in the sending mailbox probably is, guessed from its words.

A guess never writes an event: it counts, and where it smells of a bounce of one of our messages
it becomes a suggestion for a person. Measured on public samples, such rules take auto-replies and
answers that quote a bounce for bounces; so a machine must have sent it, and it must say so.
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import Message
from typing import Literal

Kind = Literal["auto-reply", "possible-bounce", "mail"]

MAX_BYTES = 512 * 1024
_MAX_TEXT = 20_000

_MACHINE = re.compile(r"(mailer-daemon|postmaster|mail-daemon|mailer|mdaemon)@|<>", re.IGNORECASE)
_AUTO_SUBJECT = re.compile(
    r"^\s*(auto(matic|mated)?[- ]?(reply|response)|out of (the )?office|automatische antwort|"
    r"abwesenheit|réponse automatique|respuesta automática|risposta automatica)",
    re.IGNORECASE,
)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|delivery (status|has failed|failure)|returned (mail|to sender)|failure notice|"
    r"mail delivery (failed|system)|could not be delivered|unzustellbar|nicht zustellbar|"
    r"zustellung fehlgeschlagen|non remis|no entregado",
    re.IGNORECASE,
)
_BOUNCE_WORDS = re.compile(
    r"\b5\d\d[ -]5?\.?\d?|\b5\.\d{1,3}\.\d{1,3}\b|"
    r"user unknown|unknown user|no such (user|mailbox|recipient)|does not exist|"
    r"mailbox (is )?(full|unavailable|disabled)|over quota|address rejected|"
    r"could(n't| not) be delivered|permanent (fatal )?error|existiert nicht|postfach.{0,20}voll",
    re.IGNORECASE,
)
_MESSAGE_ID = re.compile(r"<([^<>\s]{3,300}@[^<>\s]{1,250})>")
_QUOTED_ID = re.compile(r"^[>\s]*message-id:\s*<([^<>\s]{3,550})>", re.IGNORECASE | re.MULTILINE)
_OUR_HEADER = re.compile(
    r"^[>\s]*x-trackcenter-attempt:\s*([0-9a-f-]{36})", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Guess:
    """What a mail probably is; for a possible bounce, what speaks for it and of which message.

    `correlation` holds Internet message ids with their brackets, the likeliest first.
    """

    kind: Kind
    reason: str = ""
    correlation: tuple[str, ...] = ()
    attempt_id: str | None = None
    channel: str = "EMAIL"
    provider: str | None = None


def guess(mime: bytes) -> Guess:
    """Guess at a mail that is no structured report. Never fails, whatever the bytes."""
    try:
        root = email.message_from_bytes(mime[:MAX_BYTES], policy=policy.compat32)
        return _guess(root)
    except RecursionError:  # parts nested hundreds deep
        return Guess("mail")


def _guess(root: Message) -> Guess:
    subject, sender = _header(root, "Subject"), _header(root, "From")
    automatic = _header(root, "Auto-Submitted").lower()
    failed = _header(root, "X-Failed-Recipients")  # Exim calls its bounces auto-replied as well
    if not failed and (
        automatic.startswith("auto-replied")
        or _header(root, "X-Autoreply")
        or _header(root, "X-Autorespond")
        or "auto_reply" in _header(root, "Precedence").lower()
        or _AUTO_SUBJECT.search(subject)
    ):
        return Guess("auto-reply")
    by_machine = _MACHINE.search(sender) or _header(root, "Return-Path").strip() == "<>" or failed
    if not by_machine:
        return Guess("mail")
    text = _text(root)
    named = _BOUNCE_SUBJECT.search(subject) or _BOUNCE_SUBJECT.search(text[:2000])
    worded = _BOUNCE_WORDS.search(text)
    if not failed and not (named and worded):
        return Guess("mail")
    said = next((line.strip() for line in text.splitlines() if _BOUNCE_WORDS.search(line)), "")
    ours = _OUR_HEADER.search(text)
    return Guess(
        "possible-bounce",
        reason=(said or subject or failed)[:500],
        correlation=tuple(dict.fromkeys(_ids(root, text))),
        attempt_id=ours.group(1) if ours else None,
    )


def _ids(root: Message, text: str) -> Iterator[str]:
    for name in ("In-Reply-To", "References"):
        for found in reversed(_MESSAGE_ID.findall(_header(root, name))):
            yield f"<{found}>"
    for found in _QUOTED_ID.findall(text)[:20]:
        yield f"<{found}>"


def _header(message: Message, name: str) -> str:
    words = " ".join(str(message.get(name, "")).split()).replace("\x00", "")
    return words.encode("utf-8", "replace").decode()  # undecodable bytes came as lone surrogates


def _text(root: Message) -> str:
    """All readable text, the headers of carried messages among it."""
    found: list[str] = []
    for part in root.walk():
        if part is not root and part.get_content_maintype() != "multipart":
            head = f"Message-ID: {part.get('Message-ID')}\n" if part.get("Message-ID") else ""
            ours = part.get("x-trackcenter-attempt")
            found.append(head + (f"x-trackcenter-attempt: {ours}\n" if ours else ""))
        if part.get_content_maintype() == "text":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                found.append(payload.decode("utf-8", "replace"))
        if sum(map(len, found)) > _MAX_TEXT:
            break
    return "\n".join(found)[:_MAX_TEXT].replace("\x00", "")
