"""Event Grid's webhooks: both schemas, in any case of keys and words.

https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
https://github.com/cloudevents/spec/blob/v1.0/http-webhook.md
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from trackcenter.providers.acs.words import Kind, email_kind, engagement_kind, sms_kind

VALIDATION_TYPE = "microsoft.eventgrid.subscriptionvalidationevent"
SMS_REPORT = "microsoft.communication.smsdeliveryreportreceived"
EMAIL_REPORT = "microsoft.communication.emaildeliveryreportreceived"
ENGAGEMENT_REPORT = "microsoft.communication.emailengagementtrackingreportreceived"

_MAX_EVENTS = 5000


class MalformedBody(Exception):
    """The body is not what Event Grid sends; the message says why."""


@dataclass(frozen=True)
class GridEvent:
    """One report about one message.

    `event_id` with `source` names the event once and for all (delivery is at least once).
    `attempt_id` is what we told Azure to call the message by, which may be nobody's or somebody
    else's: the tag of a text message, the operation of a mail. `recipient` is None for engagement,
    which names none. `word` is the provider's own status, `occurred_at` aware UTC or None, `raw`
    the event as it came.
    """

    event_id: str
    source: str
    channel: Literal["EMAIL", "SMS"]
    message_id: str
    attempt_id: str
    recipient: str | None
    kind: Kind
    word: str
    detail: str
    occurred_at: datetime | None
    raw: Mapping[str, Any] = field(repr=False)


def validation_code(body: bytes) -> str | None:
    """The code that the EventGrid handshake wants back, None when the body is no handshake.

    The answer is 200 with `{"validationResponse": code}`. (CloudEvents shake hands by OPTIONS.)
    """
    try:
        items = _items(body)
    except MalformedBody:
        return None
    for item in items:
        event = _lower(item)
        if _text(event, "eventtype", "type").lower() == VALIDATION_TYPE:
            return _text(_lower(event.get("data")), "validationcode") or None
    return None


def read_events(body: bytes, content_type: str = "application/json") -> list[GridEvent]:
    """Every report of a body: an object or an array, EventGrid or CloudEvents 1.0.

    Events of other types are left out. MalformedBody when the body as a whole, or any event in
    it, cannot be what its type says: the caller keeps the body and answers 400.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind and not kind.endswith("json"):
        raise MalformedBody(f"the content type is {kind}, not JSON")
    events = [_event(item, number) for number, item in enumerate(_items(body))]
    return [event for event in events if event is not None]


def _items(body: bytes) -> list[Any]:
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise MalformedBody("the body is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise MalformedBody("the body is not JSON") from error
    items = value if isinstance(value, list) else [value]
    if len(items) > _MAX_EVENTS:
        raise MalformedBody(f"more than {_MAX_EVENTS} events in one body")
    return items


def _event(item: object, number: int) -> GridEvent | None:
    if not isinstance(item, dict):
        raise MalformedBody(f"event {number} is not an object")
    event = _lower(item)
    event_type = _text(event, "eventtype", "type").lower()
    if not event_type:
        raise MalformedBody(f"event {number} has no type")
    if event_type not in (SMS_REPORT, EMAIL_REPORT, ENGAGEMENT_REPORT):
        return None
    raw_data = event.get("data")
    if isinstance(raw_data, str):  # some relays pass the data on as text
        try:
            raw_data = json.loads(raw_data)
        except (ValueError, RecursionError) as error:
            raise MalformedBody(f"event {number} has unreadable data") from error
    if not isinstance(raw_data, dict):
        raise MalformedBody(f"event {number} has no data")
    data = _lower(raw_data)
    event_id, message_id = _text(event, "id"), _text(data, "messageid")
    if not event_id:
        raise MalformedBody(f"event {number} has no id")
    if not message_id:
        raise MalformedBody(f"event {number} names no message")
    recipient: str | None
    if event_type == SMS_REPORT:
        word = _text(data, "deliverystatus")
        kind, recipient = sms_kind(word), _text(data, "to")
        detail = _text(data, "deliverystatusdetails")
        moment = _first_moment(data, "receivedtimestamp") or _last_attempt(data)
    elif event_type == EMAIL_REPORT:
        word = _text(data, "status", "deliverystatus")
        kind, recipient = email_kind(word), _text(data, "recipient")
        detail = _details(data.get("deliverystatusdetails"))
        moment = _first_moment(data, "deliveryattempttimestamp")
    else:
        word = _text(data, "engagementtype", "engagement")
        kind, recipient = engagement_kind(word), None
        detail = _text(data, "engagementcontext")
        moment = _first_moment(data, "useractiontimestamp")
    if not word:
        raise MalformedBody(f"event {number} names no status")
    text_message = event_type == SMS_REPORT
    return GridEvent(
        event_id=event_id,
        source=_text(event, "topic", "source"),
        channel="SMS" if text_message else "EMAIL",
        message_id=message_id,
        attempt_id=_text(data, "tag") if text_message else message_id,
        recipient=recipient or None,
        kind=kind,
        word=word,
        detail=detail,
        occurred_at=moment or _first_moment(event, "eventtime", "time"),
        raw=item,
    )


def _lower(value: object) -> dict[str, Any]:
    """An object by its keys in lower case; anything else is empty."""
    return (
        {str(key).lower(): each for key, each in value.items()} if isinstance(value, dict) else {}
    )


def _text(fields: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return ""


def _details(value: object) -> str:
    """The e-mail report's details: an object with a `statusMessage`, or just words."""
    if isinstance(value, str):
        return value.strip()
    return _text(_lower(value), "statusmessage", "message")


def _last_attempt(data: Mapping[str, Any]) -> datetime | None:
    attempts = data.get("deliveryattempts")
    moments = [
        moment
        for each in (attempts if isinstance(attempts, list) else [])
        if (moment := _first_moment(_lower(each), "timestamp")) is not None
    ]
    return max(moments, default=None)


def _first_moment(fields: Mapping[str, Any], *names: str) -> datetime | None:
    for name in names:
        moment = _moment(fields.get(name))
        if moment is not None:
            return moment
    return None


def _moment(value: object) -> datetime | None:
    """ISO 8601 (any number of decimals) or an RFC 5322 date as aware UTC; naive counts as UTC."""
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError):
            return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None
