"""Event Grid: webhooks with their handshake, events in both schemas, retries as documented.

What varies in Microsoft's own samples varies here, too: the case of keys and values. A 400, 401
or 413 ends an event, every other answer but 200–204 brings it again.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from trackcenter.sandbox.context import SANDBOX, Sandbox
from trackcenter.sandbox.options import EventGridTarget
from trackcenter.sandbox.schedule import Answer, Job
from trackcenter.sandbox.state import Json, Row
from trackcenter.sandbox.wire import is_loopback_url, iso, new_guid, problem

log = logging.getLogger(__name__)

SMS_REPORT = "Microsoft.Communication.SMSDeliveryReportReceived"
EMAIL_REPORT = "Microsoft.Communication.EmailDeliveryReportReceived"
ENGAGEMENT = "Microsoft.Communication.EmailEngagementTrackingReportReceived"
_TOPIC = (
    "/subscriptions/2d7b4f0a-1c55-4d0c-8f11-6f3c7a9e0b42/resourceGroups/sandbox/providers/"
    "Microsoft.Communication/communicationServices/sandbox"
)
_ORIGIN = "eventgrid.azure.net"
_SCHEMAS = ("EventGrid", "CloudEvents", "alternate")
_NEVER_AGAIN = frozenset({400, 401, 413})
_TIMEOUT = aiohttp.ClientTimeout(total=30)
_TOGETHER = 10
_GIVE_UP_AFTER = 24 * 3600.0


def routes() -> list[web.RouteDef]:
    """The sandbox's own routes: who gets the events."""
    return [
        web.get("/eventgrid", list_targets),
        web.put("/eventgrid", put_target),
        web.delete("/eventgrid", remove_targets),
    ]


def register(box: Sandbox) -> None:
    """Names the push handlers and the handshake that is tried until the webhook is there."""

    async def push(url: str, jobs: list[Job]) -> Answer:
        return await _push(box, url, jobs)

    async def handshake(url: str, _: list[Job]) -> Answer:
        row = _target_row(box, url)
        if row is None or row["validated"]:
            return Answer.DONE
        why_not = await _handshake(box, _target(row))
        if why_not is not None:
            log.info("the webhook did not answer its handshake yet: %s", why_not)
            return Answer.AGAIN
        box.store.run("UPDATE event_grid_targets SET validated = 1 WHERE url = ?", (url,))
        return Answer.DONE

    box.schedule.on_push("event", push, together=_TOGETHER, give_up_after=_GIVE_UP_AFTER)
    box.schedule.on_push(
        "handshake", handshake, together=1, give_up_after=_GIVE_UP_AFTER, longest_pause=1.0
    )


def add_targets(box: Sandbox, targets: tuple[EventGridTarget, ...]) -> None:
    """Adds the webhooks named at the start; their handshake is tried until it succeeds.

    Raises:
        ValueError: a URL is not on this machine.
    """
    for target in targets:
        if not is_loopback_url(target.url):
            raise ValueError(f"Event Grid can push to this machine only, not to {target.url}")
        _store_target(box, target, is_validated=False)
        box.schedule.push("handshake", target.url, None)


async def list_targets(request: web.Request) -> web.Response:
    """`GET /eventgrid`: the webhooks; secrets are not shown."""
    rows = request.app[SANDBOX].store.all("SELECT * FROM event_grid_targets ORDER BY url")
    return web.json_response([_shown(row) for row in rows])


async def put_target(request: web.Request) -> web.Response:
    """`PUT /eventgrid {url, secret?, schema?, eventTypes?}`: adds or replaces a webhook.

    200 once it answered its handshake; 400 when it did not, or the body is malformed.
    """
    box = request.app[SANDBOX]
    try:
        target = _read_target(await request.json())
    except ValueError as error:
        return problem(400, str(error))
    why_not = await _handshake(box, target)
    if why_not is not None:
        return problem(400, f"The webhook did not answer its handshake: {why_not}")
    _store_target(box, target, is_validated=True)
    row = _target_row(box, target.url)
    return web.json_response(_shown(row) if row is not None else {})


async def remove_targets(request: web.Request) -> web.Response:
    """`DELETE /eventgrid`: forgets every webhook and what was on its way to them; 204."""
    box = request.app[SANDBOX]
    for row in box.store.all("SELECT url FROM event_grid_targets"):
        box.schedule.drop_target(row["url"])
    box.store.run("DELETE FROM event_grid_targets")
    return web.Response(status=204)


