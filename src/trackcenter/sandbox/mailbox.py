"""Mailboxes: drafts become sent mails, reports arrive in the inbox, every item has its MIME."""

import base64
import json
import re
import secrets
import time
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr

from trackcenter.sandbox import subscriptions
from trackcenter.sandbox.context import Sandbox
from trackcenter.sandbox.graph_model import (
    MessageWrite,
    NewAttachment,
    addresses,
    property_key,
    words_of,
)
from trackcenter.sandbox.outcomes import mail_steps
from trackcenter.sandbox.reports import MadeReport, Original, delayed, delivered, failed, opened
from trackcenter.sandbox.schedule import Job
from trackcenter.sandbox.state import Json, Row
from trackcenter.sandbox.wire import WireError, mail_date

ATTEMPT_PROPERTY_NAME = "TrackCenterAttempt"
ATTEMPT_HEADER = "x-trackcenter-attempt"
_MESSAGE_CLASS = property_key("String 0x001A")
_ID = re.compile(r"AA(?:kALg|MkAD)[A-Za-z0-9_-]{20,}={0,2}")


def new_item_id(*, immutable: bool) -> str:
    """An item id as Exchange makes them: long, case-sensitive, URL-safe base64."""
    coded = base64.urlsafe_b64encode(secrets.token_bytes(40)).decode()
    return ("AAkALg" if immutable else "AAMkAD") + coded


def find(box: Sandbox, mailbox: str, item_id: str) -> Row:
    """The item with this id (immutable or not) in this mailbox.

    Raises:
        WireError: 400 when it is no id; 404 when there is no such item, or not yet.
    """
    if not _ID.fullmatch(item_id):
        raise WireError(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    row = box.store.one(
        "SELECT * FROM mails WHERE (immutable_id = ?1 OR rest_id = ?1) AND mailbox = ?2"
        " AND visible <= ?3",
        (item_id, mailbox, time.time()),
    )
    if row is None:
        raise WireError(
            404, "ErrorItemNotFound", "The specified object was not found in the store."
        )
    return row


def content_of(row: Row) -> dict[str, Json]:
    """The message properties of an item by their Graph names."""
    content: dict[str, Json] = json.loads(row["content"])
    return content


def create_draft(box: Sandbox, mailbox: str, write: MessageWrite) -> int:
    """A new draft with its attachments; answers its `seq`."""
    now = time.time()
    host = "AM9PR01MB0001.sandbox.invalid"
    message_id = write.content.get(
        "internetMessageId", f"<AM9PR01MB0001{secrets.token_hex(14).upper()}@{host}>"
    )
    with box.store.transaction():
        seq = _insert(
            box,
            mailbox=mailbox,
            folder="drafts",
            message_id=message_id,
            now=now,
            content=write.content,
            mime=None,
        )
        set_extended(box, seq, write.extended)
        for attachment in write.attachments:
            attach(box, seq, attachment)
    return seq


def _insert(
    box: Sandbox,
    *,
    mailbox: str,
    folder: str,
    message_id: str,
    now: float,
    content: Mapping[str, Json],
    mime: bytes | None,
) -> int:
    return box.store.run(
        "INSERT INTO mails (mailbox, folder, immutable_id, rest_id, internet_message_id, created,"
        " modified, sent, visible, content, words, mime)"
        " VALUES (?, ?, ?, ?, ?, ?6, ?6, ?, ?6, ?, ?, ?)",
        (
            mailbox,
            folder,
            new_item_id(immutable=True),
            new_item_id(immutable=False),
            message_id,
            now,
            None if folder == "drafts" else now,
            json.dumps(content),
            words_of(content),
            mime,
        ),
    )


def set_extended(box: Sandbox, seq: int, extended: Mapping[str, str]) -> None:
    """Sets extended properties of an item."""
    for name, value in extended.items():
        box.store.run(
            "INSERT INTO extended_properties VALUES (?, ?, ?)"
            " ON CONFLICT (mail, id) DO UPDATE SET value = ?3",
            (seq, name, value),
        )


def attach(box: Sandbox, seq: int, attachment: NewAttachment) -> str:
    """Adds a file to an item; answers the attachment's id."""
    attachment_id = new_item_id(immutable=True)
    box.store.keep_attachment(
        mail=seq,
        attachment_id=attachment_id,
        name=attachment.name,
        content_type=attachment.content_type,
        content_id=attachment.content_id,
        is_inline=attachment.is_inline,
        content=attachment.content,
        keep_bytes=box.options.keep_megabytes * 1024 * 1024,
    )
    return attachment_id


def send_draft(box: Sandbox, row: Row) -> None:
    """Accepts a draft: it moves to Sent Items, is listed, and its fate is planned."""
    now = time.time()
    content = content_of(row)
    recipients = addresses(content)
    extended = box.store.all(
        "SELECT id, value FROM extended_properties WHERE mail = ?", (row["seq"],)
    )
    key = attempt_of(content.get("internetMessageHeaders", []))
    for item in extended:
        if item["id"].endswith(f" Name {ATTEMPT_PROPERTY_NAME}"):
            key = item["value"]
    with box.store.transaction():
        box.store.run(
            "UPDATE mails SET folder = 'sentitems', rest_id = ?, sent = ?2, modified = ?2,"
            " visible = ? WHERE seq = ?",
            (
                new_item_id(immutable=False),
                now,
                now + box.options.sent_copy_delay / box.options.speed,
                row["seq"],
            ),
        )
        accepted = box.store.run(
            "INSERT INTO accepted (channel, provider, sender, recipient, subject, text,"
            " idempotency_key, accepted, internet_message_id, mail)"
            " VALUES ('EMAIL', 'Graph', ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row["mailbox"],
                ", ".join(recipients),
                content.get("subject", ""),
                row["words"],
                key,
                now,
                row["internet_message_id"],
                row["seq"],
            ),
        )
        for recipient in recipients:
            plan(box, "mail-step", accepted, recipient, step=0)


