"""What Azure Communication Services needs to know, taken from the settings once."""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any, Self

from trackcenter.providers.base import ProviderFailure
from trackcenter.providers.wire import checked_url


@dataclass(frozen=True)
class AcsConfig:
    """Where the resource is and the key that signs for it."""

    endpoint: str
    key: bytes = field(repr=False)

    @classmethod
    def from_settings(cls, settings: Any) -> Self:
        """From the flat settings of the contract; ProviderFailure(misconfigured) names the gaps."""
        missing = [
            name for name in ("ACS_ENDPOINT", "ACS_ACCESS_KEY") if not getattr(settings, name, None)
        ]
        if missing:
            raise _misconfigured(
                f"Not set: {', '.join('TRACKCENTER_' + name for name in missing)}."
            )
        try:
            key = base64.b64decode(settings.ACS_ACCESS_KEY, validate=True)
        except (binascii.Error, ValueError) as error:
            raise _misconfigured("TRACKCENTER_ACS_ACCESS_KEY is not base64.") from error
        return cls(checked_url("TRACKCENTER_ACS_ENDPOINT", settings.ACS_ENDPOINT), key)


def _misconfigured(message: str) -> ProviderFailure:
    return ProviderFailure(message, code="configuration", misconfigured=True)
