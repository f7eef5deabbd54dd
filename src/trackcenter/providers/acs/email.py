"""Mail by Azure Communication Services.

The operation id is ours (the attempt's), so that a lost answer can be looked up. Whether the
service treats a repeated id as the same message is not documented: it is never repeated blindly.
https://learn.microsoft.com/rest/api/communication/email/email/send
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trackcenter.providers.acs.client import PROVIDER, AcsClient
from trackcenter.providers.acs.config import AcsConfig
from trackcenter.providers.base import (
    Accepted,
    EmailOrder,
    Marks,
    OutcomeUnknown,
    ProviderFailure,
    needs,
    still_unknown,
)
from trackcenter.providers.wire import Pool, Reply

API_VERSION = "2025-09-01"
ATTEMPT_HEADER = "x-trackcenter-attempt"

_STATES: dict[str, Literal["going", "taken", "failed"]] = {
    "notstarted": "going",
    "running": "going",
    "succeeded": "taken",
    "failed": "failed",
    "canceled": "failed",
    "cancelled": "failed",
}


@dataclass(frozen=True)
class Operation:
    """A send operation: `state` is ours, `raw` the whole answer."""

    id: str
    state: Literal["going", "taken", "failed"]
    message: str
    code: str | None
    raw: Mapping[str, Any]


class AcsEmail:
    """Mail from a verified sender address of the resource (`order.mailbox`)."""

    name = PROVIDER

    def __init__(self, config: AcsConfig, pool: Pool) -> None:
        self._client = AcsClient(config, pool)

    def hand_over(self, order: EmailOrder, marks: Marks) -> Accepted:
        """Send the mail of one attempt, or find what became of it.

        An operation that is going counts as accepted: its reports come by Event Grid.
        """
        needs(order.mailbox, "TRACKCENTER_EMAIL_FROM")
        if order.send_started_at is not None:
            return self._look_up(order)
        marks.send_started()
        reply = self._client.call(
            "POST",
            f"/emails:send?api-version={API_VERSION}",
            payload=_payload(order),
            headers={
                "Operation-Id": str(order.attempt_id),
                "x-ms-client-request-id": str(order.attempt_id),
            },
            sending=True,
        )
        return self._accepted(_operation(reply, str(order.attempt_id)), reply)

    def operation(self, operation_id: str) -> Operation | None:
        """Ask how a send is going; None when the service knows no such operation."""
        try:
            reply = self._client.call(
                "GET", f"/emails/operations/{operation_id}?api-version={API_VERSION}"
            )
        except ProviderFailure as error:
            if error.status == 404:
                return None
            raise
        return _operation(reply, operation_id)

    def _look_up(self, order: EmailOrder) -> Accepted:
        try:
            reply = self._client.call(
                "GET", f"/emails/operations/{order.attempt_id}?api-version={API_VERSION}"
            )
        except ProviderFailure as error:
            if error.status != 404:
                raise still_unknown(error) from error
            raise OutcomeUnknown(
                "Azure Communication Services may or may not have sent this mail: it does not "
                "know the operation.",
                code="outcome-unknown",
                raw=error.raw,
            ) from error
        return self._accepted(_operation(reply, str(order.attempt_id)), reply)

    def _accepted(self, operation: Operation, reply: Reply) -> Accepted:
        if operation.state == "failed":
            raise ProviderFailure(
                operation.message,
                permanent=True,
                code=operation.code,
                raw=reply.text,
                status=reply.status,
            )
        return Accepted(
            provider=self.name,
            provider_message_id=operation.id,
            detail={"operation": operation.raw},
        )


def _operation(reply: Reply, operation_id: str) -> Operation:
    answer = reply.json()
    error = answer.get("error")
    error = error if isinstance(error, dict) else {}
    word = str(answer.get("status") or "")
    return Operation(
        id=str(answer.get("id") or operation_id),
        # A 2xx with a word we do not know was still taken.
        state=_STATES.get(word.lower(), "going"),
        message=str(
            error.get("message") or "Azure Communication Services could not send the mail."
        ),
        code=str(error["code"]) if error.get("code") else word or None,
        raw=answer,
    )


def _payload(order: EmailOrder) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "senderAddress": order.mailbox,
        "content": {"subject": order.subject, "plainText": order.text, "html": order.html},
        "recipients": {"to": [{"address": order.to_address, "displayName": order.to_name}]},
        "headers": {ATTEMPT_HEADER: str(order.attempt_id)},
    }
    if order.reply_to:
        payload["replyTo"] = [{"address": order.reply_to}]
    if order.attachments:
        payload["attachments"] = [
            {
                "name": each.file_name,
                "contentType": each.content_type,
                "contentInBase64": base64.b64encode(each.content).decode("ascii"),
                **({"contentId": each.content_id} if each.content_id else {}),
            }
            for each in order.attachments
        ]
    return payload
