"""Client-credentials tokens, one for all threads, renewed before they run out."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from trackcenter.providers.base import ProviderFailure
from trackcenter.providers.msgraph.config import SYSTEM_IDENTITY, GraphConfig
from trackcenter.providers.msgraph.errors import token_failure
from trackcenter.providers.wire import (
    CONNECT_SECONDS,
    READ_SECONDS,
    NoReply,
    Pool,
    unreachable,
)

if TYPE_CHECKING:
    from azure.identity import (
        CertificateCredential,
        ClientSecretCredential,
        ManagedIdentityCredential,
    )

    _Credential = CertificateCredential | ClientSecretCredential | ManagedIdentityCredential

_SCOPE = "https://graph.microsoft.com/.default"
_RENEW_SECONDS_BEFORE = 300.0
_MICROSOFT_AUTHORITIES = ("login.microsoftonline.com", "login.microsoftonline.us")


@dataclass(frozen=True)
class Token:
    """A bearer token and the monotonic second it runs out at."""

    value: str
    expires: float
    renew: float


class Tokens:
    """The current token.

    Azure's own library gets it (by managed identity, certificate or secret), except for a secret
    at a plain-http authority on this machine, which that library refuses.
    """

    def __init__(self, config: GraphConfig, pool: Pool) -> None:
        self._config = config
        self._pool = pool
        self._lock = threading.Lock()
        self._token: Token | None = None
        plain = urlsplit(config.authority).scheme == "http" and not config.managed_identity
        self._fetch: Callable[[], tuple[str, float]] = (
            self._by_post if plain else self._by_azure_identity
        )

    def current(self, *, refused: str | None = None) -> str:
        """A token that is good for now; never the one that was just `refused` with 401."""
        token = self._token
        if token is not None and token.value != refused and time.monotonic() < token.renew:
            return token.value
        with self._lock:
            token = self._token  # another thread may have renewed it meanwhile
            if token is not None and token.value != refused and time.monotonic() < token.renew:
                return token.value
            try:
                value, lifetime = self._fetch()
            except ProviderFailure:
                # An early renewal may fail while the old one still works.
                if (
                    token is not None
                    and token.value != refused
                    and time.monotonic() < token.expires
                ):
                    return token.value
                raise
            at = time.monotonic()
            margin = min(_RENEW_SECONDS_BEFORE, lifetime / 5)
            self._token = Token(value, at + lifetime, at + lifetime - margin)
            return value

    def _by_post(self) -> tuple[str, float]:
        config = self._config
        if not config.client_secret:
            raise ProviderFailure(
                "A certificate needs an https sign-in service; TRACKCENTER_GRAPH_AUTHORITY is not.",
                code="configuration",
                misconfigured=True,
            )
        form = {
            "grant_type": "client_credentials",
            "client_id": config.client_id,
            "client_secret": config.client_secret,
            "scope": _SCOPE,
        }
        url = f"{config.authority}/{quote(config.tenant_id, safe='')}/oauth2/v2.0/token"
        try:
            reply = self._pool.call(
                "POST",
                url,
                headers={
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                },
                body=urlencode(form).encode(),
            )
        except NoReply as error:
            raise unreachable("The Microsoft sign-in service", error, sending=False) from error
        answer = reply.json()
        value = answer.get("access_token")
        if reply.status != 200 or not isinstance(value, str) or not value:
            raise token_failure(reply)
        try:
            lifetime = float(answer.get("expires_in", 3600))
        except (TypeError, ValueError):
            lifetime = 3600.0
        return value, lifetime

    def _by_azure_identity(self) -> tuple[str, float]:
        # Imported here: it costs half a second that a loopback authority never needs.
        from azure.core.exceptions import AzureError, ClientAuthenticationError

        try:
            with self._credential() as credential:
                token = credential.get_token(_SCOPE)
        except (AzureError, ValueError, OSError) as error:
            # The library calls a broken connection a failed authentication, too.
            refused = not isinstance(error, AzureError) or (
                isinstance(error, ClientAuthenticationError)
                and not isinstance(error.__cause__, AzureError)
            )
            if refused:
                words = f"Microsoft refused our sign-in: check {self._proof()}."
            else:
                words = "The Microsoft sign-in service could not be reached."
            raise ProviderFailure(
                words, code="token", raw=str(error), misconfigured=refused
            ) from error
        return token.token, max(token.expires_on - time.time(), 0.0)

    def _credential(self) -> "_Credential":
        """Azure's credential; ValueError for a certificate file that cannot be read."""
        from azure.identity import (
            CertificateCredential,
            ClientSecretCredential,
            ManagedIdentityCredential,
        )

        config = self._config
        patience: dict[str, Any] = {
            "retry_total": 1,
            "connection_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
        }
        if config.managed_identity:
            own = config.managed_identity
            return ManagedIdentityCredential(
                client_id=None if own == SYSTEM_IDENTITY else own, **patience
            )
        host = urlsplit(config.authority).hostname
        place: dict[str, Any] = {
            "authority": config.authority,
            "disable_instance_discovery": host not in _MICROSOFT_AUTHORITIES,
        }
        if config.certificate:
            return CertificateCredential(
                config.tenant_id,
                config.client_id,
                config.certificate,
                password=config.certificate_password or None,
                **place,
                **patience,
            )
        return ClientSecretCredential(
            config.tenant_id, config.client_id, config.client_secret, **place, **patience
        )

    def _proof(self) -> str:
        if self._config.managed_identity:
            return "that this machine has the managed identity"
        proof = "certificate" if self._config.certificate else "client secret"
        return f"tenant, client id and {proof}"
