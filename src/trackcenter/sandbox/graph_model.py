"""Graph messages: what a client may write, checked as Graph checks it, and what it reads back."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape

from trackcenter.sandbox.state import Json, Row
from trackcenter.sandbox.wire import WireError, is_address, iso

MAX_HEADERS = 5
MAX_INLINE_ATTACHMENT = 3 * 1024 * 1024
_READ_FOR_WORDS = 20_000
_WORDS = 2_000
_UNSEEN = re.compile(r"(?is)<(style|script|head)\b.*?(?:</\1>|\Z)|<!--.*?(?:-->|\Z)")
_TAG = re.compile(r"<[^>]*>?")
_PROPERTY_ID = re.compile(
    r"(String|Integer|Boolean|SystemTime|CLSID|Binary|Long|Short|Double)\s+"
    r"(?:\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}\s+(?:Name\s+.+|Id\s+0x[0-9A-Fa-f]+)"
    r"|0x[0-9A-Fa-f]+)"
)
FOLDER_IDS = {
    "drafts": "AAMkADSandboxFolderDrafts=",
    "sentitems": "AAMkADSandboxFolderSent=",
    "inbox": "AAMkADSandboxFolderInbox=",
}


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A file attachment as it came in."""

    name: str
    content_type: str
    content_id: str | None
    is_inline: bool
    content: bytes


@dataclass(frozen=True, slots=True)
class MessageWrite:
    """A checked write: `content` holds message properties by their Graph names."""

    content: dict[str, Json]
    extended: dict[str, str]
    attachments: tuple[NewAttachment, ...]


def _bad(message: str, code: str = "RequestBodyRead") -> WireError:
    return WireError(400, code, message)


def _string(name: str, value: Json) -> Json:
    if not isinstance(value, str):
        raise _bad(f"Cannot convert the value of '{name}' to the expected type 'Edm.String'.")
    return value


def _boolean(name: str, value: Json) -> Json:
    if not isinstance(value, bool):
        raise _bad(f"Cannot convert the value of '{name}' to the expected type 'Edm.Boolean'.")
    return value


def _body(name: str, value: Json) -> Json:
    if not isinstance(value, Mapping) or set(value) - {"contentType", "content", "@odata.type"}:
        raise _bad(f"The property '{name}' must be an itemBody with contentType and content.")
    kind = _string("contentType", value.get("contentType", "text"))
    if kind.lower() not in {"text", "html"}:
        raise _bad(f"Requested value '{kind}' was not found for type bodyType.")
    return {"contentType": kind.lower(), "content": _string("content", value.get("content", ""))}


def _recipient(name: str, value: Json) -> Json:
    email = value.get("emailAddress") if isinstance(value, Mapping) else None
    if not isinstance(email, Mapping) or set(email) - {"address", "name", "@odata.type"}:
        raise _bad(f"The property '{name}' must hold emailAddress with address and name.")
    address = _string("address", email.get("address", ""))
    return {
        "emailAddress": {"name": _string("name", email.get("name") or address), "address": address}
    }


def _recipients(name: str, value: Json) -> Json:
    if not isinstance(value, list):
        raise _bad(f"The property '{name}' must be a collection of recipient.")
    return [_recipient(name, item) for item in value]


def _headers(name: str, value: Json) -> Json:
    if not isinstance(value, list):
        raise _bad(f"The property '{name}' must be a collection of internetMessageHeader.")
    if len(value) > MAX_HEADERS:
        raise _bad(
            "Maximum number of headers in one message should be less than or equal to "
            f"{MAX_HEADERS}.",
            "InvalidInternetMessageHeaderCollection",
        )
    headers = []
    for item in value:
        if not isinstance(item, Mapping) or set(item) - {"name", "value", "@odata.type"}:
            raise _bad(f"The property '{name}' must hold name and value.")
        header, text = _string("name", item.get("name")), _string("value", item.get("value"))
        if not header.lower().startswith("x-"):
            raise _bad(
                f"The internet message header name '{header}' should start with 'x-' or 'X-'.",
                "InvalidInternetMessageHeader",
            )
        if not re.fullmatch(r"[!-9;-~]+", header) or re.search(r"[\r\n\x00]", text):
            raise _bad(
                f"The internet message header '{header}' is invalid.",
                "InvalidInternetMessageHeader",
            )
        headers.append({"name": header, "value": text})
    return headers


def _importance(name: str, value: Json) -> Json:
    if _string(name, value).lower() not in {"low", "normal", "high"}:
        raise _bad(f"Requested value '{value}' was not found for type importance.")
    return value.lower()


def _categories(name: str, value: Json) -> Json:
    if not isinstance(value, list):
        raise _bad(f"The property '{name}' must be a collection of Edm.String.")
    return [_string(name, item) for item in value]


