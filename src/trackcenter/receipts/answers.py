"""What a provider answered when we asked after a message, read from the stored answer."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from trackcenter.providers.acs.words import Kind, sms_kind
from trackcenter.providers.msgraph.traces import trace_kind
from trackcenter.receipts.store import EMAIL_POLL, SMS_POLL


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer about one message; `occurred_at` is aware UTC, None where it is not told.

    `attempt_id` is what we told Azure to call the message by (see `GridEvent`), None where we told
    nothing.
    """

    channel: Literal["EMAIL", "SMS"]
    message_id: str
    attempt_id: str | None
    kind: Kind
    word: str
    detail: str
    recipient: str | None
    occurred_at: datetime | None


def read_answer(origin: str, body: bytes) -> Answer:
    """Read an answer of the given origin (`store.POLLED`), keys in any case."""
    said: dict[str, Any] = {str(key).lower(): value for key, value in json.loads(body).items()}
    if origin == SMS_POLL:
        word = str(said.get("deliverystatus") or "")
        detail = str(said.get("deliverystatusdetails") or "")
        attempts = said.get("deliveryattempts")
        last = attempts[-1] if isinstance(attempts, list) and attempts else {}
        moment = last.get("timestamp") if isinstance(last, dict) else None
        to = said.get("to")
        return Answer(
            "SMS",
            str(said.get("messageid")),
            str(said.get("tag") or ""),
            sms_kind(word),
            word,
            detail,
            to,
            _moment(moment),
        )
    if origin == EMAIL_POLL:
        error = said.get("error")
        detail = str(error.get("message") or "") if isinstance(error, dict) else ""
        word = str(said.get("status") or "")
        failed = word.lower() in ("failed", "canceled", "cancelled")
        kind: Kind = "FAILED" if failed else "NOTICE"
        operation = str(said.get("id"))
        return Answer("EMAIL", operation, operation, kind, word, detail, None, None)
    word = str(said.get("status") or "")
    return Answer(
        "EMAIL",
        str(said.get("messageid")),
        None,
        trace_kind(word),
        word,
        "",
        said.get("recipientaddress"),
        _moment(said.get("receiveddatetime")),
    )


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
