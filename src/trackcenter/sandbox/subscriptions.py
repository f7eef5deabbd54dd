"""Graph change notifications: subscriptions with their handshake, pushes, lifecycle.

A notification only says that a message came. Several travel in one request, of several
subscriptions where these share a URL. Only addresses on this machine are ever called.
"""

import asyncio
import json
import re
import secrets
import time
from collections.abc import Mapping
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from trackcenter.sandbox.context import Sandbox
from trackcenter.sandbox.schedule import Answer, Job
from trackcenter.sandbox.state import Json, Row
from trackcenter.sandbox.wire import WireError, is_loopback_url, iso, new_guid, read_iso

TENANT_FOR_NOTIFICATIONS = "5a2d0b0e-6f0c-4a57-9d0b-6a8a3c1f7e21"
_LONGEST_MINUTES = 10_080
_LONGEST_CLIENT_STATE = 128
_RESOURCE = re.compile(
    r"/?users(?:/([^/()]+)|\('([^']+)'\))/(?:mailFolders(?:/inbox|\('inbox'\))/)?messages/?",
    re.IGNORECASE,
)
_CHANGES = {"created", "updated", "deleted"}
_LIFECYCLE_EVENTS = ("reauthorizationRequired", "subscriptionRemoved", "missed")
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_TOGETHER = 20
_GIVE_UP_AFTER = 4 * 3600.0


def register(box: Sandbox) -> None:
    """Names the push handlers."""

    async def push(url: str, jobs: list[Job]) -> Answer:
        return await _push(box, url, jobs)

    box.schedule.on_push("notify", push, together=_TOGETHER, give_up_after=_GIVE_UP_AFTER)
    box.schedule.on_push("lifecycle", push, together=_TOGETHER, give_up_after=_GIVE_UP_AFTER)


