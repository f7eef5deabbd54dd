"""What Graph needs to know, taken from the settings once."""

from dataclasses import dataclass, field
from typing import Any, Self

from trackcenter.providers.base import ProviderFailure
from trackcenter.providers.wire import checked_url

_NEEDED = (
    "GRAPH_BASE_URL",
    "GRAPH_AUTHORITY",
    "GRAPH_TENANT_ID",
    "GRAPH_CLIENT_ID",
    "GRAPH_CLIENT_SECRET",
)


@dataclass(frozen=True)
class GraphConfig:
    """Where Graph is and who we are there; `base_url` includes the version (`…/v1.0`)."""

    base_url: str
    authority: str
    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    client_state: str = field(default="", repr=False)
    read_back: bool = True
    """Ask for the Internet message id again after a send: one more quick call a mail."""

    @classmethod
    def from_settings(cls, settings: Any) -> Self:
        """From the flat settings of the contract; ProviderFailure(misconfigured) names the gaps."""
        missing = [name for name in _NEEDED if not getattr(settings, name, None)]
        if missing:
            raise ProviderFailure(
                f"Not set: {', '.join('TRACKCENTER_' + name for name in missing)}.",
                code="configuration",
                misconfigured=True,
            )
        return cls(
            base_url=checked_url("TRACKCENTER_GRAPH_BASE_URL", settings.GRAPH_BASE_URL),
            authority=checked_url("TRACKCENTER_GRAPH_AUTHORITY", settings.GRAPH_AUTHORITY),
            tenant_id=settings.GRAPH_TENANT_ID,
            client_id=settings.GRAPH_CLIENT_ID,
            client_secret=settings.GRAPH_CLIENT_SECRET,
            client_state=getattr(settings, "GRAPH_CLIENT_STATE", None) or "",
        )