def _subject(name: str, value: Json) -> Json:
    text = _string(name, value)
    if len(text) > 255:
        # Exchange cuts nothing silently on create: the property is bounded.
        raise _bad("The length of the property exceeded the maximum size.", "ErrorPropertyTooLong")
    return re.sub(r"[\r\n]+", " ", text)


_WRITABLE: dict[str, Callable[[str, Json], Json]] = {
    "subject": _subject,
    "body": _body,
    "toRecipients": _recipients,
    "ccRecipients": _recipients,
    "bccRecipients": _recipients,
    "replyTo": _recipients,
    "from": _recipient,
    "sender": _recipient,
    "internetMessageHeaders": _headers,
    "internetMessageId": _string,
    "importance": _importance,
    "isDeliveryReceiptRequested": _boolean,
    "isReadReceiptRequested": _boolean,
    "isRead": _boolean,
    "categories": _categories,
    "inferenceClassification": _string,
    "flag": lambda _, value: value,
}
_WRITABLE_AFTER_SENDING = frozenset({"isRead", "categories", "flag", "inferenceClassification"})


def read_message(body: Json, *, is_draft: bool = True) -> MessageWrite:
    """A JSON body as a checked write.

    Raises:
        WireError: 400 in Graph's words; unknown property, wrong type, too many headers, a header
            not beginning with `x-`, a malformed extended property, or a property that is fixed
            once the message was sent.
    """
    if not isinstance(body, Mapping):
        raise _bad(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and "
            "payload is of valid JSON format.",
            "BadRequest",
        )
    content: dict[str, Json] = {}
    extended: dict[str, str] = {}
    attachments: tuple[NewAttachment, ...] = ()
    for name, value in body.items():
        if name.startswith("@odata."):
            continue
        if not is_draft and name not in _WRITABLE_AFTER_SENDING:
            raise _bad(
                f"The property '{name}' cannot be set on a sent message.", "ErrorInvalidPropertySet"
            )
        if name == "singleValueExtendedProperties":
            extended = _extended(value)
        elif name == "attachments":
            if not isinstance(value, list):
                raise _bad("The property 'attachments' must be a collection of attachment.")
            attachments = tuple(read_attachment(item) for item in value)
        elif name in _WRITABLE:
            if value is not None:
                content[name] = _WRITABLE[name](name, value)
        else:
            raise _bad(
                f"The property '{name}' does not exist on type 'Microsoft.OutlookServices.Message'."
                " Make sure to only use property names that are defined by the type."
            )
    return MessageWrite(content, extended, attachments)


def _extended(value: Json) -> dict[str, str]:
    if not isinstance(value, list):
        raise _bad("The property 'singleValueExtendedProperties' must be a collection.")
    extended = {}
    for item in value:
        if not isinstance(item, Mapping) or set(item) - {"id", "value", "@odata.type"}:
            raise _bad("A singleValueExtendedProperty holds id and value.")
        name = _string("id", item.get("id"))
        if not _PROPERTY_ID.fullmatch(name):
            raise _bad(
                f"PropertyId values may only be in one of the following formats: 'MapiPropertyType "
                f"namespaceGuid Name propertyName'. The value was '{name}'.",
                "ErrorInvalidProperty",
            )
        extended[property_key(name)] = _string("value", item.get("value"))
    return extended


def property_key(name: str) -> str:
    """An extended property's id in one spelling: GUIDs and types compare without case."""
    head, found, last = re.sub(r"\s+", " ", name).partition(" Name ")
    return head.lower() + found + last


def read_attachment(item: Json) -> NewAttachment:
    """A `fileAttachment` as JSON.

    Raises:
        WireError: 400 for another type, bad base64 or a missing name; 413 from 3 MB on.
    """
    if not isinstance(item, Mapping):
        raise _bad("An attachment must be a JSON object.")
    if str(item.get("@odata.type", "")).lstrip("#") != "microsoft.graph.fileAttachment":
        raise _bad(
            "The attachment needs '@odata.type': '#microsoft.graph.fileAttachment'.", "BadRequest"
        )
    known = {"@odata.type", "name", "contentType", "contentBytes", "contentId", "isInline", "size"}
    unknown = sorted(set(item) - known)
    if unknown:
        raise _bad(f"The property '{unknown[0]}' does not exist on type 'fileAttachment'.")
    try:
        content = base64.b64decode(_string("contentBytes", item.get("contentBytes")), validate=True)
    except binascii.Error as error:
        raise _bad("Cannot convert 'contentBytes' to the expected type 'Edm.Binary'.") from error
    if len(content) >= MAX_INLINE_ATTACHMENT:
        raise WireError(
            413,
            "ErrorAttachmentSizeLimitExceeded",
            "The attachment is too large for one request; use an upload session from 3 MB on.",
        )
    name = _string("name", item.get("name"))
    if not name:
        raise _bad("The attachment needs a name.", "ErrorInvalidArgument")
    content_id = item.get("contentId")
    return NewAttachment(
        name=name,
        content_type=_string("contentType", item.get("contentType") or "application/octet-stream"),
        content_id=None if content_id is None else _string("contentId", content_id),
        is_inline=bool(_boolean("isInline", item.get("isInline", False))),
        content=content,
    )


