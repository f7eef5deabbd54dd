"""Exchange's message trace: what became of sent mail, where no report ever came.

Needs ExchangeMessageTrace.Read.All. `delivered` means that the recipient's mail system took it.
https://learn.microsoft.com/graph/api/messagetracingroot-list-messagetraces
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote, urlencode

from trackcenter.providers.msgraph.client import GraphClient, values

Kind = Literal["FAILED", "DELIVERED", "OPENED", "NOTICE"]

_KINDS: dict[str, Kind] = {
    "delivered": "DELIVERED",
    "failed": "FAILED",
    # As with Azure's own reports: where nobody looks, a bill has not arrived.
    "quarantined": "FAILED",
    "filteredasspam": "FAILED",
}


def trace_kind(word: str) -> Kind:
    """A trace's `status`; NOTICE for what is not final or not known."""
    return _KINDS.get(word.strip().lower(), "NOTICE")


@dataclass(frozen=True, slots=True)
class Trace:
    """What Exchange knows of one message to one recipient; `raw` as it came."""

    message_id: str
    kind: Kind
    word: str
    raw: Mapping[str, Any]


class Traces:
    """The message traces of the tenant."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client

    def between(
        self,
        start: datetime,
        end: datetime,
        *,
        sender: str | None = None,
        message_id: str | None = None,
    ) -> Iterator[Trace]:
        """Traces of messages sent within `start` and `end` (aware, at most ten days apart).

        ProviderFailure(misconfigured) without the permission.
        """
        clauses = [f"receivedDateTime ge {_iso(start)}", f"receivedDateTime le {_iso(end)}"]
        if sender is not None:
            clauses.append(f"senderAddress eq {_quoted(sender)}")
        if message_id is not None:
            clauses.append(f"messageId eq {_quoted(message_id)}")
        question = urlencode({"$filter": " and ".join(clauses)}, quote_via=quote, safe="$")
        for page in self._client.pages(f"/admin/exchange/tracing/messageTraces?{question}"):
            for each in values(page):
                word, name = each.get("status"), each.get("messageId")
                if isinstance(word, str) and isinstance(name, str):
                    yield Trace(name, trace_kind(word), word, each)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
