"""What Graph and Event Grid push, as small as it goes."""

import json
from typing import Any

from tests.sandbox.fixture import MAILBOX


def notification(message_id: str = "AAA", **fields: Any) -> dict[str, Any]:
    """A Graph change notification about a new mail."""
    return {
        "subscriptionId": "s-1",
        "changeType": "created",
        "clientState": "our state",
        "resource": f"Users/{MAILBOX}/Messages/{message_id}",
        "resourceData": {"id": message_id},
        **fields,
    }


def collection(*items: Any) -> str:
    return json.dumps({"value": list(items)})


def sms_report(
    message_id: str = "m-1", status: str = "Delivered", *, id: str = "e-1", **data: Any
) -> dict[str, Any]:
    """An SMS delivery report in the EventGrid schema; `data` is said besides."""
    return {
        "id": id,
        "topic": "/subscriptions/s/providers/microsoft.communication/communicationservices/c",
        "eventType": "Microsoft.Communication.SMSDeliveryReportReceived",
        "eventTime": "2026-01-05T10:00:00Z",
        "data": {
            "MessageId": message_id,
            "To": "+4930123456",
            "DeliveryStatus": status,
            "DeliveryStatusDetails": "No error.",
            "ReceivedTimestamp": "2026-01-05T09:59:00Z",
            **data,
        },
    }


def as_cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    """The same report as CloudEvents 1.0."""
    return {
        "id": event["id"],
        "source": event["topic"],
        "type": event["eventType"],
        "time": event["eventTime"],
        "specversion": "1.0",
        "data": event["data"],
    }


def email_report(message_id: str, status: str, *, id: str = "e-1") -> dict[str, Any]:
    """An e-mail delivery report."""
    return {
        "id": id,
        "topic": "/subscriptions/s/providers/microsoft.communication/communicationservices/c",
        "eventType": "Microsoft.Communication.EmailDeliveryReportReceived",
        "eventTime": "2026-01-05T10:00:00Z",
        "data": {
            "messageId": message_id,
            "recipient": "resident.1@example.org",
            "status": status,
            "deliveryStatusDetails": {"statusMessage": "as the server said"},
            "deliveryAttemptTimestamp": "2026-01-05T09:59:00Z",
        },
    }
