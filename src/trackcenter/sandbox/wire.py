"""Small shared pieces of the wire: errors in each service's own shape, dates, loopback checks."""

import ipaddress
import re
import uuid
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TypeGuard
from urllib.parse import urlsplit

from aiohttp import web

from trackcenter.sandbox.state import Json

_ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


class WireError(Exception):
    """An answer that is an error. `headers` are added to the reply."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def graph_answer(error: WireError, request_id: str, client_request_id: str) -> web.Response:
    """A Graph error body, request ids in it as Graph writes them."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    body = {
        "error": {
            "code": error.code,
            "message": error.message,
            "innerError": {
                "date": now,
                "request-id": request_id,
                "client-request-id": client_request_id,
            },
        }
    }
    return web.json_response(body, status=error.status, headers=error.headers)


def acs_answer(error: WireError) -> web.Response:
    """An Azure Communication Services error body."""
    return web.json_response(
        {"error": {"code": error.code, "message": error.message}},
        status=error.status,
        headers={"x-ms-error-code": error.code, **error.headers},
    )


def problem(status: int, title: str, errors: list[str] | None = None) -> web.Response:
    """An RFC 9457 answer, for the sandbox's own routes."""
    body: dict[str, Json] = {"type": "about:blank", "title": title, "status": status}
    if errors:
        body["errors"] = [{"loc": ["body"], "msg": error} for error in errors]
    return web.json_response(body, status=status, content_type="application/problem+json")


def iso(moment: float, *, digits: int = 0) -> str:
    """Unix seconds as ISO 8601 UTC with a `Z` and so many decimals."""
    text = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return (text[: 20 + digits] if digits else text[:19]) + "Z"


def mail_date(moment: float) -> str:
    """Unix seconds as an RFC 5322 date."""
    return format_datetime(datetime.fromtimestamp(moment, UTC))


def read_iso(text: object) -> float | None:
    """ISO 8601 with a zone as Unix seconds; None when it is not that.

    Graph takes up to seven decimals; Python reads six.
    """
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.timestamp()


def is_address(text: object) -> TypeGuard[str]:
    """Whether this looks like a mail address."""
    return isinstance(text, str) and len(text) <= 320 and bool(_ADDRESS.fullmatch(text))


def new_guid() -> str:
    """A fresh GUID."""
    return str(uuid.uuid4())


def is_guid(text: object) -> TypeGuard[str]:
    """Whether this is a GUID in its 36-character form."""
    return isinstance(text, str) and bool(
        re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", text)
    )


def is_loopback_host(host: str | None) -> bool:
    """Whether a host name means this machine, without asking a name server."""
    if host is None:
        return False
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_loopback_url(url: object) -> TypeGuard[str]:
    """Whether a push may go there: http or https on this machine, nowhere else."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and is_loopback_host(parts.hostname)
    except ValueError:
        return False
