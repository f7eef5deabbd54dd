"""The sandbox's own JSON routes: what was accepted, faults, resets, and mail from outside."""

import json
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiohttp import web

from trackcenter.sandbox import mailbox, subscriptions
from trackcenter.sandbox.context import SANDBOX
from trackcenter.sandbox.faults import BadFaults, read_faults
from trackcenter.sandbox.state import Json, Row
from trackcenter.sandbox.wire import is_address, iso, problem


def routes() -> list[web.RouteDef]:
    """`/messages`, `/faults`, `/inbound`, `/lifecycle`, `/healthz`."""
    return [
        web.get("/messages", list_messages),
        web.delete("/messages", forget_messages),
        web.get("/faults", show_faults),
        web.put("/faults", replace_faults),
        web.post("/inbound", receive),
        web.post("/lifecycle", trigger_lifecycle),
        web.get("/healthz", health),
    ]


async def list_messages(request: web.Request) -> web.Response:
    """`GET /messages`: every accepted message, oldest first, duplicates included.

    Mails count once `send` was accepted; a repeated SMS that was recognised as a repeat does not
    count again. `?channel=`, `?to=` and `?idempotencyKey=` narrow the list.
    """
    columns = {"channel": "channel", "to": "recipient", "idempotencyKey": "idempotency_key"}
    where, values = ["1 = 1"], []
    for name, value in request.query.items():
        if name not in columns:
            return problem(422, f"The query parameter {name} is not known.")
        where.append(f"{columns[name]} = ?")
        values.append(value)
    rows = request.app[SANDBOX].store.all(
        f"SELECT * FROM accepted WHERE {' AND '.join(where)} ORDER BY seq",
        values,
    )
    return web.json_response([_listed(row) for row in rows])


def _listed(row: Row) -> dict[str, Json]:
    listed = {
        "channel": row["channel"],
        "to": row["recipient"],
        "subject": row["subject"],
        "idempotencyKey": row["idempotency_key"],
        "acceptedAt": iso(row["accepted"], digits=6),
    }
    for name, column in (("internetMessageId", "internet_message_id"), ("messageId", "message_id")):
        if row[column] is not None:
            listed[name] = row[column]
    return listed


async def forget_messages(request: web.Request) -> web.Response:
    """`DELETE /messages`: empties mailboxes and messages; 204."""
    request.app[SANDBOX].store.forget_messages()
    return web.Response(status=204)


async def show_faults(request: web.Request) -> web.Response:
    """`GET /faults`."""
    return web.json_response(request.app[SANDBOX].faults.as_json())


async def replace_faults(request: web.Request) -> web.Response:
    """`PUT /faults`: replaces all of them; 422 names what is wrong."""
    faults = request.app[SANDBOX].faults
    try:
        body = json.loads(await request.read())
    except ValueError:
        return problem(400, "The body is not valid JSON.")
    try:
        faults.replace(read_faults(body))
    except BadFaults as error:
        return problem(422, "These faults cannot be set.", error.problems)
    return web.json_response(faults.as_json())


async def receive(request: web.Request) -> web.Response:
    """`POST /inbound?mailbox=…` with MIME bytes: any mail arrives in a mailbox's inbox; 201.

    For what the sandbox would not send by itself: a tenant's reply, an out-of-office, an odd
    report.
    """
    box = request.app[SANDBOX]
    owner = request.query.get("mailbox")
    if not is_address(owner) or owner is None:
        return problem(422, "mailbox must be a mail address.")
    mime = await request.read()
    message = message_from_bytes(mime, EmailMessage, policy=default)
    seq = mailbox.receive_mime(box, owner.lower(), mime, message)
    row = box.store.one("SELECT * FROM mails WHERE seq = ?", (seq,))
    created = {"id": row["immutable_id"]} if row is not None else {}
    return web.json_response(created, status=201)


async def trigger_lifecycle(request: web.Request) -> web.Response:
    """`POST /lifecycle {event}`: sends a Graph lifecycle notification; 202 with how many."""
    try:
        body = json.loads(await request.read())
        told = subscriptions.trigger_lifecycle(request.app[SANDBOX], body.get("event"))
    except (ValueError, AttributeError) as error:
        return problem(422, str(error))
    return web.json_response({"notified": told}, status=202)


async def health(request: web.Request) -> web.Response:
    """`GET /healthz`: 200 with what waits to happen."""
    return web.json_response({"status": "ok", "waiting": request.app[SANDBOX].schedule.waiting()})
