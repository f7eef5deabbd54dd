"""Time-stamps (RFC 3161): somebody else's word for when a seal existed. Off unless a URL is set."""

from datetime import datetime

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
    stamped_at, content = _stamped(settings.TIME_STAMP_URL, seal.note.encode())
    return TimeStamp.objects.create(
        seal=seal,
        authority=settings.TIME_STAMP_URL,
        response=content,
        stamped_at=stamped_at,
    )


def try_authority(url: str) -> None:
    """Have something that nobody needs time-stamped. Raises `NoTimeStamp`."""
    _stamped(url, b"Track Center looks whether time-stamps are given")


def _stamped(url: str, content: bytes) -> tuple[datetime, bytes]:
    """The authority's time for that content, and its answer (TimeStampResp, DER)."""
    # SHA-256, so that the verifier in the bundle needs no other hash.
    asked = TimestampRequestBuilder(content, HashAlgorithm.SHA256).build()
    answer, response = _ask(url, asked)
    granted = (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS)
    if answer.status not in granted:
        raise NoTimeStamp(f"refused: {answer.status_string}")
    info = answer.tst_info
    if info.nonce != asked.nonce or info.message_imprint.message != asked.message_imprint.message:
        raise NoTimeStamp("the answer belongs to another question")
    return info.gen_time, response


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
