"""What a sandbox can be told at its start, and the public credentials it accepts by default.

The credentials are constants on purpose, as those of other local emulators are: the sandbox
listens on loopback only, guards nothing, and a demo needs them known on both sides.
"""

from dataclasses import dataclass
from pathlib import Path

TENANT_ID = "5a2d0b0e-6f0c-4a57-9d0b-6a8a3c1f7e21"
CLIENT_ID = "0c7f6e9a-3b55-4f0e-8c1e-2d9b7a64c5d3"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - public by design, see above
ACS_ACCESS_KEY = "c2FuZGJveC1hY3MtYWNjZXNzLWtleS1ub3Qtc2VjcmV0"
"""Base64, as Azure shows access keys."""


@dataclass(frozen=True, slots=True)
class EventGridTarget:
    """A webhook that Event Grid pushes to.

    `schema` is `EventGrid` (JSON array), `CloudEvents` (1.0) or `alternate` (both in turn);
    `event_types` empty means every type; `secret` travels as the query parameter `code`.
    """

    url: str
    secret: str = ""
    schema: str = "alternate"
    event_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Everything but the port. Durations are in seconds and divided by `speed` where noted."""

    state: Path | None = None
    """SQLite file that survives a restart; without it a temporary one is used."""
    speed: float = 1.0
    """How many times faster than normal the world answers (delivery, receipts)."""
    tenant_id: str | None = None
    """The one tenant that exists; any when None."""
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    acs_access_key: str = ACS_ACCESS_KEY
    token_seconds: int = 3599
    repeatability_seconds: float = 300.0
    clock_skew_seconds: float = 300.0
    """How far `x-ms-date` may be off."""
    sent_copy_delay: float = 0.2
    """How long a sent mail is found nowhere before its Sent Items copy appears; over `speed`."""
    keep_megabytes: int = 256
    """Attachment bytes kept for looking at; the oldest are forgotten beyond it."""
    event_grid: tuple[EventGridTarget, ...] = ()
