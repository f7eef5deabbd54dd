"""Reports that come by mail: delivery status (RFC 3464, RFC 6533) and disposition (RFC 8098).

Only the structured parts of a report speak. A person's answer that quotes a bounce, an
out-of-office and every other mail give no report at all. `Action` and `Disposition` are believed
before any message class.
"""

import base64
import binascii
import email
import quopri
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Literal

Kind = Literal["FAILED", "DELIVERED", "OPENED", "NOTICE"]

MAX_BYTES = 2 * 1024 * 1024
"""A report says what it has to say first; what follows is the returned original."""

ATTEMPT_HEADER = "x-trackcenter-attempt"

_MAX_RECIPIENTS = 1000
_MAX_TEXT = 4000
_MAX_PARTS = 200

_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_DISPOSITION_TYPES = (
    "message/disposition-notification",
    "message/global-disposition-notification",
)
_ORIGINAL_TYPES = (
    "message/rfc822",
    "message/global",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global-headers",
)

_BY_ACTION: dict[str, Kind] = {
    "failed": "FAILED",
    "failure": "FAILED",  # not the standard's word, but seen
    "delivered": "DELIVERED",
    "relayed": "NOTICE",
    "expanded": "NOTICE",
    "delayed": "NOTICE",
}

# Endings of Exchange's message class, the longest first: `.Delayed.DR` also ends in `.DR`.
_BY_CLASS: tuple[tuple[str, Kind, str], ...] = (
    (".delayed.dr", "NOTICE", "delayed"),
    (".relayed.dr", "NOTICE", "relayed"),
    (".expanded.dr", "NOTICE", "expanded"),
    (".ipnnrn", "NOTICE", "deleted"),
    (".ipnrn", "OPENED", ""),
    (".ndr", "FAILED", ""),
    (".dr", "DELIVERED", ""),
)

_MESSAGE_ID = re.compile(r"<([^<>]{1,990})>")
_STATUS_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]\d)")
_REAL_BOUNDARY = re.compile(
    rb"^--([^\r\n]{1,200}?)[ \t]*\r?\n(?=content-)", re.IGNORECASE | re.MULTILINE
)

Fields = Mapping[str, str]


@dataclass(frozen=True)
class Report:
    """What one report says about one recipient.

    `correlation` holds Internet message ids with their brackets, to be tried in this order;
    `attempt_id` is our own header inside the returned original. `note` names what a NOTICE is
    (`relayed`, `expanded`, `delayed`, `deleted`, …) or how an OPENED came about (`automatic`).
    `occurred_at` is aware UTC, None when the report has no readable date.
    """

    kind: Kind
    correlation: list[str]
    attempt_id: str | None
    recipient: str | None
    status_code: str | None
    diagnostic: str | None
    occurred_at: datetime | None
    note: str = ""


def read_report(mime: bytes, *, message_class: str | None = None) -> list[Report]:
    """Read a mail as a report: one Report a recipient, none for ordinary mail.

    `message_class` is Exchange's, where it is known; it counts only where the structured part
    names no Action. Never fails, whatever the bytes.
    """
    mime = mime[:MAX_BYTES]
    try:
        # The older policy: it leaves headers as they came, where the newer one parses each and
        # fails on some broken ones.
        root = email.message_from_bytes(mime, policy=policy.compat32)
        exchange_class = _meaning_of_class(message_class or _header(root, "Message-Class") or "")
        report = _report_part(_mended(root, mime))
        if report is None and exchange_class is None:
            return []
        return _Reader(root, report, exchange_class).reports()
    except RecursionError:  # parts nested hundreds deep are nobody's report
        return []


