"""Reports as mail systems write them: RFC 3464 delivery status and RFC 8098 disposition notices.

Pure: an original mail and a recipient in, MIME bytes out. Systems differ, and so do these: which
headers quote the original, whether it comes back as `message/rfc822` or as headers only, what is
folded, what is left out. The shape is chosen by a hash of the original's id, so the same mail
always comes back the same way. Lines end in CRLF.
"""

import base64
import hashlib
import uuid
from dataclasses import dataclass
from html import escape
from typing import Literal

from trackcenter.sandbox.wire import mail_date

_CRLF = "\r\n"
_DAY = 86_400
_WORD_BYTES = 42


@dataclass(frozen=True, slots=True)
class Original:
    """The mail a report speaks of. `headers` are its own `x-` headers; `sent` is Unix seconds."""

    internet_message_id: str
    subject: str
    sender: str
    recipient: str
    headers: tuple[tuple[str, str], ...]
    sent: float
    text: str


@dataclass(frozen=True, slots=True)
class MadeReport:
    """A report as it lies in the inbox. `status` is the RFC 3463 code, None for a receipt."""

    internet_message_id: str
    sender_name: str
    sender: str
    subject: str
    message_class: str
    text: str
    mime: bytes
    status: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class _Failure:
    status: str
    diagnostic: str
    words: str


_FAILURES = (
    _Failure(
        "5.1.10",
        "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address "
        "lookup",
        "The address you sent your message to wasn't found at the destination domain.",
    ),
    _Failure(
        "5.1.1",
        "smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try "
        "550-5.1.1 double-checking the recipient's email address for typos 550 5.1.1 NoSuchUser",
        "The email account that you tried to reach does not exist.",
    ),
    _Failure(
        "5.4.1",
        "smtp;550 5.4.1 Recipient address rejected: Access denied. [sandbox-edge.invalid]",
        "The recipient's mail server refused the address.",
    ),
)
_MAILBOX_FULL = _Failure(
    "5.2.2",
    "smtp;552 5.2.2 <recipient>: user is over quota; mailbox full",
    "The recipient's mailbox is full and can't accept messages now.",
)

System = Literal["exchange", "exchange-bare", "postfix", "gmail"]
_SYSTEMS: tuple[System, ...] = ("exchange", "exchange-bare", "postfix", "gmail")


