"""Large attachments by upload session: in order, in pieces, resumed where Graph says.

https://learn.microsoft.com/graph/outlook-large-attachments
"""

from dataclasses import dataclass

from trackcenter.providers.base import AttachmentContent, ProviderFailure
from trackcenter.providers.msgraph.client import GraphClient
from trackcenter.providers.msgraph.errors import failure
from trackcenter.providers.wire import NoReply, Reply, checked_url, unreachable

LARGE_BYTES = 3 * 1024 * 1024
"""From this size on an attachment goes by upload session."""

PIECE_BYTES = 12 * 320 * 1024
"""At most 4 MB a piece, however a megabyte is counted, in multiples of 320 KiB."""

_RESUMES_AT_MOST = 5
_SESSIONS_AT_MOST = 2


class _SessionGone(Exception):
    """The session was lost or ran out: begin another."""


@dataclass(frozen=True)
class _Session:
    url: str
    start: int


def upload(client: GraphClient, message_path: str, attachment: AttachmentContent) -> None:
    """Attach one large file to a draft; ProviderFailure when it could not be done now.

    An unfinished session leaves nothing on the draft, so a later call begins again with what is
    not there.
    """
    for _ in range(_SESSIONS_AT_MOST):
        try:
            _send_pieces(client, _open(client, message_path, attachment), attachment.content)
        except _SessionGone:
            continue
        return
    raise ProviderFailure("Microsoft lost the upload of an attachment.", code="upload-session")


def _open(client: GraphClient, message_path: str, attachment: AttachmentContent) -> _Session:
    reply = client.call(
        "POST",
        f"{message_path}/attachments/createUploadSession",
        payload={
            "AttachmentItem": {
                "attachmentType": "file",
                "name": attachment.file_name,
                "size": len(attachment.content),
                "contentType": attachment.content_type,
            }
        },
    )
    url = reply.json().get("uploadUrl")
    if not isinstance(url, str):
        raise ProviderFailure(
            "Microsoft opened no upload for an attachment.", code="upload-session", raw=reply.text
        )
    checked_url("The upload address", url)
    return _Session(url, _next_start(reply) or 0)


def _send_pieces(client: GraphClient, session: _Session, content: bytes) -> None:
    start, total, resumes = session.start, len(content), 0
    while True:
        piece = content[start : start + PIECE_BYTES]
        trouble: ProviderFailure
        try:
            # No Authorization: the address itself is the permission.
            reply = client.pool.call(
                "PUT",
                session.url,
                headers={
                    "Content-Type": "application/octet-stream",
                    "Content-Range": f"bytes {start}-{start + len(piece) - 1}/{total}",
                },
                body=piece,
            )
        except NoReply as error:
            trouble = unreachable("Microsoft Graph", error, sending=False)
        else:
            following = _next_start(reply)
            if reply.status == 201 or (reply.status in (200, 204) and following is None):
                return
            if reply.status in (200, 202) and following is not None and following > start:
                start = following
                continue
            if reply.status in (404, 410):
                raise _SessionGone
            trouble = failure(reply)
            if trouble.retry_after or (trouble.permanent and reply.status != 416):
                raise trouble
        resumes += 1
        if resumes > _RESUMES_AT_MOST:
            raise trouble
        ended = start + len(piece) == total
        try:
            start = _where_to_go_on(client, session.url, total)
        except _SessionGone:
            if ended:
                # It may be gone because it is complete. A later call sees what is on the draft;
                # another session now could attach the file twice.
                raise trouble from None
            raise
        if start >= total:
            return


def _where_to_go_on(client: GraphClient, url: str, total: int) -> int:
    """The first byte Graph still lacks; `total` when it has them all."""
    try:
        reply = client.pool.call("GET", url, headers={"Accept": "application/json"})
    except NoReply as error:
        raise unreachable("Microsoft Graph", error, sending=False) from error
    if reply.status in (404, 410):
        raise _SessionGone
    if reply.status != 200:
        raise failure(reply)
    following = _next_start(reply)
    return total if following is None else following


def _next_start(reply: Reply) -> int | None:
    """The start of the first of `nextExpectedRanges` (`["4096-", …]`), None when none is left."""
    ranges = reply.json().get("nextExpectedRanges", reply.json().get("NextExpectedRanges"))
    if isinstance(ranges, list):
        ranges = ranges[0] if ranges else None
    if not isinstance(ranges, str):
        return None
    first = ranges.partition("-")[0].strip()
    return int(first) if first.isdecimal() else None