class _Reader:
    """One report being read."""

    def __init__(
        self, root: Message, report: Message | None, exchange_class: tuple[Kind, str] | None
    ) -> None:
        self._root = root
        self._class = exchange_class
        self._status: list[Fields] = []
        self._disposition: list[Fields] = []
        self._original: Fields = {}
        for part in _parts(report or root):
            kind = part.get_content_type()
            if kind in _STATUS_TYPES and not self._status:
                self._status = _blocks(part)
            elif kind in _DISPOSITION_TYPES and not self._disposition:
                self._disposition = _blocks(part)
            elif kind in _ORIGINAL_TYPES and not self._original:
                self._original = _original_fields(part)

    def reports(self) -> list[Report]:
        found = [*self._of_status(), *self._of_disposition()]
        if not found and self._class is not None:
            kind, note = self._class
            found = [self._report(kind, {}, {}, note)]
        return found

    def _of_status(self) -> Iterator[Report]:
        common: Fields = {}
        for number, fields in enumerate(self._status[:_MAX_RECIPIENTS]):
            about_recipient = fields.keys() & {"action", "final-recipient", "original-recipient"}
            if not about_recipient:
                if number == 0:
                    common = fields
                continue
            kind, note = self._of_action(fields)
            yield self._report(kind, fields, common, note)

    def _of_action(self, fields: Fields) -> tuple[Kind, str]:
        words = re.findall(r"[a-z]+", fields.get("action", "").lower())
        action = words[0] if words else ""
        if action in _BY_ACTION:
            kind = _BY_ACTION[action]
            return kind, action if kind == "NOTICE" else ""
        if action:
            return "NOTICE", action
        if self._class is not None:
            return self._class
        if (_status_code(fields) or "").startswith("5"):
            return "FAILED", ""
        return "NOTICE", "unclear"

    def _of_disposition(self) -> Iterator[Report]:
        for fields in self._disposition[:1]:
            disposition = fields.get("disposition")
            if disposition is None:
                if self._class is not None:
                    yield self._report(self._class[0], fields, {}, self._class[1])
                continue
            mode, _, outcome = disposition.lower().partition(";")
            word = re.split(r"[/,\s]", outcome.strip(), maxsplit=1)[0]
            if word == "displayed":
                automatic = "automatic-action" in mode
                yield self._report("OPENED", fields, {}, "automatic" if automatic else "")
            else:
                yield self._report("NOTICE", fields, {}, word or "unclear")

    def _report(self, kind: Kind, fields: Fields, common: Fields, note: str) -> Report:
        moment = _moment(fields.get("last-attempt-date")) or _moment(_header(self._root, "Date"))
        return Report(
            kind=kind,
            correlation=self._correlation(fields, common),
            attempt_id=self._original.get(ATTEMPT_HEADER, "").strip() or None,
            recipient=_address(fields),
            status_code=_status_code(fields),
            diagnostic=_diagnostic(fields),
            occurred_at=moment,
            note=note[:100],
        )

    def _correlation(self, fields: Fields, common: Fields) -> list[str]:
        """Every message id that may be ours, the most trustworthy first."""
        references = _message_ids(_header(self._root, "References"))
        ids = [
            *_message_ids(fields.get("original-message-id"), bare=True),
            *_message_ids(common.get("original-message-id"), bare=True),
            *_message_ids(_header(self._root, "Original-Message-ID"), bare=True),
            *_message_ids(_header(self._root, "In-Reply-To"), bare=True),
            *reversed(references),
            *_message_ids(self._original.get("message-id"), bare=True),
        ]
        return list(dict.fromkeys(ids))[:50]


# The shape of the mail


def _report_part(root: Message) -> Message | None:
    """The part whose children are a report's, None for ordinary mail.

    A report may be wrapped once by a gateway that added a footer or a signature, and is then the
    first thing in the wrapping. One that stands behind a text is a person forwarding it.
    """
    if _is_report(root):
        return root
    if root.get_content_type() in ("multipart/mixed", "multipart/signed"):
        first = next(iter(_children(root)), None)
        if first is not None and _is_report(first):
            return first
    return None


def _is_report(part: Message) -> bool:
    kind = part.get_content_type()
    return kind == "multipart/report" or kind in (*_STATUS_TYPES, *_DISPOSITION_TYPES)


def _mended(root: Message, mime: bytes) -> Message:
    """The same mail with the boundary it really uses, where the one it names separates nothing."""
    if root.get_content_type() != "multipart/report" or root.is_multipart():
        return root
    real = _REAL_BOUNDARY.search(mime)
    if real is None:
        return root
    head = b'Content-Type: multipart/report; boundary="' + real.group(1).replace(b'"', b"") + b'"'
    return email.message_from_bytes(head + b"\n\n" + mime[real.start() :], policy=policy.compat32)


def _parts(container: Message) -> Iterator[Message]:
    """The container or its leaves in order, never looking inside a message that it carries."""
    waiting, count = [container], 0
    while waiting and count < _MAX_PARTS:
        part = waiting.pop(0)
        count += 1
        if part.get_content_maintype() == "multipart":
            waiting[:0] = _children(part)
        else:
            yield part


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    if not isinstance(payload, list):
        return []
    return [each for each in payload if isinstance(each, Message)]


def _meaning_of_class(message_class: str) -> tuple[Kind, str] | None:
    name = message_class.strip().lower()
    if not name.startswith("report."):
        return None
    return next(((kind, note) for end, kind, note in _BY_CLASS if name.endswith(end)), None)


# Fields


