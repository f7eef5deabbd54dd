"""What Graph needs to know, taken from the settings once."""

from dataclasses import dataclass, field
from typing import Any, Self

from trackcenter.providers.base import ProviderFailure
from trackcenter.providers.wire import checked_url

SYSTEM_IDENTITY = "system"


def credentials_needed(settings: Any) -> tuple[str, ...]:
    """The settings that signing in needs: a managed identity, a certificate or a secret."""
    if getattr(settings, "GRAPH_MANAGED_IDENTITY", None):
        return ("GRAPH_MANAGED_IDENTITY",)
    certificate = getattr(settings, "GRAPH_CERTIFICATE", None)
    proof = "GRAPH_CERTIFICATE" if certificate else "GRAPH_CLIENT_SECRET"
    return ("GRAPH_TENANT_ID", "GRAPH_CLIENT_ID", proof)


@dataclass(frozen=True)
class GraphConfig:
    """Where Graph is and who we are there; `base_url` includes the version (`…/v1.0`).

    We prove who we are by a managed identity (`system` or a client id) where one is named, else
    by a certificate file with its key, else by the secret.
    """

    base_url: str
    authority: str
    tenant_id: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    client_state: str = field(default="", repr=False)
    read_back: bool = True
    """Ask for the Internet message id again after a send: one more quick call a mail."""
    certificate: str = ""
    certificate_password: str = field(default="", repr=False)
    managed_identity: str = ""

    @classmethod
    def from_settings(cls, settings: Any) -> Self:
        """From the flat settings of the contract; ProviderFailure(misconfigured) names the gaps."""
        needed = ("GRAPH_BASE_URL", "GRAPH_AUTHORITY", *credentials_needed(settings))
        missing = [name for name in needed if not getattr(settings, name, None)]
        if missing:
            raise ProviderFailure(
                f"Not set: {', '.join('TRACKCENTER_' + name for name in missing)}.",
                code="configuration",
                misconfigured=True,
            )
        return cls(
            base_url=checked_url("TRACKCENTER_GRAPH_BASE_URL", settings.GRAPH_BASE_URL),
            authority=checked_url("TRACKCENTER_GRAPH_AUTHORITY", settings.GRAPH_AUTHORITY),
            tenant_id=_text(settings, "GRAPH_TENANT_ID"),
            client_id=_text(settings, "GRAPH_CLIENT_ID"),
            client_secret=_text(settings, "GRAPH_CLIENT_SECRET"),
            client_state=_text(settings, "GRAPH_CLIENT_STATE"),
            certificate=_text(settings, "GRAPH_CERTIFICATE"),
            certificate_password=_text(settings, "GRAPH_CERTIFICATE_PASSWORD"),
            managed_identity=_text(settings, "GRAPH_MANAGED_IDENTITY"),
        )


def _text(settings: Any, name: str) -> str:
    return str(getattr(settings, name, None) or "")
