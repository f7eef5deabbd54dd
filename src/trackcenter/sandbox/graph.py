"""Microsoft Graph v1.0, the mail part: drafts, attachments, send, lookups, MIME, delta.

Graph has its own small router, because it takes `mailFolders('inbox')` for `mailFolders/inbox`
and does not mind case in path segments.
"""

import base64
import binascii
import json
import re
import time
from collections.abc import Awaitable, Callable
from urllib.parse import unquote, urlencode

from aiohttp import web

from trackcenter.sandbox import mailbox, subscriptions, uploads
from trackcenter.sandbox.context import SANDBOX, Sandbox
from trackcenter.sandbox.graph_model import (
    addresses,
    are_sendable,
    as_resource,
    check_select,
    read_attachment,
    read_message,
    words_of,
)
from trackcenter.sandbox.graph_query import MessageQuery, read_query, whole_number
from trackcenter.sandbox.outcomes import is_refused
from trackcenter.sandbox.state import Json, Row
from trackcenter.sandbox.tokens import check_bearer
from trackcenter.sandbox.wire import WireError, is_address, is_guid, read_iso

Handler = Callable[[web.Request, Sandbox, dict[str, str]], Awaitable[web.Response]]

_LARGEST_BODY = 4 * 1024 * 1024
_FOLDERS = {"inbox", "sentitems", "drafts"}
LOST_REPLIES = frozenset({"create_message", "send_message"})
"""The handlers whose reply the `lostReply` fault may lose."""


def routes() -> list[web.RouteDef]:
    """Everything under `/v1.0`."""
    return [web.route("*", "/v1.0/{tail:.*}", handle)]


async def handle(request: web.Request) -> web.StreamResponse:
    """Checks the token, then finds the handler.

    Raises:
        WireError: whatever Graph would refuse.
    """
    box = request.app[SANDBOX]
    check_bearer(box, request.headers.get("Authorization"))
    path = re.sub(r"\('([^'/]*)'\)", r"/\1", unquote(request.rel_url.raw_path[len("/v1.0") :]))
    known_path = False
    for method, pattern, handler in _ROUTES:
        found = pattern.fullmatch(path)
        if found is None:
            continue
        known_path = True
        if method == request.method:
            values = found.groupdict()
            if "mailbox" in values:
                values["mailbox"] = _mailbox(values["mailbox"])
            request["handler"] = handler.__name__
            return await handler(request, box, values)
    if known_path:
        raise WireError(405, "BadRequest", "The HTTP method is not supported for this resource.")
    last = path.rstrip("/").rpartition("/")[2]
    raise WireError(400, "BadRequest", f"Resource not found for the segment '{last}'.")


def _mailbox(name: str) -> str:
    if not is_address(name) and not is_guid(name):
        raise WireError(404, "ErrorInvalidUser", f"The requested user '{name}' is invalid.")
    return name.lower()


def wants_immutable(request: web.Request) -> bool:
    """Whether `Prefer: IdType="ImmutableId"` was sent."""
    prefers = ",".join(request.headers.getall("Prefer", []))
    return bool(re.search(r"IdType\s*=\s*\"?ImmutableId\"?", prefers, re.IGNORECASE))


def _applied(request: web.Request) -> dict[str, str]:
    return {"Preference-Applied": 'IdType="ImmutableId"'} if wants_immutable(request) else {}


async def _json(request: web.Request) -> Json:
    if request.content_type != "application/json":
        raise WireError(
            415, "BadRequest", "Write requests need the Content-Type header application/json."
        )
    content = await request.read()
    if len(content) > _LARGEST_BODY:
        raise WireError(413, "RequestEntityTooLarge", "Maximum request length exceeded.")
    try:
        return json.loads(content)
    except ValueError as error:
        raise WireError(
            400,
            "BadRequest",
            "Unable to read JSON request payload. Please ensure Content-Type header is set and "
            "payload is of valid JSON format.",
        ) from error


def _render(
    box: Sandbox, request: web.Request, row: Row, select: list[str] | None, expand: frozenset[str]
) -> dict[str, Json]:
    has_attachments = box.store.one(
        "SELECT 1 FROM attachments WHERE mail = ? AND is_inline = 0", (row["seq"],)
    )
    resource = as_resource(
        row,
        mailbox.content_of(row),
        immutable=wants_immutable(request),
        has_attachments=has_attachments is not None,
        select=select,
    )
    if expand:
        extended = [
            {"id": item["id"], "value": item["value"]}
            for item in box.store.all(
                "SELECT id, value FROM extended_properties WHERE mail = ? ORDER BY id",
                (row["seq"],),
            )
            if item["id"] in expand
        ]
        if extended:
            resource["singleValueExtendedProperties"] = extended
    return resource