def attempt_of(headers: list[Json]) -> str | None:
    """The attempt id our own header carries, if any."""
    for header in headers:
        if str(header["name"]).lower() == ATTEMPT_HEADER:
            return str(header["value"])
    return None


def plan(box: Sandbox, kind: str, accepted: int, recipient: str, *, step: int) -> None:
    """Plans the n-th thing that happens to a mail to this recipient, if there is one."""
    steps = mail_steps(recipient)
    if step < len(steps):
        body = {"accepted": accepted, "recipient": recipient, "step": step}
        box.schedule.later(steps[step].after, kind, "", body)


def happen(box: Sandbox, job: Job) -> None:
    """A step of a Graph mail: its report arrives in the sender's inbox.

    A delivery or read receipt is written only where the mail asked for one.
    """
    accepted = box.store.one("SELECT * FROM accepted WHERE seq = ?", (job.body["accepted"],))
    if accepted is None:
        return
    mail = box.store.one("SELECT * FROM mails WHERE seq = ?", (accepted["mail"],))
    if mail is None:
        return
    now = time.time()
    recipient: str = job.body["recipient"]
    steps = mail_steps(recipient)
    step = steps[job.body["step"]]
    content = content_of(mail)
    original = Original(
        internet_message_id=mail["internet_message_id"],
        subject=content.get("subject", ""),
        sender=mail["mailbox"],
        recipient=recipient,
        headers=tuple(
            (header["name"], header["value"])
            for header in content.get("internetMessageHeaders", [])
        ),
        sent=mail["sent"] or mail["created"],
        text=mail["words"][:500],
    )
    report: MadeReport | None
    match step.what:
        case "FAILED":
            report = failed(original, now, after_delivery=job.body["step"] > 0)
        case "DELAYED":
            report = delayed(original, now)
        case "DELIVERED":
            report = delivered(original, now)
            if not content.get("isDeliveryReceiptRequested"):
                report = None
        case "OPENED":
            report = opened(original, now)
            if not content.get("isReadReceiptRequested"):
                report = None
    detail = report.detail if report is not None else "no receipt was asked for"
    record_news(box, accepted["seq"], recipient, step.what, detail)
    if report is not None:
        receive(box, mail["mailbox"], report, now)
    plan(box, job.kind, accepted["seq"], recipient, step=job.body["step"] + 1)


