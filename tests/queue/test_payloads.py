import uuid
from typing import Any

import pytest

from trackcenter.queue.payloads import (
    ExportJob,
    MalformedMessage,
    ReceiptJob,
    SendBatchJob,
    SendCommunicationJob,
    read,
)

ID = uuid.UUID("0198f0c0-0000-7000-8000-000000000000")


def test_the_plans_messages_are_read() -> None:
    plain = read(SendCommunicationJob, {"communicationId": str(ID), "channel": "SMS"})
    assert plain == SendCommunicationJob(ID, "SMS")
    full = {
        "communicationId": str(ID),
        "channel": "EMAIL",
        "resend": True,
        "initiatedById": str(ID),
    }
    assert read(SendCommunicationJob, full).initiated_by_id == ID
    assert read(ExportJob, {"exportId": str(ID)}).export_id == ID
    assert read(ReceiptJob, {"receiptId": str(ID)}).receipt_id == ID
    assert read(SendBatchJob, {"sendId": str(ID)}).send_id == ID


def test_extra_keys_are_ignored() -> None:
    message = {"exportId": str(ID), "traceId": "x", "context": {"a": 1}}
    assert read(ExportJob, message) == ExportJob(ID)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"communicationId": str(ID)},
        {"communicationId": "7", "channel": "SMS"},
        {"communicationId": str(ID), "channel": "FAX"},
        {"communicationId": str(ID), "channel": "SMS", "resend": "yes"},
        {"communication_id": str(ID), "channel": "SMS"},
        {"communicationId": None, "channel": "SMS"},
    ],
)
def test_a_malformed_message_is_permanently_so_and_says_why(message: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage, match="not a SendCommunicationJob: ") as refusal:
        read(SendCommunicationJob, message)
    assert refusal.value.permanent
