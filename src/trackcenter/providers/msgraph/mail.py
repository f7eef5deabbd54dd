"""Sending one mail through Graph so that a crash at any line sends it at most once.

The path is create draft → mark → attach → mark → send; where everything fits into the draft, both
marks are one commit. What an earlier call left behind is
read from the marks, and where they cannot tell, from the mailbox itself:

| marks of the attempt          | what is done                                                  |
|-------------------------------|---------------------------------------------------------------|
| nothing, first call           | create the draft                                              |
| nothing, later call           | look up by property; go on with what is there, else create    |
| draft stored                  | complete its attachments, send                                |
| send started                  | look up by id and by property: still our draft → send again;  |
|                               | no longer a draft → accepted; nothing → OutcomeUnknown        |

https://learn.microsoft.com/graph/api/message-send
"""

import base64
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from trackcenter.providers.base import (
    Accepted,
    AttachmentContent,
    EmailOrder,
    Marks,
    OutcomeUnknown,
    ProviderFailure,
    needs,
    still_unknown,
)
from trackcenter.providers.msgraph.client import GraphClient, values
from trackcenter.providers.msgraph.config import GraphConfig
from trackcenter.providers.msgraph.inbox import Inbox
from trackcenter.providers.msgraph.subscriptions import Subscriptions
from trackcenter.providers.msgraph.traces import Traces
from trackcenter.providers.msgraph.uploads import LARGE_BYTES, upload
from trackcenter.providers.wire import Pool

ATTEMPT_PROPERTY = "String {6f2d9c1e-5b57-4c43-9a3d-2f1d4a7c8e10} Name TrackCenterAttempt"
ATTEMPT_HEADER = "x-trackcenter-attempt"

_INLINE_BYTES = 2_800_000
"""Files that travel inside the draft's JSON, together: with base64 and the text under 4 MB."""

_SELECT = "id,internetMessageId,isDraft"
_READ_BACK_SECONDS = 3.0


@dataclass(frozen=True)
class _Message:
    """A message in the mailbox, as far as sending cares."""

    id: str
    internet_message_id: str
    is_draft: bool


class GraphMail(Inbox):
    """Mail by Microsoft Graph, for every mailbox the application may use."""

    name = "msgraph"

    def __init__(self, config: GraphConfig, pool: Pool) -> None:
        client = GraphClient(config, pool)
        super().__init__(client)
        self._client = client
        self.subscriptions = Subscriptions(client)
        self.traces = Traces(client)

    def hand_over(self, order: EmailOrder, marks: Marks) -> Accepted:
        """Send the mail of one attempt, or find that it was sent.

        Raises ProviderFailure (see there what the worker owes each kind) or whatever the marks
        raise, LostClaim above all, after which nothing more is done.
        """
        needs(order.mailbox, "TRACKCENTER_GRAPH_MAILBOX")
        marked = False
        if order.send_started_at is not None:
            found = self._after_an_interrupted_send(order)
            if not found.is_draft:
                return self._accepted(order, found)
            draft = found
        elif order.draft_id is not None:
            draft = _Message(order.draft_id, order.internet_message_id or "", is_draft=True)
            self._attach_what_is_missing(order, draft)
        else:
            earlier = None if order.first_call else self._earlier_message(order)
            if earlier is not None and not earlier.is_draft:
                return self._accepted(order, earlier)
            draft = earlier or self._create_draft(order)
            _, separate = _split(order.attachments)
            marked = not separate
            marks.draft_created(
                draft_id=draft.id, internet_message_id=draft.internet_message_id, sends=marked
            )
            if earlier is None:
                self._attach(order, draft, separate)
            else:
                self._attach_what_is_missing(order, draft)
        if not marked:
            marks.send_started()
        self._client.call("POST", f"{_path(order, draft.id)}/send", sending=True)
        return self._accepted(order, draft, self._read_back(order, draft))

    # What an earlier call left behind

    def _after_an_interrupted_send(self, order: EmailOrder) -> _Message:
        """The sent message, or our own draft which is proven not to have left."""
        try:
            by_id = self._by_id(order, order.draft_id) if order.draft_id else None
            if by_id is not None and not by_id.is_draft:
                return by_id
            by_property = self._by_property(order)
        except ProviderFailure as error:
            raise still_unknown(error) from error
        for each in by_property:
            if not each.is_draft:
                return each
        if by_id is not None:
            return by_id
        for each in by_property:
            # Only the very draft that was being sent proves anything. Another one may be the
            # orphan of a worker that lost its claim, while ours is on its way.
            ours = bool(order.internet_message_id) and (
                each.internet_message_id == order.internet_message_id
            )
            if ours or each.id == order.draft_id:
                return each
        raise OutcomeUnknown(
            "Microsoft may or may not have sent this mail: the mailbox shows neither the draft "
            "nor a sent copy.",
            code="outcome-unknown",
        )

    def _earlier_message(self, order: EmailOrder) -> _Message | None:
        """What a crashed call created before it could store the ids; a sent one before a draft."""
        found = self._by_property(order)
        return min(found, key=lambda each: each.is_draft, default=None)

    def _by_id(self, order: EmailOrder, draft_id: str) -> _Message | None:
        try:
            reply = self._client.call("GET", f"{_path(order, draft_id)}?$select={_SELECT}")
        except ProviderFailure as error:
            if error.status in (404, 410):
                return None
            raise
        return _message(reply.json())

    def _by_property(self, order: EmailOrder) -> list[_Message]:
        question = urlencode(
            {
                "$filter": "singleValueExtendedProperties/Any("
                f"ep: ep/id eq '{ATTEMPT_PROPERTY}' and ep/value eq '{order.attempt_id}')",
                "$select": _SELECT,
            },
            quote_via=quote,
            safe="$",
        )
        pages = self._client.pages(f"{_messages(order)}?{question}")
        found = (_message(each) for page in pages for each in values(page))
        return [each for each in found if each is not None]

    # The draft and its files

    def _create_draft(self, order: EmailOrder) -> _Message:
        inline, _ = _split(order.attachments)
        reply = self._client.call("POST", _messages(order), payload=_draft(order, inline))
        draft = _message(reply.json())
        if draft is None:
            raise ProviderFailure(
                "Microsoft created a draft without naming it.", code="no-id", raw=reply.text
            )
        return draft

    def _attach_what_is_missing(self, order: EmailOrder, draft: _Message) -> None:
        """Finish the files that an earlier call did not; those in the draft's JSON are there."""
        _, separate = _split(order.attachments)
        if not separate:
            return
        path = f"{_path(order, draft.id)}/attachments?$select=id,name"
        pages = self._client.pages(path)
        there = Counter(each.get("name") for page in pages for each in values(page))
        missing = []
        for each in order.attachments:
            if there[each.file_name] > 0:
                there[each.file_name] -= 1
            else:
                missing.append(each)
        self._attach(order, draft, missing)

    def _attach(
        self, order: EmailOrder, draft: _Message, attachments: Iterable[AttachmentContent]
    ) -> None:
        path = _path(order, draft.id)
        for each in attachments:
            if len(each.content) < LARGE_BYTES:
                try:
                    self._client.call("POST", f"{path}/attachments", payload=_file(each))
                except ProviderFailure as error:
                    if error.status != 413:  # how Graph counts a megabyte is not documented
                        raise
                else:
                    continue
            upload(self._client, path, each)

    # The end

    def _read_back(self, order: EmailOrder, draft: _Message) -> _Message | None:
        """The message after sending, if Graph can say at once: Exchange may have renamed it."""
        if draft.internet_message_id and not self._client.config.read_back:
            return None
        try:
            reply = self._client.call(
                "GET",
                f"{_path(order, draft.id)}?$select={_SELECT}",
                read_seconds=_READ_BACK_SECONDS,
            )
        except ProviderFailure:
            return None  # it was accepted; this was only to know its name better
        return _message(reply.json())

    def _accepted(
        self, order: EmailOrder, message: _Message, after: _Message | None = None
    ) -> Accepted:
        """Accepted, with every Internet message id a receipt may quote, the newest first."""
        names = [
            after.internet_message_id if after else "",
            message.internet_message_id,
            order.internet_message_id or "",
        ]
        known = list(dict.fromkeys(name for name in names if name))
        return Accepted(
            provider=self.name,
            provider_message_id=known[0] if known else "",
            detail={"mailbox": order.mailbox, "messageId": message.id, "internetMessageIds": known},
        )