async def create(box: Sandbox, body: Json, *, immutable_ids: bool) -> web.Response:
    """`POST /subscriptions`: 201 once both URLs answered the handshake.

    Raises:
        WireError: 400 for a malformed request or a failed handshake.
    """
    if not isinstance(body, Mapping):
        raise _bad("The request body must be a JSON object.")
    known = {
        "changeType",
        "notificationUrl",
        "lifecycleNotificationUrl",
        "resource",
        "expirationDateTime",
        "clientState",
        "latestSupportedTlsVersion",
        "notificationQueryOptions",
    }
    for name in body:
        if name not in known and not name.startswith("@odata."):
            raise _bad(
                f"The property '{name}' does not exist on type 'microsoft.graph.subscription'."
            )
    for name in ("changeType", "notificationUrl", "resource", "expirationDateTime"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise _bad(f"'{name}' is a required property.")
    changes = {change.strip().lower() for change in body["changeType"].split(",")}
    if not changes <= _CHANGES:
        raise _bad("changeType may hold created, updated and deleted.")
    found = _RESOURCE.fullmatch(body["resource"])
    if found is None:
        raise _bad(f"Resource '{body['resource']}' is not supported.")
    client_state = body.get("clientState")
    if client_state is not None and (
        not isinstance(client_state, str) or len(client_state) > _LONGEST_CLIENT_STATE
    ):
        raise _bad(f"clientState must be a string of at most {_LONGEST_CLIENT_STATE} characters.")
    expires = _expiry(body["expirationDateTime"])
    urls = [body["notificationUrl"]]
    if body.get("lifecycleNotificationUrl") is not None:
        urls.append(body["lifecycleNotificationUrl"])
    for url in urls:
        if not is_loopback_url(url):
            raise _bad("The sandbox notifies addresses on this machine only.")
    for url in urls:
        await _handshake(box, url)
    subscription = new_guid()
    resource = {
        "id": subscription,
        "resource": body["resource"],
        "applicationId": box.options.client_id,
        "changeType": ",".join(sorted(changes)),
        "clientState": client_state,
        "notificationUrl": body["notificationUrl"],
        "lifecycleNotificationUrl": body.get("lifecycleNotificationUrl"),
        "creatorId": "8ee44408-0679-472c-bc2a-692812af3437",
        "latestSupportedTlsVersion": "v1_2",
        "notificationQueryOptions": None,
        "encryptionCertificateId": None,
        "includeResourceData": None,
    }
    box.store.run("DELETE FROM subscriptions WHERE expires <= ?", (time.time(),))
    box.store.run(
        "INSERT INTO subscriptions VALUES (?, ?, ?, ?, ?)",
        (
            subscription,
            (found[1] or found[2]).lower(),
            expires,
            int(immutable_ids),
            json.dumps(resource),
        ),
    )
    return web.json_response(_shown(box, _get(box, subscription)), status=201)


def list_all(box: Sandbox) -> web.Response:
    """`GET /subscriptions`: those alive."""
    rows = box.store.all(
        "SELECT * FROM subscriptions WHERE expires > ? ORDER BY id", (time.time(),)
    )
    return web.json_response(
        {
            "@odata.context": f"{box.base_url}/v1.0/$metadata#subscriptions",
            "value": [_resource(row) for row in rows],
        }
    )


def show(box: Sandbox, subscription: str) -> web.Response:
    """`GET /subscriptions/{id}`."""
    return web.json_response(_shown(box, _get(box, subscription)))


def change(box: Sandbox, subscription: str, body: Json) -> web.Response:
    """`PATCH /subscriptions/{id}`: a new expiry."""
    _get(box, subscription)
    if not isinstance(body, Mapping) or set(body) - {"expirationDateTime", "@odata.type"}:
        raise _bad("Only expirationDateTime can be changed.")
    expires = _expiry(body.get("expirationDateTime"))
    box.store.run("UPDATE subscriptions SET expires = ? WHERE id = ?", (expires, subscription))
    return web.json_response(_shown(box, _get(box, subscription)))


def reauthorize(box: Sandbox, subscription: str) -> web.Response:
    """`POST /subscriptions/{id}/reauthorize`: 204."""
    _get(box, subscription)
    return web.Response(status=204)


def remove(box: Sandbox, subscription: str) -> web.Response:
    """`DELETE /subscriptions/{id}`: 204."""
    _get(box, subscription)
    box.store.run("DELETE FROM subscriptions WHERE id = ?", (subscription,))
    return web.Response(status=204)


def trigger_lifecycle(box: Sandbox, event: Json) -> int:
    """Sends a lifecycle event to every subscription that has a URL for it; answers how many.

    `subscriptionRemoved` removes the subscription as well.

    Raises:
        ValueError: the event is none of Graph's three.
    """
    if event not in _LIFECYCLE_EVENTS:
        raise ValueError(f"event must be one of {', '.join(_LIFECYCLE_EVENTS)}.")
    told = 0
    for row in box.store.all("SELECT * FROM subscriptions WHERE expires > ?", (time.time(),)):
        resource = _resource(row)
        url = resource["lifecycleNotificationUrl"]
        if event == "subscriptionRemoved":
            box.store.run("DELETE FROM subscriptions WHERE id = ?", (row["id"],))
        if url is None:
            continue
        box.schedule.push(
            "lifecycle",
            url,
            {
                "lifecycleEvent": event,
                "subscriptionId": row["id"],
                "subscriptionExpirationDateTime": resource["expirationDateTime"],
                "resource": resource["resource"],
                "clientState": resource["clientState"],
                "organizationId": TENANT_FOR_NOTIFICATIONS,
                "tenantId": TENANT_FOR_NOTIFICATIONS,
            },
        )
        told += 1
    return told


def notify_created(box: Sandbox, mailbox: str, mail: Row) -> None:
    """Plans a notification of a new inbox message for each subscription that wants it."""
    for row in box.store.all(
        "SELECT * FROM subscriptions WHERE mailbox = ? AND expires > ?", (mailbox, time.time())
    ):
        resource = _resource(row)
        if "created" not in resource["changeType"]:
            continue
        item = mail["immutable_id"] if row["immutable_ids"] else mail["rest_id"]
        path = f"Users/{mailbox}/Messages/{item}"
        notification = {
            "subscriptionId": row["id"],
            "subscriptionExpirationDateTime": resource["expirationDateTime"],
            "changeType": "created",
            "resource": path,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Message",
                "@odata.id": path,
                "@odata.etag": f'W/"CQAAABYAAAD{mail["seq"]:08X}"',
                "id": item,
            },
            "clientState": resource["clientState"],
            "tenantId": TENANT_FOR_NOTIFICATIONS,
        }
        if mail["seq"] % 2:
            notification["id"] = new_guid()  # It is optional, and so is half of the time absent.
        box.schedule.push("notify", resource["notificationUrl"], notification)


