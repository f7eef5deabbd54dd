"""Links to stored files that work without a session, expire, and cannot be altered.

`sign` leads to this server, which reads the file and adds the headers that keep it locked up: for
whatever the screen shows, frames or fetches. Such a link carries what it opens (hash, file name,
content type, end of life), signed with the installation's secret key (`django.core.signing`,
HMAC-SHA256).

`sign_direct` is for where a person or a program goes as a whole. It leads past this server to the
store itself, where that has addresses (Azure Blob: a shared access signature).
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.utils.http import content_disposition_header

from trackcenter.kit.clock import now
from trackcenter.storage.blobs import address
from trackcenter.storage.sas import Grant

PREFIX = "/files/"
_CACHE_SECONDS = 300
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
    end = _end(content_type, expires_in)
    link = [sha256, _safe_name(file_name), content_type, end, download]
    token = _signer().sign_object(link, compress=True)
    return PREFIX + token


def sign_direct(
    sha256: str,
    *,
    file_name: str,
    content_type: str,
    expires_in: timedelta,
    download: bool = False,
) -> str:
    """An address at the store itself, or what `sign` gives where there is none.

    It is served with the same type and name, and only a PDF is shown in place; but the store adds
    no policy of ours, so HTML stays here in its sandbox. Raises what `sign` does, and
    StorageUnavailable when the store must be asked for a signature and refuses.
    """
    kind = kind_of(content_type)
    if kind != "text/html":
        end = datetime.fromtimestamp(_end(content_type, expires_in), UTC)
        grant = Grant(
            content_type=served_as(content_type),
            disposition=disposition(file_name, download=download or kind != "application/pdf"),
            cache_control=cache_control(end),
            expires_at=end,
        )
        if direct := address(sha256, grant):
            return direct
    return sign(
        sha256,
        file_name=file_name,
        content_type=content_type,
        expires_in=expires_in,
        download=download,
    )


def kind_of(content_type: str) -> str:
    """`text/html` of `Text/HTML; charset=utf-8`."""
    return content_type.partition(";")[0].strip().lower()


def served_as(content_type: str) -> str:
    """The content type as a header: text is UTF-8 unless it says otherwise."""
    if kind_of(content_type).startswith("text/") and "charset" not in content_type:
        return f"{content_type}; charset=utf-8"
    return content_type


def disposition(file_name: str, *, download: bool) -> str:
    """The header `Content-Disposition` (RFC 6266)."""
    return content_disposition_header(download, _safe_name(file_name)) or "inline"


def cache_control(end: datetime) -> str:
    """The header `Cache-Control`: a browser may keep a file for minutes, never beyond `end`."""
    seconds = int((end - now()).total_seconds())
    return f"private, max-age={max(0, min(_CACHE_SECONDS, seconds))}"


def _end(content_type: str, expires_in: timedelta) -> int:
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise ValueError(f"{content_type!r} is no content type")
    step = max(1, int(expires_in.total_seconds() / 12))
    return math.ceil((now() + expires_in).timestamp() / step) * step


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