def _read_target(body: Json) -> EventGridTarget:
    if not isinstance(body, Mapping):
        raise ValueError("The body must be a JSON object.")  # noqa: TRY004 - one error for input
    unknown = set(body) - {"url", "secret", "schema", "eventTypes"}
    if unknown:
        raise ValueError(f"{min(unknown)} is not known here.")
    if not is_loopback_url(body.get("url")):
        raise ValueError("url must be an address on this machine.")
    secret, schema = body.get("secret", ""), body.get("schema", "alternate")
    event_types = body.get("eventTypes", [])
    if not isinstance(secret, str):
        raise ValueError("secret must be a string.")  # noqa: TRY004
    if schema not in _SCHEMAS:
        raise ValueError(f"schema must be one of {', '.join(_SCHEMAS)}.")
    if not isinstance(event_types, list) or not all(
        kind in {SMS_REPORT, EMAIL_REPORT, ENGAGEMENT} for kind in event_types
    ):
        raise ValueError("eventTypes must be a list of the Communication event types.")
    return EventGridTarget(body["url"], secret, schema, tuple(event_types))


def _store_target(box: Sandbox, target: EventGridTarget, *, is_validated: bool) -> None:
    box.store.run(
        "INSERT INTO event_grid_targets VALUES (?, ?, ?)"
        " ON CONFLICT (url) DO UPDATE SET target = ?2, validated = ?3",
        (target.url, json.dumps(asdict(target)), int(is_validated)),
    )


def _target_row(box: Sandbox, url: str) -> Row | None:
    return box.store.one("SELECT * FROM event_grid_targets WHERE url = ?", (url,))


def _target(row: Row) -> EventGridTarget:
    stored = json.loads(row["target"])
    return EventGridTarget(**{**stored, "event_types": tuple(stored["event_types"])})


def _shown(row: Row) -> dict[str, Json]:
    target = _target(row)
    return {
        "url": target.url,
        "schema": target.schema,
        "eventTypes": list(target.event_types),
        "validated": bool(row["validated"]),
    }


def publish_sms_report(box: Sandbox, report: Mapping[str, Json]) -> None:
    """Publishes an SMS delivery report."""
    subject = f"/phonenumber/{str(report['from']).lstrip('+')}"
    _publish(box, SMS_REPORT, subject, report)


def publish_email_report(box: Sandbox, report: Mapping[str, Json]) -> None:
    """Publishes an e-mail delivery report."""
    subject = f"sender/{report['sender']}/message/{report['messageId']}"
    _publish(box, EMAIL_REPORT, subject, report)


def publish_engagement(box: Sandbox, report: Mapping[str, Json]) -> None:
    """Publishes an engagement report; it names no recipient."""
    subject = f"sender/{report['sender']}/message/{report['messageId']}"
    _publish(box, ENGAGEMENT, subject, report)


def _publish(box: Sandbox, kind: str, subject: str, report: Mapping[str, Json]) -> None:
    event = {
        "id": new_guid(),
        "type": kind,
        "subject": subject,
        "time": iso(time.time(), digits=6),
        "data": dict(report),
    }
    for row in box.store.all("SELECT * FROM event_grid_targets"):
        target = _target(row)
        if not target.event_types or kind in target.event_types:
            box.schedule.push("event", target.url, event)


async def _push(box: Sandbox, url: str, jobs: list[Job]) -> Answer:
    row = _target_row(box, url)
    if row is None:
        return Answer.DONE
    if not row["validated"]:
        return Answer.AGAIN
    target = _target(row)
    variety = _variety(jobs[0])
    use_cloud_events = target.schema == "CloudEvents" or (
        target.schema == "alternate" and variety % 2 == 0
    )
    headers = {
        "aeg-event-type": "Notification",
        "aeg-subscription-name": "SANDBOX",
        "aeg-delivery-count": str(jobs[0].tries),
    }
    body: Json
    if use_cloud_events:
        events = [_as_cloud_event(job) for job in jobs]
        if len(events) == 1 and variety % 4:
            body, kind = events[0], "application/cloudevents+json; charset=utf-8"
        else:
            body, kind = events, "application/cloudevents-batch+json; charset=utf-8"
    else:
        headers |= {"aeg-data-version": "1.0", "aeg-metadata-version": "1"}
        body, kind = [_as_grid_event(job) for job in jobs], "application/json; charset=utf-8"
    try:
        async with box.client.post(
            _address(target),
            data=json.dumps(body).encode(),
            headers={**headers, "Content-Type": kind},
            timeout=_TIMEOUT,
            allow_redirects=False,
        ) as reply:
            if 200 <= reply.status <= 204:
                return Answer.DONE
            return Answer.NEVER if reply.status in _NEVER_AGAIN else Answer.AGAIN
    except (aiohttp.ClientError, TimeoutError):
        return Answer.AGAIN


