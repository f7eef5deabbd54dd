"""The HMAC-SHA256 signature of Azure Communication Services.

https://learn.microsoft.com/azure/communication-services/tutorials/hmac-header-tutorial
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit


def http_date(moment: datetime) -> str:
    """An aware moment as an RFC 1123 date in GMT."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def signed_headers(
    method: str, url: str, body: bytes, *, key: bytes, at: datetime
) -> dict[str, str]:
    """The headers that sign one request made at `at` (aware). `key` is the decoded access key."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    default_port = {"https": 443, "http": 80}.get(parts.scheme)
    if parts.port is not None and parts.port != default_port:
        host = f"{host}:{parts.port}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    date = http_date(at)
    content_hash = base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")
    to_sign = f"{method.upper()}\n{target}\n{date};{host};{content_hash}"
    signature = base64.b64encode(
        hmac.new(key, to_sign.encode("utf-8"), hashlib.sha256).digest()
    ).decode("ascii")
    return {
        "Host": host,
        "x-ms-date": date,
        "x-ms-content-sha256": content_hash,
        "Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256"
        f"&Signature={signature}",
    }