def _blocks(part: Message) -> list[Fields]:
    """The blocks of fields of a status or disposition part, however the parser took it apart."""
    text = _text_of(part)
    blocks = [_fields(block) for block in re.split(r"\n[ \t]*\n", text)]
    return [block for block in blocks if block]


def _original_fields(part: Message) -> Fields:
    """The header of the returned original."""
    text = _text_of(part).lstrip("\n")
    return _fields(re.split(r"\n[ \t]*\n", text, maxsplit=1)[0])


def _text_of(part: Message) -> str:
    """A part's own text with `\\n` line ends, decoded even where encoding is against the rules."""
    if part.is_multipart():  # the parser read it as one or several messages
        raw = b"\n\n".join(_flat(each) for each in _children(part))
        encoding = (_header(part, "Content-Transfer-Encoding") or "").lower()
        if encoding == "base64":
            raw = _unbase64(raw)
        elif encoding == "quoted-printable":
            raw = quopri.decodestring(raw)
    else:
        raw = _payload(part)
    return _decoded(raw).replace("\r\n", "\n").replace("\r", "\n")


def _flat(message: Message) -> bytes:
    """A message as it stood in the mail; what it carries in turn is left out."""
    head = "".join(f"{name}: {value}\n" for name, value in message.raw_items())
    return head.encode("utf-8", "surrogateescape") + b"\n" + _payload(message)


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _unbase64(raw: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(raw.split()), validate=True)
    except (binascii.Error, ValueError):
        return raw  # said to be encoded, but plain


def _decoded(raw: bytes) -> str:
    raw = raw.replace(b"\x00", b"")  # PostgreSQL stores no such character
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _fields(block: str) -> dict[str, str]:
    """`Name: value` lines by lower-case name, folded lines joined; the first of a name counts."""
    unfolded: list[str] = []
    for line in block.split("\n"):
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1] += " " + line.strip()
        else:
            unfolded.append(line)
    fields: dict[str, str] = {}
    for line in unfolded:
        name, colon, value = line.partition(":")
        if colon and re.fullmatch(r"[!-9;-~]+", name.strip()):
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _header(message: Message, name: str) -> str | None:
    for key, value in message.raw_items():
        if key.lower() == name.lower():
            raw = str(value).encode("utf-8", "surrogateescape")
            return " ".join(_decoded(raw).split())
    return None


def _message_ids(value: str | None, *, bare: bool = False) -> list[str]:
    """Every `<id>` of a header, white space from folding removed; `bare` also takes `id@host`."""
    if not value:
        return []
    ids = ["".join(inside.split()) for inside in _MESSAGE_ID.findall(value)]
    if not ids and bare and "@" in value and "<" not in value:
        ids = value.split()[:1]
    return [f"<{each}>" for each in ids if each]


def _address(fields: Fields) -> str | None:
    """The recipient as we wrote it where the report says so, else as it was finally tried."""
    for name in ("original-recipient", "final-recipient"):
        value = fields.get(name, "")
        kind, semicolon, address = value.partition(";")
        address = (address if semicolon else kind).strip().strip("<>").strip()
        if "@" in address:
            return address[:320]
    return None


def _status_code(fields: Fields) -> str | None:
    """`Status`, or the code in the diagnostic where `Status` is missing or only general (5.0.0)."""
    stated = _STATUS_CODE.search(fields.get("status", ""))
    if stated is not None and stated.group(2, 3) != ("0", "0"):
        return stated.group()
    exact = _STATUS_CODE.search(fields.get("diagnostic-code", ""))
    if exact is not None and (stated is None or exact.group(1) == stated.group(1)):
        return exact.group()
    return stated.group() if stated is not None else None


def _diagnostic(fields: Fields) -> str | None:
    """The other side's own words: the diagnostic, or what went wrong with a read receipt."""
    value = fields.get("diagnostic-code") or fields.get("failure") or fields.get("error") or ""
    kind, semicolon, words = value.partition(";")
    text = words if semicolon and re.fullmatch(r"[\w.-]+", kind.strip()) else value
    return _unworded(text.strip())[:_MAX_TEXT] or None


def _unworded(text: str) -> str:
    """Encoded words (RFC 2047) as text; left alone when broken."""
    if "=?" not in text:
        return text
    try:
        words = "".join(
            part.decode(charset or "ascii", "replace") if isinstance(part, bytes) else part
            for part, charset in decode_header(text)
        )
        return words.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")
    except (LookupError, ValueError, binascii.Error):
        return text


def _moment(value: str | None) -> datetime | None:
    """An RFC 5322 date as aware UTC."""
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
