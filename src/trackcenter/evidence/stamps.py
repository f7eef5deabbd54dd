"""Time-stamps (RFC 3161): somebody else's word for when a seal existed. Off unless a URL is set."""

import urllib3
from django.conf import settings
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    decode_timestamp_response,
)

from trackcenter.evidence.models import Seal, TimeStamp

_PATIENCE = urllib3.Timeout(connect=5.0, read=20.0)
_LONGEST = 100_000


class NoTimeStamp(Exception):
    """The authority gave none; the message says why. The seal stands without it."""


def stamp(seal: Seal) -> TimeStamp | None:
    """Have a seal's note time-stamped, where an authority is set and it is not yet.

    Raises `NoTimeStamp`. What came is checked against what was asked; whether the authority is to
    be believed is for whoever verifies, with the authority's own certificate.
    """
    if not settings.TIME_STAMP_URL or TimeStamp.objects.filter(seal=seal).exists():
        return None
    # SHA-256, so that the verifier in the bundle needs no other hash.
    asked = TimestampRequestBuilder(seal.note.encode(), HashAlgorithm.SHA256).build()
    answer, content = _ask(settings.TIME_STAMP_URL, asked)
    granted = (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS)
    if answer.status not in granted:
        raise NoTimeStamp(f"refused: {answer.status_string}")
    info = answer.tst_info
    if info.nonce != asked.nonce or info.message_imprint.message != asked.message_imprint.message:
        raise NoTimeStamp("the answer belongs to another question")
    return TimeStamp.objects.create(
        seal=seal,
        authority=settings.TIME_STAMP_URL,
        response=content,
        stamped_at=info.gen_time,
    )


def _ask(url: str, asked: TimeStampRequest) -> tuple[TimeStampResponse, bytes]:
    with urllib3.PoolManager(retries=False, timeout=_PATIENCE) as http:
        try:
            reply = http.request(
                "POST",
                url,
                body=asked.as_bytes(),
                headers={"Content-Type": "application/timestamp-query"},
                preload_content=False,
            )
            content = reply.read(_LONGEST)
            reply.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise NoTimeStamp(f"no answer: {error}") from error
    if reply.status != 200:
        raise NoTimeStamp(f"it answered {reply.status}")
    try:
        return decode_timestamp_response(content), content
    except ValueError as error:
        raise NoTimeStamp(f"not a time-stamp: {error}") from error
