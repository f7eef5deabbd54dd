"""Links to stored files that work without a session, expire, and cannot be altered.

A link carries what it opens (hash, file name, content type, end of life), signed with the
installation's secret key (`django.core.signing`, HMAC-SHA256).
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.signing import BadSignature, Signer

from trackcenter.kit.clock import now

PREFIX = "/files/"
_SALT = "trackcenter.storage.links"
_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(; ?charset=[\w-]+)?", re.ASCII)


class LinkAltered(Exception):
    """The link was not made here, or was changed since."""


class LinkExpired(Exception):
    """The link was good once."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link opens."""

    sha256: str
    file_name: str
    content_type: str
    expires_at: datetime
    download: bool = False


def sign(
    sha256: str,
    *,
    file_name: str,
    content_type: str,
    expires_in: timedelta,
    download: bool = False,
) -> str:
    """A path (`/files/…`) that opens the blob for at least `expires_in`.

    `download` is for what came from outside: never shown in place, always saved as a file.

    Ends of life are rounded up by at most a twelfth of that time (a second at least), so that a
    screen that asks again gets the same address and need not load the file again. Raises
    ValueError for something that is no content type.
    """
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise ValueError(f"{content_type!r} is no content type")
    step = max(1, int(expires_in.total_seconds() / 12))
    end = math.ceil((now() + expires_in).timestamp() / step) * step
    link = [sha256, _safe_name(file_name), content_type, end, download]
    token = _signer().sign_object(link, compress=True)
    return PREFIX + token


def read_link(token: str) -> Link:
    """What follows the prefix of a signed path, understood. Raises LinkAltered or LinkExpired."""
    try:
        sha256, file_name, content_type, end, download = _signer().unsign_object(token)
    except BadSignature as error:
        raise LinkAltered from error
    link = Link(sha256, file_name, content_type, datetime.fromtimestamp(end, UTC), download)
    if link.expires_at <= now():
        raise LinkExpired
    return link


def _signer() -> Signer:
    return Signer(salt=_SALT)


def _safe_name(file_name: str) -> str:
    """The name as one path segment: no folders, nothing that could break a header."""
    printable = "".join(
        character for character in file_name if unicodedata.category(character)[0] != "C"
    )
    return re.sub(r"[/\\]", "_", printable).strip() or "file"