def addresses(content: Mapping[str, Json]) -> list[str]:
    """Every recipient's address: to, cc, bcc, in this order."""
    return [
        recipient["emailAddress"]["address"]
        for kind in ("toRecipients", "ccRecipients", "bccRecipients")
        for recipient in content.get(kind, [])
    ]


def are_sendable(recipients: list[str]) -> bool:
    """Whether there are recipients and all of them look like addresses."""
    return bool(recipients) and all(is_address(address) for address in recipients)


def words_of(content: Mapping[str, Json]) -> str:
    """The beginning of the body as text, roughly: for previews, lists and what bounces return."""
    body = content.get("body") or {"contentType": "text", "content": ""}
    text = str(body["content"])[:_READ_FOR_WORDS]
    if body["contentType"] == "html":
        text = _UNSEEN.sub(" ", text)
        text = unescape(_TAG.sub(" ", text))
    return " ".join(text.split())[:_WORDS]


# The order of Graph's own answers.
_SELECTABLE = (
    "id",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "categories",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "internetMessageId",
    "subject",
    "bodyPreview",
    "importance",
    "parentFolderId",
    "conversationId",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "isRead",
    "isDraft",
    "webLink",
    "inferenceClassification",
    "body",
    "sender",
    "from",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "flag",
)
_ONLY_WHEN_SELECTED = ("internetMessageHeaders", "uniqueBody")


def check_select(select: list[str] | None) -> None:
    """Refuses a `$select` of unknown properties with 400."""
    for name in select or []:
        if name not in _SELECTABLE and name not in _ONLY_WHEN_SELECTED:
            raise WireError(
                400,
                "BadRequest",
                f"Parsing OData Select and Expand failed: Could not find a property named '{name}' "
                "on type 'Microsoft.OutlookServices.Message'.",
            )


def as_resource(
    row: Row,
    content: Mapping[str, Json],
    *,
    immutable: bool,
    has_attachments: bool,
    select: list[str] | None,
) -> dict[str, Json]:
    """A mail row as a Graph message; `select` None means everything usual."""
    mailbox = {"emailAddress": {"name": row["mailbox"], "address": row["mailbox"]}}
    change_key = f"CQAAABYAAAD{row['seq']:08X}{int(row['modified'] * 1000) & 0xFFFFFF:06X}"
    body = content.get("body") or {"contentType": "text", "content": ""}
    every: dict[str, Json] = {
        "id": row["immutable_id"] if immutable else row["rest_id"],
        "createdDateTime": iso(row["created"]),
        "lastModifiedDateTime": iso(row["modified"]),
        "changeKey": change_key,
        "categories": content.get("categories", []),
        "receivedDateTime": iso(row["sent"] or row["created"]),
        "sentDateTime": iso(row["sent"] or row["created"]),
        "hasAttachments": has_attachments,
        "internetMessageId": row["internet_message_id"],
        "subject": content.get("subject", ""),
        "bodyPreview": row["words"][:255],
        "importance": content.get("importance", "normal"),
        "parentFolderId": FOLDER_IDS.get(row["folder"], ""),
        "conversationId": f"AAQkADSandbox{row['seq']:08d}=",
        "isDeliveryReceiptRequested": content.get("isDeliveryReceiptRequested", False),
        "isReadReceiptRequested": content.get("isReadReceiptRequested", False),
        "isRead": content.get("isRead", row["folder"] != "inbox"),
        "isDraft": row["folder"] == "drafts",
        "webLink": f"https://outlook.sandbox.invalid/owa/?ItemID={row['rest_id']}",
        "inferenceClassification": "focused",
        "body": body,
        "sender": content.get("sender", content.get("from", mailbox)),
        "from": content.get("from", mailbox),
        "toRecipients": content.get("toRecipients", []),
        "ccRecipients": content.get("ccRecipients", []),
        "bccRecipients": content.get("bccRecipients", []),
        "replyTo": content.get("replyTo", []),
        "flag": content.get("flag", {"flagStatus": "notFlagged"}),
    }
    if select is None:
        chosen = every
    else:
        every["internetMessageHeaders"] = content.get("internetMessageHeaders", [])
        every["uniqueBody"] = body
        chosen = {name: every[name] for name in ["id", *select]}
    return {"@odata.etag": f'W/"{change_key}"', **chosen}