def record_news(box: Sandbox, accepted: int, recipient: str, what: str, detail: str) -> None:
    """Writes down what happened, for the inbox page."""
    box.store.run(
        "INSERT INTO news (accepted, recipient, happened, what, detail) VALUES (?, ?, ?, ?, ?)",
        (accepted, recipient, time.time(), what, detail),
    )
    box.store.run("UPDATE accepted SET status = ? WHERE seq = ?", (what, accepted))


def receive(box: Sandbox, mailbox: str, report: MadeReport, now: float) -> None:
    """Puts a report into an inbox and notifies who subscribed."""
    content = {
        "subject": report.subject,
        "body": {"contentType": "text", "content": report.text},
        "from": {"emailAddress": {"name": report.sender_name, "address": report.sender}},
        "toRecipients": [{"emailAddress": {"name": mailbox, "address": mailbox}}],
    }
    seq = _insert(
        box,
        mailbox=mailbox,
        folder="inbox",
        message_id=report.internet_message_id,
        now=now,
        content=content,
        mime=report.mime,
    )
    set_extended(box, seq, {_MESSAGE_CLASS: report.message_class})
    _notify(box, mailbox, seq)


def receive_mime(box: Sandbox, mailbox: str, mime: bytes, message: EmailMessage) -> int:
    """Puts any mail into an inbox and notifies who subscribed; answers its `seq`."""
    body = message.get_body(("plain", "html"))
    text = body.get_content() if body is not None else ""
    sender = str(message.get("From", "nobody@sandbox.invalid"))
    content = {
        "subject": str(message.get("Subject", "")),
        "body": {"contentType": "text", "content": str(text)},
        "from": {"emailAddress": {"name": sender, "address": sender}},
        "toRecipients": [{"emailAddress": {"name": mailbox, "address": mailbox}}],
    }
    message_id = str(message.get("Message-ID") or f"<{secrets.token_hex(16)}@sandbox.invalid>")
    with box.store.transaction():
        seq = _insert(
            box,
            mailbox=mailbox,
            folder="inbox",
            message_id=message_id,
            now=time.time(),
            content=content,
            mime=mime,
        )
        _notify(box, mailbox, seq)
    return seq


def _notify(box: Sandbox, mailbox: str, seq: int) -> None:
    row = box.store.one("SELECT * FROM mails WHERE seq = ?", (seq,))
    if row is not None:
        subscriptions.notify_created(box, mailbox, row)


def mime_of(box: Sandbox, row: Row) -> bytes:
    """An item as MIME: what arrived, or what is made of a draft or sent mail."""
    if row["mime"] is not None:
        arrived: bytes = row["mime"]
        return arrived
    content = content_of(row)
    message = EmailMessage(policy=SMTP)
    author = content.get("from", {}).get("emailAddress", {})
    message["From"] = formataddr(
        (author.get("name", ""), author.get("address", row["mailbox"])), "utf-8"
    )
    for header, kind in (("To", "toRecipients"), ("Cc", "ccRecipients"), ("Reply-To", "replyTo")):
        people = [
            formataddr((person["emailAddress"]["name"], person["emailAddress"]["address"]), "utf-8")
            for person in content.get(kind, [])
        ]
        if people:
            message[header] = ", ".join(people)
    message["Subject"] = content.get("subject", "")
    message["Date"] = mail_date(row["sent"] or row["created"])
    message["Message-ID"] = row["internet_message_id"]
    for item in content.get("internetMessageHeaders", []):
        message[item["name"]] = item["value"]
    body = content.get("body") or {"contentType": "text", "content": ""}
    message.set_content(
        body["content"], subtype="html" if body["contentType"] == "html" else "plain"
    )
    for attachment in box.store.all(
        "SELECT * FROM attachments WHERE mail = ? ORDER BY seq", (row["seq"],)
    ):
        main, _, sub = attachment["content_type"].partition("/")
        message.add_attachment(
            attachment["content"] or b"",
            maintype=main or "application",
            subtype=sub or "octet-stream",
            filename=attachment["name"],
            cid=f"<{attachment['content_id']}>" if attachment["content_id"] else None,
        )
    return message.as_bytes()