def _entity(
    box: Sandbox,
    request: web.Request,
    row: Row,
    *,
    status: int = 200,
    select: list[str] | None = None,
    expand: frozenset[str] = frozenset(),
) -> web.Response:
    context = f"{box.base_url}/v1.0/$metadata#users('{row['mailbox']}')/messages/$entity"
    return web.json_response(
        {"@odata.context": context, **_render(box, request, row, select, expand)},
        status=status,
        headers=_applied(request),
    )


def _by_seq(box: Sandbox, seq: int) -> Row:
    row = box.store.one("SELECT * FROM mails WHERE seq = ?", (seq,))
    if row is None:
        raise WireError(
            404, "ErrorItemNotFound", "The specified object was not found in the store."
        )
    return row


def _draft(box: Sandbox, values: dict[str, str]) -> Row:
    row = mailbox.find(box, values["mailbox"], values["id"])
    if row["folder"] != "drafts":
        raise WireError(
            404, "ErrorItemNotFound", "The specified object was not found in the store."
        )
    return row


async def create_message(
    request: web.Request, box: Sandbox, values: dict[str, str]
) -> web.Response:
    """`POST …/messages`: a draft, 201."""
    write = read_message(await _json(request))
    seq = mailbox.create_draft(box, values["mailbox"], write)
    return _entity(box, request, _by_seq(box, seq), status=201)


async def change_message(
    request: web.Request, box: Sandbox, values: dict[str, str]
) -> web.Response:
    """`PATCH …/messages/{id}`."""
    row = mailbox.find(box, values["mailbox"], values["id"])
    write = read_message(await _json(request), is_draft=row["folder"] == "drafts")
    content = {**mailbox.content_of(row), **write.content}
    with box.store.transaction():
        box.store.run(
            "UPDATE mails SET content = ?, words = ?, modified = ? WHERE seq = ?",
            (json.dumps(content), words_of(content), time.time(), row["seq"]),
        )
        mailbox.set_extended(box, row["seq"], write.extended)
    return _entity(box, request, _by_seq(box, row["seq"]))


async def delete_message(_: web.Request, box: Sandbox, values: dict[str, str]) -> web.Response:
    """`DELETE …/messages/{id}`: 204."""
    row = mailbox.find(box, values["mailbox"], values["id"])
    with box.store.transaction():
        for table in ("extended_properties", "attachments"):
            box.store.run(
                f"DELETE FROM {table} WHERE mail = ?",
                (row["seq"],),
            )
        box.store.run("DELETE FROM mails WHERE seq = ?", (row["seq"],))
    return web.Response(status=204)


async def send_message(request: web.Request, box: Sandbox, values: dict[str, str]) -> web.Response:
    """`POST …/messages/{id}/send`: 202 and an empty body.

    What was sent lives on in Sent Items; there is no draft left to send again, so 404 then.
    """
    row = _draft(box, values)
    if (await request.read()).strip():
        raise WireError(400, "BadRequest", "The action 'send' takes no request body.")
    recipients = addresses(mailbox.content_of(row))
    if not are_sendable(recipients) or any(is_refused(address) for address in recipients):
        raise WireError(
            400,
            "ErrorInvalidRecipients",
            "At least one recipient isn't valid., A message can't be sent because it contains no "
            "valid recipients.",
        )
    mailbox.send_draft(box, row)
    return web.Response(status=202)


async def show_message(request: web.Request, box: Sandbox, values: dict[str, str]) -> web.Response:
    """`GET …/messages/{id}`, with `$select` and `$expand` of extended properties."""
    query = read_query(request.query)
    row = mailbox.find(box, values["mailbox"], values["id"])
    return _entity(box, request, row, select=query.select, expand=query.expand)


async def show_mime(_: web.Request, box: Sandbox, values: dict[str, str]) -> web.Response:
    """`GET …/messages/{id}/$value`: the MIME content."""
    row = mailbox.find(box, values["mailbox"], values["id"])
    return web.Response(body=mailbox.mime_of(box, row), content_type="text/plain")


async def list_messages(request: web.Request, box: Sandbox, values: dict[str, str]) -> web.Response:
    """`GET …/messages` of the mailbox or of one folder."""
    query = read_query(request.query)
    rows, more = _select(box, values["mailbox"], _folder(values), query)
    answer: dict[str, Json] = {
        "@odata.context": f"{box.base_url}/v1.0/$metadata#users('{values['mailbox']}')/messages",
        "value": [_render(box, request, row, query.select, query.expand) for row in rows],
    }
    if more:
        onward = {**request.query, "$skip": str(query.skip + query.top), "$top": str(query.top)}
        answer["@odata.nextLink"] = f"{box.base_url}{request.path}?{urlencode(onward)}"
    return web.json_response(answer, headers=_applied(request))