def _messages(order: EmailOrder) -> str:
    return f"/users/{quote(order.mailbox, safe='@')}/messages"


def _path(order: EmailOrder, message_id: str) -> str:
    return f"{_messages(order)}/{quote(message_id, safe='')}"


def _message(answer: dict[str, Any]) -> _Message | None:
    """A message that names itself and says whether it is a draft; None otherwise.

    A message without `isDraft` proves nothing and must not be taken for sent or unsent.
    """
    message_id, is_draft = answer.get("id"), answer.get("isDraft")
    if not isinstance(message_id, str) or not isinstance(is_draft, bool):
        return None
    return _Message(message_id, str(answer.get("internetMessageId") or ""), is_draft)


def _split(
    attachments: Iterable[AttachmentContent],
) -> tuple[list[AttachmentContent], list[AttachmentContent]]:
    """Files that fit into the draft's JSON, in order, and those that are added to it one by one."""
    inline: list[AttachmentContent] = []
    separate: list[AttachmentContent] = []
    room = _INLINE_BYTES
    for each in attachments:
        if len(each.content) <= room:
            inline.append(each)
            room -= len(each.content)
        else:
            separate.append(each)
    return inline, separate


def _file(attachment: AttachmentContent) -> dict[str, Any]:
    file = {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": attachment.file_name,
        "contentType": attachment.content_type,
        "contentBytes": base64.b64encode(attachment.content).decode("ascii"),
    }
    if attachment.content_id:
        return {**file, "isInline": True, "contentId": attachment.content_id}
    return file


def _draft(order: EmailOrder, inline: list[AttachmentContent]) -> dict[str, Any]:
    """The message resource. Graph takes one body and makes the plain-text form itself."""
    draft: dict[str, Any] = {
        "subject": order.subject,
        "body": {"contentType": "html", "content": order.html},
        "toRecipients": [_address(order.to_address, order.to_name)],
        "internetMessageHeaders": [{"name": ATTEMPT_HEADER, "value": str(order.attempt_id)}],
        "singleValueExtendedProperties": [{"id": ATTEMPT_PROPERTY, "value": str(order.attempt_id)}],
        "isDeliveryReceiptRequested": True,
        "isReadReceiptRequested": True,
    }
    if order.from_name and "@" in order.mailbox:  # a mailbox may also be named by its object id
        draft["from"] = _address(order.mailbox, order.from_name)
    if order.reply_to:
        draft["replyTo"] = [_address(order.reply_to, "")]
    if inline:
        draft["attachments"] = [_file(each) for each in inline]
    return draft


def _address(address: str, name: str) -> dict[str, Any]:
    return {"emailAddress": {"address": address, "name": name or address}}
