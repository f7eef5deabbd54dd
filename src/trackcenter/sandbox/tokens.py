"""The token endpoint: OAuth 2.0 client credentials as Microsoft Entra ID answers them."""

import base64
import binascii
import hmac
import re
import secrets
import time
from urllib.parse import unquote

from aiohttp import web

from trackcenter.sandbox.context import SANDBOX, Sandbox
from trackcenter.sandbox.wire import WireError, new_guid

_TENANT = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{2,}")


def routes() -> list[web.RouteDef]:
    """`POST /{tenant}/oauth2/v2.0/token`."""
    return [web.post("/{tenant}/oauth2/v2.0/token", issue)]


async def issue(request: web.Request) -> web.Response:
    """Issues a bearer token, or says in Entra's words why not."""
    box = request.app[SANDBOX]
    tenant = request.match_info["tenant"]
    if not _TENANT.fullmatch(tenant) or (
        box.options.tenant_id is not None and tenant.lower() != box.options.tenant_id.lower()
    ):
        return _refusal(
            400,
            "invalid_request",
            90002,
            f"Tenant '{tenant}' not found. Check to make sure you "
            "have the correct tenant ID and are signing into the correct cloud.",
        )
    if request.content_type != "application/x-www-form-urlencoded":
        return _refusal(
            400,
            "invalid_request",
            900144,
            "The request body must contain the following parameter: 'grant_type'.",
        )
    form = await request.post()
    values = {name: str(value) for name, value in form.items()}
    client_id, client_secret = _client(request, values)
    grant = values.get("grant_type")
    if not grant or not client_id:
        missing = "client_id" if grant else "grant_type"
        return _refusal(
            400,
            "invalid_request",
            900144,
            f"The request body must contain the following parameter: '{missing}'.",
        )
    if grant != "client_credentials":
        return _refusal(
            400,
            "unsupported_grant_type",
            70003,
            f"The app requested an unsupported grant type '{grant}'.",
        )
    scope = values.get("scope", "")
    if not scope.endswith("/.default"):
        return _refusal(
            400,
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must "
            "have a scope value with /.default suffixed to the resource identifier "
            "(application ID URI).",
        )
    if not hmac.compare_digest(client_id.lower().encode(), box.options.client_id.lower().encode()):
        return _refusal(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{client_id}' was not found in the directory '{tenant}'.",
        )
    if not client_secret:
        return _refusal(
            401,
            "invalid_client",
            7000216,
            "'client_assertion', 'client_secret' or 'request' is required for the "
            "'client_credentials' grant type.",
        )
    if not hmac.compare_digest(client_secret.encode(), box.options.client_secret.encode()):
        return _refusal(
            401,
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the "
            "client secret value, not the client secret ID, for a secret added to app "
            f"'{client_id}'.",
        )
    now = time.time()
    token = "sandbox." + secrets.token_urlsafe(48)
    box.store.run("DELETE FROM tokens WHERE expires < ?", (now - 3600,))
    box.store.run(
        "INSERT INTO tokens VALUES (?, ?, ?)", (token, client_id, now + box.options.token_seconds)
    )
    return web.json_response(
        {
            "token_type": "Bearer",
            "expires_in": box.options.token_seconds,
            "ext_expires_in": box.options.token_seconds,
            "access_token": token,
        },
        headers={"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"},
    )


def check_bearer(box: Sandbox, authorization: str | None) -> None:
    """Lets a request with a token of ours pass.

    Raises:
        WireError: 401 in Graph's words; no token, not ours, or expired.
    """
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise _unauthorised("Access token is empty.")
    row = box.store.one("SELECT expires FROM tokens WHERE token = ?", (token,))
    if row is None:
        raise _unauthorised("IDX14100: JWT is not well formed, there are no dots (.).")
    if row["expires"] <= time.time():
        raise _unauthorised("Lifetime validation failed, the token is expired.")


def _unauthorised(message: str) -> WireError:
    return WireError(
        401,
        "InvalidAuthenticationToken",
        message,
        {"WWW-Authenticate": 'Bearer realm="", error="invalid_token"'},
    )


def _client(request: web.Request, values: dict[str, str]) -> tuple[str, str]:
    """Client id and secret from the form, or from HTTP Basic as RFC 6749 allows."""
    scheme, _, coded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(coded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return unquote(name), unquote(secret)
    return values.get("client_id", ""), values.get("client_secret", "")


def _refusal(status: int, error: str, number: int, message: str) -> web.Response:
    trace, correlation = new_guid(), new_guid()
    stamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
    return web.json_response(
        {
            "error": error,
            "error_description": f"AADSTS{number}: {message} Trace ID: {trace} Correlation ID: "
            f"{correlation} Timestamp: {stamp}",
            "error_codes": [number],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
        },
        status=status,
    )
