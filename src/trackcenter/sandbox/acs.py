"""Azure Communication Services: SMS and e-mail, with their request signature and repeatability."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from aiohttp import web

from trackcenter.sandbox import event_grid, mailbox
from trackcenter.sandbox.context import SANDBOX, Sandbox
from trackcenter.sandbox.graph_model import MessageWrite, NewAttachment, addresses, words_of
from trackcenter.sandbox.outcomes import is_refused, mail_steps, sms_steps
from trackcenter.sandbox.schedule import Job
from trackcenter.sandbox.state import Json
from trackcenter.sandbox.wire import WireError, is_address, is_guid, iso, new_guid

SMS_VERSIONS = frozenset({"2021-03-07", "2024-12-10-preview", "2025-08-01-preview", "2026-01-23"})
EMAIL_VERSIONS = frozenset({"2023-03-31", "2024-07-01-preview", "2025-09-01"})
_LARGEST_EMAIL = 10 * 1024 * 1024
_PHONE = re.compile(r"\+[1-9][0-9]{5,14}")
_SENDER = re.compile(r"\+[1-9][0-9]{5,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 _&+-]{1,11}")
_AUTHORIZATION = re.compile(
    r"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=([A-Za-z0-9+/]{43}=)"
)
_SMS_FAILURE = "4001: The number is unreachable or does not exist."


def routes() -> list[web.RouteDef]:
    """The routes of both services."""
    return [
        web.post("/sms", send_sms),
        web.get("/deliveryReports/{id}", show_delivery_report),
        web.post("/emails:send", send_email),
        web.get("/emails/operations/{id}", show_operation),
    ]


def register(box: Sandbox) -> None:
    """Names what does the steps of SMS and ACS mails."""
    box.schedule.on_step("sms-step", lambda job: _sms_happens(box, job))
    box.schedule.on_step("acs-mail-step", lambda job: _mail_happens(box, job))


async def _checked_body(request: web.Request, versions: frozenset[str]) -> bytes:
    """The body, once version and signature are found right.

    Raises:
        WireError: 400 without a known `api-version`; 401 when the signature does not hold.
    """
    content = await request.read()
    _check_signature(request, content)
    version = request.query.get("api-version")
    if version is None:
        raise WireError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if version not in versions:
        raise WireError(
            400,
            "UnsupportedApiVersionValue",
            f"The HTTP resource that matches the request does not support the API version "
            f"'{version}'.",
        )
    return content


def _check_signature(request: web.Request, content: bytes) -> None:
    box = request.app[SANDBOX]
    denied = WireError(
        401, "Denied", "Denied by the resource provider.", {"WWW-Authenticate": "HMAC-SHA256"}
    )
    date = request.headers.get("x-ms-date", "")
    sent = _http_date(date)
    if sent is None or abs(time.time() - sent) > box.options.clock_skew_seconds:
        raise denied
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    if not hmac.compare_digest(
        request.headers.get("x-ms-content-sha256", "").encode(), digest.encode()
    ):
        raise denied
    found = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if found is None:
        raise denied
    host = request.headers.get("Host", "")
    text = f"{request.method}\n{request.raw_path}\n{date};{host};{digest}"
    key = base64.b64decode(box.options.acs_access_key)
    signature = base64.b64encode(hmac.digest(key, text.encode(), "sha256"))
    if not hmac.compare_digest(found[1].encode(), signature):
        raise denied


def _http_date(text: object) -> float | None:
    """An RFC 1123 date in GMT as Unix seconds, None when it is none."""
    if not isinstance(text, str) or not re.fullmatch(
        r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT", text
    ):
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None


def _decode(content: bytes, request: web.Request) -> Mapping[str, Json]:
    if request.content_type != "application/json":
        raise WireError(415, "UnsupportedMediaType", "Content-Type must be application/json.")
    try:
        body = json.loads(content)
    except ValueError as error:
        raise WireError(400, "BadRequest", "The request body is not valid JSON.") from error
    if not isinstance(body, Mapping):
        raise WireError(400, "BadRequest", "The request body must be a JSON object.")
    return body


async def send_sms(request: web.Request) -> web.Response:
    """`POST /sms`: 202 with one item a recipient, even where a recipient failed.

    The same repeatability id inside its window gets the first answer again and no second SMS.
    """
    box = request.app[SANDBOX]
    body = _decode(await _checked_body(request, SMS_VERSIONS), request)
    sender, message, recipients = body.get("from"), body.get("message"), body.get("smsRecipients")
    if not isinstance(sender, str) or not _SENDER.fullmatch(sender):
        raise WireError(400, "BadRequest", "From: Invalid 'From' phone number format.")
    if not isinstance(message, str) or not message or len(message) > 2048:
        raise WireError(400, "BadRequest", "Message: must hold 1 to 2048 characters.")
    if not isinstance(recipients, list) or not 1 <= len(recipients) <= 100:
        raise WireError(400, "BadRequest", "SmsRecipients: must hold 1 to 100 recipients.")
    options = _sms_options(body.get("smsSendOptions"))
    with box.store.transaction():
        value = [_send_one(box, sender, message, options, item) for item in recipients]
    return web.json_response({"value": value}, status=202)


def _sms_options(options: Json) -> Mapping[str, Json]:
    if options is None:
        return {}
    if not isinstance(options, Mapping) or not isinstance(
        options.get("enableDeliveryReport"), bool
    ):
        raise WireError(400, "BadRequest", "SmsSendOptions: enableDeliveryReport is required.")
    timeout = options.get("deliveryReportTimeoutInSeconds")
    if timeout is not None and (not isinstance(timeout, int) or not 60 <= timeout <= 43_200):
        raise WireError(400, "BadRequest", "deliveryReportTimeoutInSeconds must be 60 to 43200.")
    if options.get("tag") is not None and not isinstance(options["tag"], str):
        raise WireError(400, "BadRequest", "SmsSendOptions: tag must be a string.")
    return options


def _send_one(
    box: Sandbox, sender: str, message: str, options: Mapping[str, Json], item: Json
) -> dict[str, Json]:
    to = item.get("to") if isinstance(item, Mapping) else None
    if not isinstance(item, Mapping) or not isinstance(to, str) or not _PHONE.fullmatch(to):
        return _refused(to, 400, "Invalid To phone number format.")
    request_id, first_sent = item.get("repeatabilityRequestId"), item.get("repeatabilityFirstSent")
    now = time.time()
    fingerprint = hashlib.sha256(json.dumps([sender, to, message]).encode()).hexdigest()
    if request_id is not None or first_sent is not None:
        sent = _http_date(first_sent)
        if not is_guid(request_id) or sent is None:
            return _refused(
                to,
                400,
                "RepeatabilityRequestId must be a GUID and RepeatabilityFirstSent an "
                "RFC 1123 date; both are needed.",
                "rejected",
            )
        window = box.options.repeatability_seconds
        box.store.run("DELETE FROM repeats WHERE first_seen < ?", (now - window,))
        known = box.store.one("SELECT * FROM repeats WHERE key = ?", (_sms_key(request_id),))
        if known is not None:
            if known["fingerprint"] != fingerprint:
                return _refused(
                    to, 400, "The repeatability id was used for another request.", "rejected"
                )
            answer: dict[str, Json] = json.loads(known["answer"])
            return answer
        if abs(now - sent) > window:
            return _refused(
                to, 412, "RepeatabilityFirstSent is outside the tracked window.", "rejected"
            )
    message_id = "Outgoing_20" + new_guid()[2:] + "_noam"
    answer = {"to": to, "messageId": message_id, "httpStatusCode": 202, "successful": True}
    if request_id is not None:
        answer["repeatabilityResult"] = "accepted"
        box.store.run(
            "INSERT INTO repeats VALUES (?, ?, ?, ?)",
            (_sms_key(request_id), now, fingerprint, json.dumps(answer)),
        )
    accepted = box.store.run(
        "INSERT INTO accepted (channel, provider, sender, recipient, text, idempotency_key,"
        " accepted, message_id) VALUES ('SMS', 'ACS', ?, ?, ?, ?, ?, ?)",
        (sender, to, message, request_id, now, message_id),
    )
    _plan_sms(box, accepted, to, options, step=0)
    return answer


def _sms_key(request_id: str) -> str:
    return f"sms {request_id.lower()}"


def _refused(
    to: object, status: int, message: str, repeatability: str | None = None
) -> dict[str, Json]:
    answer: dict[str, Json] = {
        "to": to if isinstance(to, str) else "",
        "httpStatusCode": status,
        "successful": False,
        "errorMessage": message,
    }
    if repeatability is not None:
        answer["repeatabilityResult"] = repeatability
    return answer


def _plan_sms(
    box: Sandbox, accepted: int, to: str, options: Mapping[str, Json], *, step: int
) -> None:
    steps = sms_steps(to)
    if step < len(steps):
        body = {
            "accepted": accepted,
            "step": step,
            "reports": bool(options.get("enableDeliveryReport")),
            "tag": options.get("tag"),
        }
        box.schedule.later(steps[step].after, "sms-step", "", body)


def _sms_happens(box: Sandbox, job: Job) -> None:
    row = box.store.one("SELECT * FROM accepted WHERE seq = ?", (job.body["accepted"],))
    if row is None:
        return
    step = sms_steps(row["recipient"])[job.body["step"]]
    is_delivered = step.what == "DELIVERED"
    details = "2000: No Error" if is_delivered else _SMS_FAILURE
    now = time.time()
    report = {
        "messageId": row["message_id"],
        "from": row["sender"],
        "to": row["recipient"],
        "deliveryStatus": "Delivered" if is_delivered else "Failed",
        "deliveryStatusDetails": details,
        "deliveryAttempts": [
            {
                "timestamp": iso(now, digits=6),
                "segmentsSucceeded": 1 if is_delivered else 0,
                "segmentsFailed": 0 if is_delivered else 1,
            }
        ],
        "receivedTimestamp": iso(row["accepted"], digits=6),
        "tag": job.body["tag"] or "",
    }
    mailbox.record_news(box, row["seq"], row["recipient"], step.what, details)
    if job.body["reports"]:
        box.store.run(
            "INSERT OR REPLACE INTO sms_reports VALUES (?, ?)",
            (row["message_id"], json.dumps(report)),
        )
        event_grid.publish_sms_report(box, report)


async def show_delivery_report(request: web.Request) -> web.Response:
    """`GET /deliveryReports/{messageId}`: the report, 404 while there is none."""
    box = request.app[SANDBOX]
    await _checked_body(request, SMS_VERSIONS)
    row = box.store.one(
        "SELECT report FROM sms_reports WHERE message_id = ?", (request.match_info["id"],)
    )
    if row is None:
        return web.json_response(
            {
                "type": "https://tools.ietf.org/html/rfc9110#section-15.5.5",
                "title": "Not Found",
                "status": 404,
                "traceId": f"00-{new_guid().replace('-', '')}-00",
            },
            status=404,
            content_type="application/problem+json",
        )
    return web.Response(text=row["report"], content_type="application/json")


async def send_email(request: web.Request) -> web.Response:
    """`POST /emails:send`: 202 with the operation's id and where to ask for it.

    The same `Operation-Id` gets the same operation again and no second mail.
    """
    box = request.app[SANDBOX]
    content = await _checked_body(request, EMAIL_VERSIONS)
    if len(content) > _LARGEST_EMAIL:
        raise WireError(413, "RequestEntityTooLarge", "The request is limited to 10 MB.")
    body = _decode(content, request)
    operation = request.headers.get("Operation-Id", new_guid())
    if not is_guid(operation):
        raise WireError(400, "InvalidOperationId", "Operation-Id must be a GUID.")
    if box.store.one("SELECT 1 FROM operations WHERE id = ?", (operation,)) is None:
        _accept_email(box, operation, body)
    version = request.query["api-version"]
    return web.json_response(
        {"id": operation, "status": "Running"},
        status=202,
        headers={
            "Operation-Location": f"{box.base_url}/emails/operations/{operation}"
            f"?api-version={version}",
            "Retry-After": "1",
        },
    )


def _accept_email(box: Sandbox, operation: str, body: Mapping[str, Json]) -> None:
    sender, write, key = _read_email(body)
    recipients = addresses(write.content)
    if any(is_refused(address) for address in recipients):
        raise WireError(400, "InvalidRecipients", "One or more recipient addresses are invalid.")
    seq = mailbox.create_draft(box, sender, write)
    now = time.time()
    with box.store.transaction():
        box.store.run("UPDATE mails SET folder = 'acs', sent = ? WHERE seq = ?", (now, seq))
        mail = box.store.one("SELECT * FROM mails WHERE seq = ?", (seq,))
        accepted = box.store.run(
            "INSERT INTO accepted (channel, provider, sender, recipient, subject, text,"
            " idempotency_key, accepted, internet_message_id, message_id, mail)"
            " VALUES ('EMAIL', 'ACS', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                sender,
                ", ".join(recipients),
                write.content["subject"],
                words_of(write.content),
                key or operation,
                now,
                mail["internet_message_id"] if mail is not None else None,
                operation,
                seq,
            ),
        )
        box.store.run(
            "INSERT INTO operations VALUES (?, ?, ?)",
            (operation, accepted, now + 0.5 / box.options.speed),
        )
        for recipient in recipients:
            mailbox.plan(box, "acs-mail-step", accepted, recipient, step=0)


def _read_email(body: Mapping[str, Json]) -> tuple[str, MessageWrite, str | None]:
    """A checked ACS e-mail: sender, the mail, and the attempt id of our header."""

    sender, parts, to = body.get("senderAddress"), body.get("content"), body.get("recipients")
    if not isinstance(sender, str) or not is_address(sender):
        raise _bad("senderAddress must be a mail address of a verified domain.")
    if not isinstance(parts, Mapping) or not isinstance(parts.get("subject"), str):
        raise _bad("content.subject is required.")
    html, text = parts.get("html"), parts.get("plainText")
    if not any(isinstance(kind, str) and kind for kind in (html, text)):
        raise _bad("content needs html or plainText.")
    if not isinstance(to, Mapping):
        raise _bad("recipients is required.")
    content: dict[str, Json] = {
        "subject": parts["subject"],
        "body": {"contentType": "html", "content": html}
        if html
        else {"contentType": "text", "content": text},
        "from": {"emailAddress": {"name": sender, "address": sender}},
    }
    for ours, theirs in (("toRecipients", "to"), ("ccRecipients", "cc"), ("bccRecipients", "bcc")):
        content[ours] = _people(to.get(theirs) or [])
    content["replyTo"] = _people(body.get("replyTo") or [])
    if not addresses(content):
        raise _bad("recipients must hold at least one address.")
    headers = body.get("headers") or {}
    if not isinstance(headers, Mapping) or not all(
        isinstance(value, str) for value in headers.values()
    ):
        raise _bad("headers must map names to strings.")
    listed = [{"name": name, "value": value} for name, value in headers.items()]
    content["internetMessageHeaders"] = listed
    files = body.get("attachments") or []
    if not isinstance(files, list):
        raise _bad("attachments must be a list.")
    attachments = []
    for item in files:
        if not isinstance(item, Mapping) or not all(
            isinstance(item.get(name), str) for name in ("name", "contentType", "contentInBase64")
        ):
            raise _bad("An attachment needs name, contentType and contentInBase64.")
        try:
            file = base64.b64decode(item["contentInBase64"], validate=True)
        except binascii.Error as error:
            raise _bad("contentInBase64 is not base64.") from error
        attachments.append(
            NewAttachment(
                item["name"],
                item["contentType"],
                item.get("contentId"),
                "contentId" in item,
                file,
            )
        )
    write = MessageWrite(content, {}, tuple(attachments))
    return sender.lower(), write, mailbox.attempt_of(listed)


def _people(items: Json) -> list[Json]:
    if not isinstance(items, list):
        raise _bad("Recipients must be a list.")
    people = []
    for item in items:
        address = item.get("address") if isinstance(item, Mapping) else None
        if not isinstance(item, Mapping) or not is_address(address):
            raise _bad("Invalid format for email address.")
        name = item.get("displayName") or address
        people.append({"emailAddress": {"name": name, "address": address}})
    return people


def _bad(message: str) -> WireError:
    return WireError(400, "BadRequest", message)


def _mail_happens(box: Sandbox, job: Job) -> None:
    row = box.store.one("SELECT * FROM accepted WHERE seq = ?", (job.body["accepted"],))
    if row is None:
        return
    recipient: str = job.body["recipient"]
    steps = mail_steps(recipient)
    step = steps[job.body["step"]]
    detail = {
        "FAILED": "550 5.1.1 The email account that you tried to reach does not exist.",
        "DELIVERED": "No error.",
        "DELAYED": "Still being tried.",
        "OPENED": "view",
    }[step.what]
    mailbox.record_news(box, row["seq"], recipient, step.what, detail)
    common = {
        "sender": row["sender"],
        "messageId": row["message_id"],
        "internetMessageId": row["internet_message_id"],
    }
    if step.what in {"DELIVERED", "FAILED"}:
        event_grid.publish_email_report(
            box,
            {
                **common,
                "recipient": recipient,
                "status": "Delivered" if step.what == "DELIVERED" else "Bounced",
                "deliveryStatusDetails": {"statusMessage": detail},
                "deliveryAttemptTimeStamp": iso(time.time(), digits=6),
            },
        )
    elif step.what == "OPENED":
        event_grid.publish_engagement(
            box,
            {
                **common,
                "userActionTimeStamp": iso(time.time(), digits=6),
                "engagementContext": "",
                "userAgent": "Mozilla/5.0 (sandbox)",
                "engagementType": "view",
            },
        )
    mailbox.plan(box, job.kind, row["seq"], recipient, step=job.body["step"] + 1)


async def show_operation(request: web.Request) -> web.Response:
    """`GET /emails/operations/{id}`: Running, then Succeeded; 404 when unknown."""
    box = request.app[SANDBOX]
    await _checked_body(request, EMAIL_VERSIONS)
    operation = request.match_info["id"]
    row = box.store.one("SELECT * FROM operations WHERE id = ?", (operation,))
    if row is None:
        raise WireError(404, "OperationNotFound", "The operation was not found.")
    is_done = row["done"] <= time.time()
    return web.json_response(
        {"id": operation, "status": "Succeeded" if is_done else "Running"},
        headers={} if is_done else {"Retry-After": "1"},
    )