async def _push(box: Sandbox, url: str, jobs: list[Job]) -> Answer:
    alive = {
        row["id"]
        for row in box.store.all("SELECT id FROM subscriptions WHERE expires > ?", (time.time(),))
    }
    items = [
        job.body for job in jobs if job.kind == "lifecycle" or job.body["subscriptionId"] in alive
    ]
    if not items:
        return Answer.DONE
    try:
        async with box.client.post(
            url, json={"value": items}, timeout=_TIMEOUT, allow_redirects=False
        ) as reply:
            return Answer.DONE if 200 <= reply.status < 300 else Answer.AGAIN
    except (aiohttp.ClientError, TimeoutError):
        return Answer.AGAIN


async def _handshake(box: Sandbox, url: str) -> None:
    """Graph's validation: the token comes back as plain text with 200 within 10 seconds."""
    token = f"Validation: Testing client application reachability {secrets.token_urlsafe(12)} +ä%"
    address = url + ("&" if "?" in url else "?") + urlencode({"validationToken": token})
    try:
        async with asyncio.timeout(10):
            async with box.client.post(
                address,
                data=b"",
                headers={"Content-Type": "text/plain; charset=utf-8"},
                allow_redirects=False,
            ) as reply:
                text = await reply.text()
                passed = (
                    reply.status == 200 and reply.content_type == "text/plain" and text == token
                )
                said = f"HTTP {reply.status}, {reply.content_type}"
    except (aiohttp.ClientError, TimeoutError) as error:
        passed, said = False, type(error).__name__
    if not passed:
        raise WireError(
            400,
            "ValidationError",
            "Subscription validation request failed. Notification endpoint must respond with 200 "
            f"OK to validation request and return the token as text/plain ({said}).",
        )


def _expiry(text: Json) -> float:
    expires = read_iso(text)
    if expires is None:
        raise _bad("expirationDateTime must be ISO 8601 with a zone.")
    now = time.time()
    if expires <= now:
        raise _bad("expirationDateTime must be in the future.")
    if expires > now + _LONGEST_MINUTES * 60 + 30:
        raise _bad(f"Subscription expiration can only be {_LONGEST_MINUTES} minutes in the future.")
    return expires


def _get(box: Sandbox, subscription: str) -> Row:
    row = box.store.one(
        "SELECT * FROM subscriptions WHERE id = ? AND expires > ?", (subscription, time.time())
    )
    if row is None:
        raise WireError(404, "ResourceNotFound", "The object was not found.")
    return row


def _resource(row: Row) -> dict[str, Json]:
    return {**json.loads(row["resource"]), "expirationDateTime": iso(row["expires"], digits=6)}


def _shown(box: Sandbox, row: Row) -> dict[str, Json]:
    context = f"{box.base_url}/v1.0/$metadata#subscriptions/$entity"
    return {"@odata.context": context, **_resource(row)}


def _bad(message: str) -> WireError:
    return WireError(400, "InvalidRequest", message)
