"""The webhooks: verify, store once, answer. What a report means is the task's business.

Microsoft's rules for the answers: a Graph handshake wants the token as plain text; Event Grid never
repeats a report that got 400, 401 or 413, so those are for its own faults, and our own trouble is
always a 503.
"""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from ninja import Router

from trackcenter.access.limits import wrong_secret
from trackcenter.kit.ids import new_id
from trackcenter.kit.problems import problem_response
from trackcenter.receipts.event_grid import (
    GridEvent,
    MalformedBody,
    read_events,
    validation_code,
)
from trackcenter.receipts.store import (
    GRAPH,
    GRID_EMAIL,
    GRID_SMS,
    LIFECYCLE,
    Arrival,
    as_body,
    graph_identity,
    store,
    store_malformed,
)

router = Router(tags=["providers"], auth=None)

MAX_BODY = 2 * 1024 * 1024
MAX_TOKEN = 4096


@router.post(
    "/providers/msgraph/email",
    operation_id="receiveGraphNotification",
    response={200: None, 202: None},
)
def graph_email(request: HttpRequest) -> HttpResponse:
    """Graph change and lifecycle notifications, and their handshake."""
    token = request.GET.get("validationToken")
    if token is not None:
        return _handshake(token)
    body = _body(request)
    if body is None:
        return problem_response(413, detail="the body is too large")
    if _notifications(body) is None:
        return problem_response(400, detail="not a collection of change notifications")
    arrivals = from_graph(body)
    if arrivals is None:
        return wrong_secret(request, "the clientState is not ours")
    store(arrivals)
    return HttpResponse(status=202)


@router.post(
    "/providers/msgraph/sms",
    operation_id="receiveSmsReport",
    response={200: None},
)
def sms(request: HttpRequest) -> HttpResponse:
    """Event Grid: SMS delivery reports in both schemas, and the handshake of the first."""
    return _event_grid(request, GRID_SMS)


@router.post("/providers/acs/email", operation_id="receiveEmailReport", response={200: None})
def acs_email(request: HttpRequest) -> HttpResponse:
    """Event Grid: e-mail delivery and engagement reports, and the handshake."""
    return _event_grid(request, GRID_EMAIL)


@router.api_operation(
    ["OPTIONS"], "/providers/msgraph/sms", operation_id="greetSmsReports", response={200: None}
)
def greet_sms(request: HttpRequest) -> HttpResponse:
    """CloudEvents' handshake (HTTP 1.1 Web Hooks for Event Delivery, section 4)."""
    return _greet(request)


@router.api_operation(
    ["OPTIONS"], "/providers/acs/email", operation_id="greetEmailReports", response={200: None}
)
def greet_email(request: HttpRequest) -> HttpResponse:
    """CloudEvents' handshake."""
    return _greet(request)


def _handshake(token: str) -> HttpResponse:
    if len(token) > MAX_TOKEN:
        return problem_response(400, detail="this validation token is too long")
    response = HttpResponse(token, content_type="text/plain")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def from_graph(body: bytes) -> list[Arrival] | None:
    """Those of a collection of notifications that are ours.

    None when there are none but strangers', or when it is no collection.
    """
    notifications = _notifications(body)
    if notifications is None:
        return None
    ours = [item for item in notifications if _is_ours(item)]
    return [_arrival(item) for item in ours] if ours or not notifications else None


def from_event_grid(origin: str, body: bytes, content_type: str) -> list[Arrival] | None:
    """The reports of a body; None when it may be a handshake, or cannot be read."""
    if b"validation" in body.lower():
        return None
    try:
        events = read_events(body, content_type or "application/json")
    except MalformedBody:
        return None
    return [_report(origin, event) for event in events]


def _report(origin: str, event: GridEvent) -> Arrival:
    return Arrival(origin, (event.source, event.event_id), as_body(dict(event.raw)))


def _notifications(body: bytes) -> list[dict[str, Any]] | None:
    try:
        items = json.loads(body)["value"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    if isinstance(items, list) and all(isinstance(item, dict) for item in items):
        return items
    return None


def _is_ours(item: dict[str, Any]) -> bool:
    expected = settings.GRAPH_CLIENT_STATE or ""
    return _same(str(item.get("clientState")), expected) and bool(expected)


def _same(given: str, expected: str) -> bool:
    # JSON can spell half a surrogate pair, which no encoding takes as it is.
    return constant_time_compare(given.encode(errors="replace"), expected)


def _arrival(item: dict[str, Any]) -> Arrival:
    subscription = str(item.get("subscriptionId", ""))
    kept = {key: value for key, value in item.items() if key != "clientState"}
    if event := item.get("lifecycleEvent"):
        # These carry no id, and the same word twice may well be meant twice. Heeding a repetition
        # costs a request; missing one costs receipts.
        return Arrival(LIFECYCLE, (subscription, str(event), str(new_id())), as_body(kept))
    return Arrival(GRAPH, graph_identity(item), as_body(kept))


def _event_grid(request: HttpRequest, origin: str) -> HttpResponse:
    if not _is_known(request):
        return wrong_secret(request, "the secret is not ours")
    body = _body(request)
    if body is None:
        return problem_response(413, detail="the body is too large")
    # Looked for first, so that a report is read once only.
    if b"validation" in body.lower() and (code := validation_code(body)):
        return JsonResponse({"validationResponse": code})
    try:
        events = read_events(body, request.content_type or "application/json")
    except MalformedBody as error:
        store_malformed(origin, body, str(error))
        return problem_response(400, detail=str(error))
    store(_report(origin, event) for event in events)
    return HttpResponse(status=200)


def _greet(request: HttpRequest) -> HttpResponse:
    if not _is_known(request):
        return wrong_secret(request, "the secret is not ours")
    response = HttpResponse(status=200)
    origin = request.headers.get("WebHook-Request-Origin", "")
    response.headers["WebHook-Allowed-Origin"] = origin[:200] or "eventgrid.azure.net"
    response.headers["WebHook-Allowed-Rate"] = "*"
    response.headers["Allow"] = "OPTIONS, POST"
    return response


def _is_known(request: HttpRequest) -> bool:
    return knows_secret(request.GET.get("code", ""), request.headers.get("aeg-sas-key", ""))


def knows_secret(*places: str) -> bool:
    """Whether one of Event Grid's secrets stands in one of the places it may stand in."""
    # Every secret is compared, so that the time taken does not tell which one was near.
    matches = [
        _same(given, secret) for given in places for secret in settings.EVENTGRID_SECRETS if secret
    ]
    return any(matches)


def _body(request: HttpRequest) -> bytes | None:
    """The body, or None when it is too large to be looked at."""
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        return None
    if length > MAX_BODY:
        return None
    return request.body