def _select(
    box: Sandbox, owner: str, folder: str | None, query: MessageQuery
) -> tuple[list[Row], bool]:
    where = ["mailbox = ?", "folder <> 'acs'", "visible <= ?", *query.where]
    values: list[object] = [owner, time.time(), *query.values]
    if folder is not None:
        where.append("folder = ?")
        values.append(folder)
    sql = f"SELECT * FROM mails WHERE {' AND '.join(where)} ORDER BY {query.order} LIMIT ? OFFSET ?"
    rows = box.store.all(sql, [*values, query.top + 1, query.skip])
    return rows[: query.top], len(rows) > query.top


def _folder(values: dict[str, str]) -> str | None:
    folder = values.get("folder")
    if folder is None:
        return None
    if folder.lower() not in _FOLDERS:
        raise WireError(
            404, "ErrorItemNotFound", "The specified object was not found in the store."
        )
    return folder.lower()


async def delta(request: web.Request, box: Sandbox, values: dict[str, str]) -> web.Response:
    """`GET …/mailFolders('inbox')/messages/delta`: what arrived since the last link.

    Pages by `Prefer: odata.maxpagesize`; a link from before a reset is answered 410.
    """
    folder = _folder(values)
    unknown = set(request.query) - {
        "$select", "$filter", "$deltatoken", "$skiptoken", "changeType"
    }  # fmt: skip
    if unknown:
        raise WireError(400, "BadRequest", f"'{min(unknown)}' is not supported in a delta query.")
    select = request.query["$select"].split(",") if "$select" in request.query else None
    check_select(select)
    after = 0
    token = request.query.get("$deltatoken") or request.query.get("$skiptoken")
    if token == "latest":  # noqa: S105 - Graph's word for 'from now on'
        after = box.store.number("SELECT MAX(seq) FROM mails")
    elif token is not None:
        after, known_select = _read_sync_token(box, token)
        select = select or known_select
    elif "$filter" in request.query:
        after = _received_before(box, values["mailbox"], request.query["$filter"])
    found = re.search(
        r"odata\.maxpagesize\s*=\s*(\d+)", ",".join(request.headers.getall("Prefer", []))
    )
    size = whole_number("odata.maxpagesize", found[1], 1, 1000) if found else 50
    rows = box.store.all(
        "SELECT * FROM mails WHERE mailbox = ? AND folder = ? AND seq > ? AND visible <= ?"
        " ORDER BY seq LIMIT ?",
        (values["mailbox"], folder, after, time.time(), size + 1),
    )
    more = len(rows) > size
    rows = rows[:size]
    reached = rows[-1]["seq"] if rows else after
    link = f"{box.base_url}{request.path}?" + urlencode(
        {"$skiptoken" if more else "$deltatoken": _sync_token(box, reached, select)}
    )
    return web.json_response(
        {
            "@odata.context": f"{box.base_url}/v1.0/$metadata#Collection(message)",
            "@odata.nextLink" if more else "@odata.deltaLink": link,
            "value": [_render(box, request, row, select, frozenset()) for row in rows],
        },
        headers=_applied(request),
    )


def _received_before(box: Sandbox, mailbox: str, text: str) -> int:
    """The last item before a delta's `$filter`, of which only one form is supported."""
    found = re.fullmatch(r"receivedDateTime\s+(?:ge|gt)\s+([0-9TZ:.+-]+)", text.strip())
    moment = read_iso(found[1]) if found else None
    if moment is None:
        raise WireError(400, "ErrorInvalidUrlQueryFilter", f"Invalid filter clause: {text}")
    return box.store.number(
        "SELECT MAX(seq) FROM mails WHERE mailbox = ? AND COALESCE(sent, created) < ?",
        (mailbox, moment),
    )


def _sync_token(box: Sandbox, reached: int, select: list[str] | None) -> str:
    content = json.dumps([box.store.setting("generation"), reached, select])
    return base64.urlsafe_b64encode(content.encode()).decode()


def _read_sync_token(box: Sandbox, token: str) -> tuple[int, list[str] | None]:
    try:
        generation, reached, select = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError) as error:
        raise WireError(400, "BadRequest", "Badly formed token.") from error
    if generation != box.store.setting("generation"):
        raise WireError(410, "SyncStateNotFound", "The sync state generation is not found.")
    return int(reached), select


async def add_attachment(
    request: web.Request, box: Sandbox, values: dict[str, str]
) -> web.Response:
    """`POST …/attachments`: a file below 3 MB, 201."""
    row = _draft(box, values)
    attachment = read_attachment(await _json(request))
    attachment_id = mailbox.attach(box, row["seq"], attachment)
    stored = _attachment_row(box, row, attachment_id)
    return web.json_response(_attachment(stored), status=201)


