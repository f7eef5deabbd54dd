"""Upload sessions for attachments of 3 to 150 MB: ordered chunks, no Authorization header."""

import json
import re
import secrets
import time
from collections.abc import Mapping
from typing import TypeGuard
from urllib.parse import quote

from aiohttp import web

from trackcenter.sandbox import mailbox
from trackcenter.sandbox.context import SANDBOX, Sandbox
from trackcenter.sandbox.graph_model import NewAttachment
from trackcenter.sandbox.state import Json, Row
from trackcenter.sandbox.wire import WireError, iso

_SMALLEST = 3 * 1024 * 1024
_LARGEST = 150 * 1024 * 1024
_CHUNK = 4 * 1024 * 1024
_LIFETIME = 3 * 3600
_RANGE = re.compile(r"bytes (\d{1,10})-(\d{1,10})/(\d{1,10})")


def routes() -> list[web.RouteDef]:
    """The pre-authenticated upload URL, outside the Graph routes as in life."""
    path = "/upload/AttachmentSessions/{upload}"
    return [web.put(path, put_chunk), web.get(path, show), web.delete(path, cancel)]


def create(box: Sandbox, mail: Row, body: Json) -> web.Response:
    """`createUploadSession`: 201 with the URL to put chunks to.

    Raises:
        WireError: 400 for a malformed item or a size outside 3–150 MB.
    """
    item = body.get("AttachmentItem", body.get("attachmentItem")) if _is_object(body) else None
    if not _is_object(item):
        raise WireError(400, "ErrorInvalidRequest", "The parameter 'AttachmentItem' is missing.")
    name, size = item.get("name"), item.get("size")
    if str(item.get("attachmentType", "")).lower() != "file":
        raise WireError(400, "ErrorInvalidRequest", "attachmentType must be 'file'.")
    if not isinstance(name, str) or not name:
        raise WireError(400, "ErrorInvalidRequest", "The attachment needs a name.")
    if not isinstance(size, int) or isinstance(size, bool):
        raise WireError(400, "ErrorInvalidRequest", "The attachment needs a size in bytes.")
    if size < _SMALLEST:
        raise WireError(
            400,
            "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize",
            f"Attachment size should not be less than {_SMALLEST} bytes.",
        )
    if size > _LARGEST:
        raise WireError(
            400, "ErrorAttachmentSizeLimitExceeded", f"Attachment size is limited to {_LARGEST}."
        )
    upload, token, now = secrets.token_urlsafe(24), secrets.token_urlsafe(32), time.time()
    for stale in box.store.all("SELECT id FROM uploads WHERE expires < ?", (now,)):
        _forget(box, stale["id"])
    box.store.run(
        "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, 0, ?)",
        (upload, token, mail["seq"], json.dumps(item), size, now + _LIFETIME),
    )
    return web.json_response(
        {
            "@odata.context": f"{box.base_url}/v1.0/$metadata#microsoft.graph.uploadSession",
            "uploadUrl": f"{box.base_url}/upload/AttachmentSessions/{quote(upload)}"
            f"?authtoken={quote(token)}",
            "expirationDateTime": iso(now + _LIFETIME, digits=6),
            "nextExpectedRanges": ["0-"],
        },
        status=201,
    )


async def put_chunk(request: web.Request) -> web.Response:
    """Takes the next chunk: 200 with what is expected next, 201 with `Location` after the last.

    Raises:
        WireError: 401 when an Authorization header is sent; 404 without such a session; 400 or
            416 when the range is malformed, out of order or too large.
    """
    box = request.app[SANDBOX]
    session = _session(request, box)
    found = _RANGE.fullmatch(request.headers.get("Content-Range", ""))
    if found is None:
        raise WireError(400, "InvalidContentRange", "Content-Range must be 'bytes a-b/total'.")
    start, end, total = (int(number) for number in found.groups())
    chunk = await request.read()
    if total != session["size"] or end < start or end >= total or len(chunk) != end - start + 1:
        raise WireError(400, "InvalidContentRange", "Content-Range does not fit the content.")
    if len(chunk) > _CHUNK:
        raise WireError(413, "RequestEntityTooLarge", f"A range holds at most {_CHUNK} bytes.")
    if start != session["received"]:
        raise WireError(
            416, "InvalidRange", f"Upload in order: byte {session['received']} is expected next."
        )
    received = end + 1
    with box.store.transaction():
        box.store.run("INSERT INTO upload_chunks VALUES (?, ?, ?)", (session["id"], start, chunk))
        box.store.run("UPDATE uploads SET received = ? WHERE id = ?", (received, session["id"]))
        if received == total:
            return web.Response(status=201, headers={"Location": _finish(box, session)})
    return web.json_response(_progress(session, received))


async def show(request: web.Request) -> web.Response:
    """How far the upload is."""
    session = _session(request, request.app[SANDBOX])
    return web.json_response(_progress(session, session["received"]))


async def cancel(request: web.Request) -> web.Response:
    """Gives the upload up: 204."""
    box = request.app[SANDBOX]
    _forget(box, _session(request, box)["id"])
    return web.Response(status=204)


def _session(request: web.Request, box: Sandbox) -> Row:
    if "Authorization" in request.headers:
        raise WireError(
            401,
            "InvalidAudienceForResource",
            "The audience claim value is invalid for this URL. It is pre-authenticated: do not "
            "send an Authorization header.",
        )
    row = box.store.one("SELECT * FROM uploads WHERE id = ?", (request.match_info["upload"],))
    token = request.query.get("authtoken", "")
    if row is None or row["expires"] < time.time():
        raise WireError(404, "ErrorItemNotFound", "The upload session was not found.")
    if not secrets.compare_digest(token.encode(), row["token"].encode()):
        raise WireError(401, "InvalidAuthenticationToken", "The upload URL was altered.")
    return row


def _progress(session: Row, received: int) -> dict[str, Json]:
    return {
        "expirationDateTime": iso(session["expires"], digits=6),
        "nextExpectedRanges": [str(received)],
    }


def _finish(box: Sandbox, session: Row) -> str:
    """Makes the attachment of the chunks; answers its URL."""
    chunks = box.store.all(
        "SELECT content FROM upload_chunks WHERE upload = ? ORDER BY start", (session["id"],)
    )
    mail = box.store.one("SELECT * FROM mails WHERE seq = ?", (session["mail"],))
    if mail is None or mail["folder"] != "drafts":
        raise WireError(404, "ErrorItemNotFound", "The message is gone or was sent.")
    item = json.loads(session["item"])
    attachment = mailbox.attach(
        box,
        session["mail"],
        NewAttachment(
            name=item["name"],
            content_type=item.get("contentType") or "application/octet-stream",
            content_id=item.get("contentId"),
            is_inline=bool(item.get("isInline", False)),
            content=b"".join(chunk["content"] for chunk in chunks),
        ),
    )
    _forget(box, session["id"])
    return (
        f"{box.base_url}/v1.0/Users('{quote(mail['mailbox'])}')/Messages('{mail['immutable_id']}')"
        f"/Attachments('{attachment}')"
    )


def _forget(box: Sandbox, upload: str) -> None:
    box.store.run("DELETE FROM upload_chunks WHERE upload = ?", (upload,))
    box.store.run("DELETE FROM uploads WHERE id = ?", (upload,))


def _is_object(value: Json) -> TypeGuard[Mapping[str, Json]]:
    return isinstance(value, Mapping)