def failed(original: Original, at: float, *, after_delivery: bool = False) -> MadeReport:
    """A non-delivery report. A mail that had been delivered first bounces on a full mailbox."""
    number = _number(original, "failed")
    failure = _MAILBOX_FULL if after_delivery else _FAILURES[number % len(_FAILURES)]
    diagnostic = failure.diagnostic.replace("<recipient>", f"<{original.recipient}>")
    system = _SYSTEMS[number // 7 % len(_SYSTEMS)]
    subject = {
        "postfix": "Undelivered Mail Returned to Sender",
        "gmail": "Delivery Status Notification (Failure)",
    }.get(system, f"Undeliverable: {original.subject}")
    return _delivery_status(
        original,
        at,
        system,
        subject=subject,
        words=f"Your message to {original.recipient} couldn't be delivered. {failure.words}",
        message_class="REPORT.IPM.Note.NDR",
        action="failed",
        status=failure.status,
        diagnostic=diagnostic,
    )


def delivered(original: Original, at: float) -> MadeReport:
    """A delivery receipt."""
    system = _SYSTEMS[_number(original, "delivered") % len(_SYSTEMS)]
    subject = {
        "postfix": "Successful Mail Delivery Report",
        "gmail": "Delivery Status Notification (Success)",
    }.get(system, f"Delivered: {original.subject}")
    return _delivery_status(
        original,
        at,
        system,
        subject=subject,
        words=f"Your message has been delivered to the following recipients: {original.recipient}",
        message_class="REPORT.IPM.Note.DR",
        action="delivered",
        status="2.0.0" if system in {"postfix", "gmail"} else "2.1.5",
        diagnostic=None,
    )


def delayed(original: Original, at: float) -> MadeReport:
    """A warning that delivery is still being tried; it says nothing final."""
    system = _SYSTEMS[_number(original, "delayed") % len(_SYSTEMS)]
    subject = {
        "postfix": "Delayed Mail (still being retried)",
        "gmail": "Delivery Status Notification (Delay)",
    }.get(system, f"Delivery delayed: {original.subject}")
    return _delivery_status(
        original,
        at,
        system,
        subject=subject,
        words=f"Delivery to {original.recipient} is delayed. You need not send it again.",
        message_class="REPORT.IPM.Note.Delayed.DR",
        action="delayed",
        status="4.4.1",
        diagnostic="smtp;451 4.4.1 connection timed out; will be tried again",
    )


def opened(original: Original, at: float) -> MadeReport:
    """A read receipt (message disposition notification, `displayed`)."""
    number = _number(original, "opened") % 3
    agent, subject = (
        ("Microsoft Outlook", f"Read: {original.subject}"),
        ("Mozilla Thunderbird", f"Return Receipt (displayed) - {original.subject}"),
        ("Apple Mail", f"Read: {original.subject}"),
    )[number]
    notice = [
        f"Reporting-UA: sandbox.invalid; {agent}",
        f"Final-Recipient: rfc822;{original.recipient}",
    ]
    if number == 1:
        notice.insert(1, f"Original-Recipient: rfc822;{original.recipient}")
        notice.append(f"Original-Message-ID:{_CRLF} {original.internet_message_id}")
    elif number == 0:
        notice.append(f"Original-Message-ID: {original.internet_message_id}")
    # A phone may leave Original-Message-ID out; In-Reply-To is then all there is.
    notice.append("Disposition: manual-action/MDN-sent-manually; displayed")
    quoted = number != 1
    words = (
        f"Your message to {original.recipient} sent {mail_date(original.sent)} was read on "
        f"{mail_date(at)}."
    )
    parts = [
        _text(words),
        _part("message/disposition-notification", _CRLF.join([*notice, ""])),
    ]
    if number == 1:
        parts.append(_part("text/rfc822-headers", _headers_of(original, folded=False) + _CRLF))
    message_id = _message_id(original, "opened", original.recipient.rpartition("@")[2])
    head = [
        f"From: <{original.recipient}>",
        f"To: <{original.sender}>",
        _encoded("Subject", subject),
        f"Date: {mail_date(at)}",
        f"Message-ID: {message_id}",
    ]
    if quoted:
        head += _quoting(original, folded=number == 2)
    return MadeReport(
        internet_message_id=message_id,
        sender_name=original.recipient,
        sender=original.recipient,
        subject=subject,
        message_class="REPORT.IPM.Note.IPNRN",
        text=words,
        mime=_report(head, "disposition-notification", parts, message_id),
        status=None,
        detail=f"{agent}: displayed",
    )


def _delivery_status(
    original: Original,
    at: float,
    system: System,
    *,
    subject: str,
    words: str,
    message_class: str,
    action: str,
    status: str,
    diagnostic: str | None,
) -> MadeReport:
    sender_name, sender, mta = {
        "postfix": (
            "Mail Delivery System",
            "MAILER-DAEMON@mx.sandbox.invalid",
            "mx.sandbox.invalid",
        ),
        "gmail": (
            "Mail Delivery Subsystem",
            "mailer-daemon@googlemail.sandbox.invalid",
            "googlemail.sandbox.invalid",
        ),
    }.get(
        system,
        (
            "Microsoft Outlook",
            "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@sandbox.invalid",
            "AM9PR01MB0001.sandbox.invalid",
        ),
    )
    message_id = _message_id(original, action, mta)
    head = [
        f"From: {sender_name} <{sender}>",
        f"To: <{original.sender}>",
        _encoded("Subject", subject),
        f"Date: {mail_date(at)}",
        f"Message-ID: {message_id}",
        "Auto-Submitted: auto-replied",
    ]
    match system:
        case "exchange":
            head += _quoting(original, folded=False)
            head += ["X-MS-Exchange-Message-Is-Ndr:", "Content-Language: en-US"]
        case "exchange-bare":
            # Office 365 writes reports without In-Reply-To, too.
            head += ["X-MS-Exchange-Message-Is-Ndr:"]
        case "gmail":
            head += _quoting(original, folded=True)
            head += [f"X-Failed-Recipients: {original.recipient}"] if action == "failed" else []
        case "postfix":
            pass
    parts = [
        _both(words) if system == "exchange" else _text(words),
        _part(
            "message/delivery-status",
            _status_part(original, at, system, mta, action, status, diagnostic),
        ),
    ]
    if system == "postfix" or (system == "exchange-bare" and action != "failed"):
        parts.append(_part("text/rfc822-headers", _headers_of(original, folded=True) + _CRLF))
    elif system == "gmail" and action == "delivered":
        pass  # Success notices often bring nothing back; In-Reply-To quotes the mail.
    else:
        returned = _headers_of(original, folded=system == "exchange-bare")
        returned += "MIME-Version: 1.0" + _CRLF + _text(original.text)
        parts.append(_part("message/rfc822", returned))
    return MadeReport(
        internet_message_id=message_id,
        sender_name=sender_name,
        sender=sender,
        subject=subject,
        message_class=message_class,
        text=words,
        mime=_report(head, "delivery-status", parts, message_id),
        status=status,
        detail=f"{status} {diagnostic}" if diagnostic else f"{status} {action}",
    )


def _status_part(
    original: Original,
    at: float,
    system: System,
    mta: str,
    action: str,
    status: str,
    diagnostic: str | None,
) -> str:
    about_mail = [
        f"Reporting-MTA: dns;{mta}" if system != "gmail" else f"Reporting-MTA: dns; {mta}"
    ]
    if system == "postfix":
        about_mail.append(f"X-Postfix-Queue-ID: {_number(original, action):X}"[:31])
        about_mail.append(f"X-Postfix-Sender: rfc822; {original.sender}")
    elif system != "gmail":
        about_mail.append("Received-From-MTA: dns;AM9PR01MB0002.sandbox.invalid")
    about_mail.append(f"Arrival-Date: {mail_date(original.sent)}")
    space = " " if system in {"gmail", "postfix"} else ""
    about_recipient = [f"Final-Recipient: rfc822;{space}{original.recipient}"]
    if system in {"exchange", "postfix"}:
        about_recipient.append(f"Original-Recipient: rfc822;{original.recipient}")
    about_recipient += [f"Action: {action}", f"Status: {status}"]
    if diagnostic is not None:
        folded = diagnostic
        if system in {"postfix", "gmail"}:
            folded = _fold(diagnostic, 60)
        about_recipient.append(f"Diagnostic-Code: {folded}")
    if system != "exchange-bare":
        domain = original.recipient.rpartition("@")[2]
        about_recipient.append(f"Remote-MTA: dns;{space}mx.{domain}")
    if action == "delayed":
        about_recipient.append(f"Will-Retry-Until: {mail_date(at + 2 * _DAY)}")
    else:
        about_recipient.append(f"Last-Attempt-Date: {mail_date(at)}")
    return _CRLF.join([*about_mail, "", *about_recipient, ""])


def _headers_of(original: Original, *, folded: bool) -> str:
    """The original's header section, ending in CRLF."""
    gap = _CRLF + " " if folded else " "
    lines = [
        "Received: from AM9PR01MB0001.sandbox.invalid by mx.sandbox.invalid with ESMTPS;"
        + _CRLF
        + f"\t{mail_date(original.sent)}",
        f"From: <{original.sender}>",
        f"To: <{original.recipient}>",
        _encoded("Subject", original.subject),
        f"Date: {mail_date(original.sent)}",
        f"Message-ID:{gap}{original.internet_message_id}",
        *(f"{name}: {value}" for name, value in original.headers),
    ]
    return _CRLF.join(lines) + _CRLF


def _quoting(original: Original, *, folded: bool) -> list[str]:
    gap = _CRLF + "\t" if folded else " "
    return [
        f"In-Reply-To:{gap}{original.internet_message_id}",
        f"References:{gap}{original.internet_message_id}",
    ]


def _report(head: list[str], report_type: str, parts: list[str], seed: str) -> bytes:
    boundary = "_report_" + hashlib.sha256(seed.encode()).hexdigest()[:32] + "_"
    head = [
        *head,
        "MIME-Version: 1.0",
        f"Content-Type: multipart/report; report-type={report_type};",
        f'\tboundary="{boundary}"',
    ]
    body = "".join(f"{_CRLF}--{boundary}{_CRLF}{part}" for part in parts)
    return (_CRLF.join(head) + _CRLF + body + f"{_CRLF}--{boundary}--{_CRLF}").encode()


def _part(content_type: str, body: str) -> str:
    return f"Content-Type: {content_type}{_CRLF}{_CRLF}{body}"


def _text(words: str, kind: str = "plain") -> str:
    coded = base64.encodebytes(words.encode()).decode("ascii").replace("\n", _CRLF)
    head = f'Content-Type: text/{kind}; charset="utf-8"' + _CRLF
    return f"{head}Content-Transfer-Encoding: base64{_CRLF}{_CRLF}{coded}"


def _both(words: str) -> str:
    boundary = "_human_" + hashlib.sha256(words.encode()).hexdigest()[:24] + "_"
    html = f"<html><body><p>{escape(words)}</p></body></html>"
    return (
        f'Content-Type: multipart/alternative; differences=Content-Type;{_CRLF}\tboundary="'
        f'{boundary}"{_CRLF}{_CRLF}--{boundary}{_CRLF}{_text(words)}{_CRLF}--{boundary}{_CRLF}'
        f"{_text(html, 'html')}{_CRLF}--{boundary}--{_CRLF}"
    )


def _encoded(name: str, value: str) -> str:
    """A header line; what is not ASCII as RFC 2047 words, none longer than 75 characters.

    Not `email.header`, which measures every prefix and took a third of the sandbox's time.
    """
    if value.isascii():
        return f"{name}: {value}"
    words, chunk = [], b""
    for character in value:
        coded = character.encode()
        if len(chunk) + len(coded) > _WORD_BYTES:
            words.append(chunk)
            chunk = b""
        chunk += coded
    words.append(chunk)
    gap = _CRLF + " "
    return f"{name}: " + gap.join(f"=?utf-8?B?{base64.b64encode(w).decode()}?=" for w in words)


def _fold(text: str, width: int) -> str:
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return (_CRLF + "    ").join(lines)


def _number(original: Original, kind: str) -> int:
    seed = f"{original.internet_message_id} {original.recipient} {kind}"
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:5], "big")


def _message_id(original: Original, kind: str, domain: str) -> str:
    # Uuid5 keeps it unique by mail and kind, and the same when a job runs twice.
    seed = f"{original.internet_message_id} {original.recipient} {kind}"
    return f"<{uuid.uuid5(uuid.NAMESPACE_URL, seed)}@{domain}>"