async def list_attachments(_: web.Request, box: Sandbox, values: dict[str, str]) -> web.Response:
    """`GET …/attachments`."""
    row = mailbox.find(box, values["mailbox"], values["id"])
    rows = box.store.all("SELECT * FROM attachments WHERE mail = ? ORDER BY seq", (row["seq"],))
    return web.json_response({"value": [_attachment(item) for item in rows]})


async def show_attachment(_: web.Request, box: Sandbox, values: dict[str, str]) -> web.Response:
    """`GET …/attachments/{id}`, its bytes in base64."""
    row = mailbox.find(box, values["mailbox"], values["id"])
    stored = _attachment_row(box, row, values["attachment"])
    content = base64.b64encode(stored["content"] or b"").decode()
    return web.json_response({**_attachment(stored), "contentBytes": content})


def _attachment_row(box: Sandbox, mail: Row, attachment_id: str) -> Row:
    row = box.store.one(
        "SELECT * FROM attachments WHERE mail = ? AND id = ?", (mail["seq"], attachment_id)
    )
    if row is None:
        raise WireError(
            404, "ErrorItemNotFound", "The specified object was not found in the store."
        )
    return row


def _attachment(row: Row) -> dict[str, Json]:
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "@odata.mediaContentType": row["content_type"],
        "id": row["id"],
        "name": row["name"],
        "contentType": row["content_type"],
        "size": row["size"],
        "isInline": bool(row["is_inline"]),
        "contentId": row["content_id"],
    }


async def create_upload(request: web.Request, box: Sandbox, values: dict[str, str]) -> web.Response:
    """`POST …/attachments/createUploadSession`: 201."""
    return uploads.create(box, _draft(box, values), await _json(request))


async def create_subscription(
    request: web.Request, box: Sandbox, _: dict[str, str]
) -> web.Response:
    """`POST /subscriptions`."""
    return await subscriptions.create(
        box, await _json(request), immutable_ids=wants_immutable(request)
    )


async def list_subscriptions(_: web.Request, box: Sandbox, __: dict[str, str]) -> web.Response:
    """`GET /subscriptions`."""
    return subscriptions.list_all(box)


async def show_subscription(_: web.Request, box: Sandbox, values: dict[str, str]) -> web.Response:
    """`GET /subscriptions/{id}`."""
    return subscriptions.show(box, values["id"])


async def change_subscription(
    request: web.Request, box: Sandbox, values: dict[str, str]
) -> web.Response:
    """`PATCH /subscriptions/{id}`."""
    return subscriptions.change(box, values["id"], await _json(request))


async def delete_subscription(_: web.Request, box: Sandbox, values: dict[str, str]) -> web.Response:
    """`DELETE /subscriptions/{id}`."""
    return subscriptions.remove(box, values["id"])


async def reauthorize_subscription(
    _: web.Request, box: Sandbox, values: dict[str, str]
) -> web.Response:
    """`POST /subscriptions/{id}/reauthorize`."""
    return subscriptions.reauthorize(box, values["id"])


def _route(method: str, path: str, handler: Handler) -> tuple[str, re.Pattern[str], Handler]:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path.replace("$", r"\$"))
    return method, re.compile(pattern, re.IGNORECASE), handler


_USER = "/users/{mailbox}"
_MESSAGE = _USER + "/messages/{id}"
# `delta` stands before `{id}`, which would take it for an id.
_ROUTES = (
    _route("GET", _USER + "/mailFolders/{folder}/messages/delta(?:\\(\\))?", delta),
    _route("GET", _USER + "/mailFolders/{folder}/messages", list_messages),
    _route("GET", _USER + "/mailFolders/{folder}/messages/{id}", show_message),
    _route("GET", _USER + "/mailFolders/{folder}/messages/{id}/$value", show_mime),
    _route("GET", _USER + "/messages", list_messages),
    _route("POST", _USER + "/messages", create_message),
    _route("GET", _MESSAGE, show_message),
    _route("PATCH", _MESSAGE, change_message),
    _route("DELETE", _MESSAGE, delete_message),
    _route("GET", _MESSAGE + "/$value", show_mime),
    _route("POST", _MESSAGE + "/send", send_message),
    _route("GET", _MESSAGE + "/attachments", list_attachments),
    _route("POST", _MESSAGE + "/attachments", add_attachment),
    _route("POST", _MESSAGE + "/attachments/createUploadSession", create_upload),
    _route("GET", _MESSAGE + "/attachments/{attachment}", show_attachment),
    _route("POST", "/subscriptions", create_subscription),
    _route("GET", "/subscriptions", list_subscriptions),
    _route("GET", "/subscriptions/{id}", show_subscription),
    _route("PATCH", "/subscriptions/{id}", change_subscription),
    _route("DELETE", "/subscriptions/{id}", delete_subscription),
    _route("POST", "/subscriptions/{id}/reauthorize", reauthorize_subscription),
)
