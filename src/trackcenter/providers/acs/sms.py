"""Text messages, repeatable within the provider's window by a stored id.

`202` answers the request, not the recipient: each recipient has its own result inside.
https://learn.microsoft.com/rest/api/communication/sms/send
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from trackcenter.kit.clock import now
from trackcenter.providers.acs.client import PROVIDER, AcsClient, judged, sentence
from trackcenter.providers.acs.config import AcsConfig
from trackcenter.providers.acs.signing import http_date
from trackcenter.providers.acs.words import Kind, sms_kind
from trackcenter.providers.base import (
    Accepted,
    Marks,
    OutcomeUnknown,
    ProviderFailure,
    SmsOrder,
    needs,
    still_unknown,
)
from trackcenter.providers.wire import Pool, Reply

API_VERSION = "2026-01-23"

REPEATABLE_FOR = timedelta(minutes=4)
"""How long after its first sending a message may be repeated with the same id.

The provider remembers ids for about five minutes; a minute is kept for clocks and slow answers.
"""


FIRST_SENT_STANDS = REPEATABLE_FOR / 2
"""How long the time of the first sending stays as it is after a refusal.

A repeat should name the same moment, but one too long ago would leave no time for repeats.
"""

REPORT_WITHIN_SECONDS = 12 * 3600
"""The longest that Azure waits for the carrier's word: a phone may be off for a night."""


@dataclass(frozen=True)
class SmsReport:
    """What the provider knows of a message; `kind` is NOTICE while it says nothing final."""

    message_id: str
    kind: Kind
    word: str
    detail: str
    raw: Mapping[str, Any]


class AcsSms:
    """Text messages by Azure Communication Services."""

    name = PROVIDER

    def __init__(
        self, config: AcsConfig, pool: Pool, *, clock: Callable[[], datetime] = now
    ) -> None:
        self._client = AcsClient(config, pool)
        self._clock = clock

    def hand_over(self, order: SmsOrder, marks: Marks) -> Accepted:
        """Send the message of one attempt, or repeat it under the same id while that is safe.

        OutcomeUnknown(final) when an earlier send is unresolved and its id has been forgotten:
        it is then never repeated.
        """
        needs(order.sender, "TRACKCENTER_SMS_FROM")
        repeat = order.send_started_at is not None
        if repeat and self._clock() - order.repeatability_first_sent > REPEATABLE_FOR:
            raise _forgotten("")
        marks.send_started()
        try:
            reply = self._client.call(
                "POST", f"/sms?api-version={API_VERSION}", payload=_payload(order), sending=True
            )
            return self._result(order, reply, repeat=repeat)
        except OutcomeUnknown:
            raise
        except ProviderFailure as error:
            # Being told to slow down now says nothing about the send that got no answer.
            if repeat and not error.permanent:
                raise still_unknown(error) from error
            raise

    def delivery_report(self, message_id: str) -> SmsReport | None:
        """Ask what became of a message whose event never came; None when nothing is known yet."""
        path = f"/deliveryReports/{quote(message_id, safe='')}?api-version={API_VERSION}"
        try:
            reply = self._client.call("GET", path)
        except ProviderFailure as error:
            if error.status == 404:
                return None
            raise
        answer = {key.lower(): value for key, value in reply.json().items()}
        word = str(answer.get("deliverystatus") or "")
        detail = str(answer.get("deliverystatusdetails") or "")
        return SmsReport(message_id, sms_kind(word), word, detail, reply.json())

    def _result(self, order: SmsOrder, reply: Reply, *, repeat: bool) -> Accepted:
        """The recipient's own result within a 2xx answer."""
        result = _of_recipient(reply)
        if result is None:
            raise ProviderFailure(
                "Azure Communication Services answered without a result.",
                code="no-result",
                raw=reply.text,
                unknown=True,
                status=reply.status,
            )
        message_id, status = result.get("messageid"), result.get("httpstatuscode")
        status = status if isinstance(status, int) else 0
        successful = result.get("successful", 200 <= status < 300)
        if successful is True and isinstance(message_id, str) and message_id:
            return Accepted(
                provider=self.name,
                provider_message_id=message_id,
                detail={"result": result, "repeatabilityId": str(order.repeatability_id)},
            )
        refused_as_repeat = str(result.get("repeatabilityresult") or "").lower() == "rejected"
        if repeat and refused_as_repeat and status in (0, 409, 412):
            raise _forgotten(reply.text)
        permanent, misconfigured = judged(status)
        words = result.get("errormessage")
        raise ProviderFailure(
            str(words) if words else sentence(status),
            permanent=permanent,
            code=f"HTTP {status}" if status else "no-result",
            raw=reply.text,
            retry_after=reply.retry_after,
            # Neither taken nor refused: the same id may be asked again.
            unknown=not 400 <= status < 500,
            misconfigured=misconfigured,
            status=status or reply.status,
        )


def _payload(order: SmsOrder) -> dict[str, Any]:
    return {
        "from": order.sender,
        "smsRecipients": [
            {
                "to": order.to,
                "repeatabilityRequestId": str(order.repeatability_id),
                "repeatabilityFirstSent": http_date(order.repeatability_first_sent),
            }
        ],
        "message": order.text,
        "smsSendOptions": {
            "enableDeliveryReport": True,
            "tag": str(order.attempt_id),
            "deliveryReportTimeoutInSeconds": REPORT_WITHIN_SECONDS,
        },
    }


def _of_recipient(reply: Reply) -> dict[str, Any] | None:
    """The only recipient's result, its keys in lower case."""
    results = {key.lower(): value for key, value in reply.json().items()}.get("value")
    if not isinstance(results, list) or len(results) != 1 or not isinstance(results[0], dict):
        return None
    return {str(key).lower(): value for key, value in results[0].items()}


def _forgotten(raw: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        "Nobody can tell whether this text message was sent, and the provider no longer "
        "recognises a repeat of it.",
        code="outcome-unknown",
        raw=raw,
        final=True,
    )