def _as_grid_event(job: Job) -> dict[str, Json]:
    event = job.body
    return {
        "id": event["id"],
        "topic": _TOPIC,
        "subject": event["subject"],
        "eventType": event["type"],
        "eventTime": event["time"],
        "data": _varied(event["data"], _variety(job)),
        "dataVersion": "1.0",
        "metadataVersion": "1",
    }


def _as_cloud_event(job: Job) -> dict[str, Json]:
    event = job.body
    return {
        "id": event["id"],
        "source": _TOPIC,
        "subject": event["subject"],
        "type": event["type"],
        "time": event["time"],
        "specVersion" if _variety(job) % 3 == 0 else "specversion": "1.0",
        "datacontenttype": "application/json",
        "data": _varied(event["data"], _variety(job)),
    }


def _variety(job: Job) -> int:
    """A number drawn once for each event, so that it looks the same when it comes again."""
    return int(job.body["id"][-6:], 16)


def _varied(data: Mapping[str, Json], number: int) -> dict[str, Json]:
    """The same report in one of the spellings found in the documentation."""
    match number // 2 % 3:
        case 0:
            return dict(data)
        case 1:
            return {key: _renamed(value, _capital) for key, value in _pairs(data, _capital)}
        case _:
            varied = {key: _renamed(value, _stamp) for key, value in _pairs(data, _stamp)}
            for name in ("deliveryStatus", "status", "engagementType"):
                if name in varied:
                    varied[name] = str(varied[name]).lower()
            return varied


def _pairs(data: Mapping[str, Json], rename: Callable[[str], str]) -> list[tuple[str, Json]]:
    return [(rename(key), value) for key, value in data.items()]


def _renamed(value: Json, rename: Callable[[str], str]) -> Json:
    if isinstance(value, Mapping):
        return {key: _renamed(item, rename) for key, item in _pairs(value, rename)}
    if isinstance(value, list):
        return [_renamed(item, rename) for item in value]
    return value


def _capital(key: str) -> str:
    return key[:1].upper() + key[1:]


def _stamp(key: str) -> str:
    return re.sub("TimeStamp$", "Timestamp", key)


def _address(target: EventGridTarget) -> str:
    if not target.secret:
        return target.url
    return target.url + ("&" if "?" in target.url else "?") + urlencode({"code": target.secret})


async def _handshake(box: Sandbox, target: EventGridTarget) -> str | None:
    """Validates a webhook in each schema it will get; None when it passed, else why not."""
    try:
        if target.schema != "CloudEvents":
            why_not = await _grid_handshake(box, target)
            if why_not is not None:
                return why_not
        if target.schema != "EventGrid":
            return await _cloud_handshake(box, target)
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__
    return None


async def _grid_handshake(box: Sandbox, target: EventGridTarget) -> str | None:
    code = new_guid().upper()
    event = {
        "id": new_guid(),
        "topic": _TOPIC,
        "subject": "",
        "data": {
            "validationCode": code,
            "validationUrl": f"https://rp-sandbox.{_ORIGIN}:553/validate?id={code}",
        },
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": iso(time.time(), digits=6),
        "metadataVersion": "1",
        "dataVersion": "2",
    }
    async with box.client.post(
        _address(target),
        json=[event],
        headers={"aeg-event-type": "SubscriptionValidation", "aeg-subscription-name": "SANDBOX"},
        timeout=_TIMEOUT,
        allow_redirects=False,
    ) as reply:
        # 202 is not enough: Event Grid wants 200 with the code.
        if reply.status != 200:
            return f"HTTP {reply.status} to the validation event"
        try:
            answer = json.loads(await reply.text())
        except ValueError:
            return "the answer to the validation event is no JSON"
        if not isinstance(answer, Mapping) or answer.get("validationResponse") != code:
            return "validationResponse is not the code"
        return None


async def _cloud_handshake(box: Sandbox, target: EventGridTarget) -> str | None:
    async with box.client.options(
        _address(target),
        headers={"WebHook-Request-Origin": _ORIGIN, "aeg-subscription-name": "SANDBOX"},
        timeout=_TIMEOUT,
        allow_redirects=False,
    ) as reply:
        allowed = reply.headers.get("WebHook-Allowed-Origin", "")
        if reply.status != 200:
            return f"HTTP {reply.status} to OPTIONS"
        if allowed not in {"*", _ORIGIN}:
            return "WebHook-Allowed-Origin does not name Event Grid"
        if "WebHook-Allowed-Rate" not in reply.headers:
            return "WebHook-Allowed-Rate is missing"
        return None
