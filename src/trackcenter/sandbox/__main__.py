"""`python -m trackcenter.sandbox --port N`: the sandbox as a process of its own."""

import argparse
import logging
import sys
from pathlib import Path

from trackcenter.sandbox import event_grid
from trackcenter.sandbox.options import EventGridTarget, SandboxOptions
from trackcenter.sandbox.server import serve


def main(arguments: list[str] | None = None) -> int:
    """Reads the command line and serves; answers the exit code."""
    defaults = SandboxOptions()
    parser = argparse.ArgumentParser(
        prog="python -m trackcenter.sandbox",
        description="A loopback stand-in for Microsoft Graph mail, Azure Communication Services "
        "and Event Grid.",
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--state", type=Path, help="file that survives a restart")
    parser.add_argument("--speed", type=float, default=defaults.speed, help="2 is twice as fast")
    parser.add_argument("--tenant-id", help="the one tenant that exists; any when left out")
    parser.add_argument("--client-id", default=defaults.client_id)
    parser.add_argument("--client-secret", default=defaults.client_secret)
    parser.add_argument("--acs-access-key", default=defaults.acs_access_key)
    parser.add_argument("--token-seconds", type=int, default=defaults.token_seconds)
    parser.add_argument(
        "--repeatability-seconds", type=float, default=defaults.repeatability_seconds
    )
    parser.add_argument("--sent-copy-delay", type=float, default=defaults.sent_copy_delay)
    parser.add_argument("--keep-megabytes", type=int, default=defaults.keep_megabytes)
    parser.add_argument("--event-grid-url", help="webhook for SMS delivery reports")
    parser.add_argument("--event-grid-email-url", help="webhook for e-mail reports")
    parser.add_argument("--event-grid-secret", default="", help="sent as the parameter 'code'")
    parser.add_argument(
        "--event-grid-schema",
        choices=["EventGrid", "CloudEvents", "alternate"],
        default="alternate",
    )
    given = parser.parse_args(arguments)
    if given.speed <= 0:
        parser.error("--speed must be more than 0")
    targets = [
        EventGridTarget(url, given.event_grid_secret, given.event_grid_schema, types)
        for url, types in (
            (given.event_grid_url, (event_grid.SMS_REPORT,)),
            (given.event_grid_email_url, (event_grid.EMAIL_REPORT, event_grid.ENGAGEMENT)),
        )
        if url
    ]
    options = SandboxOptions(
        state=given.state,
        speed=given.speed,
        tenant_id=given.tenant_id,
        client_id=given.client_id,
        client_secret=given.client_secret,
        acs_access_key=given.acs_access_key,
        token_seconds=given.token_seconds,
        repeatability_seconds=given.repeatability_seconds,
        sent_copy_delay=given.sent_copy_delay,
        keep_megabytes=given.keep_megabytes,
        event_grid=tuple(targets),
    )
    logging.basicConfig(level=logging.WARNING, format="sandbox: %(message)s")
    try:
        serve(given.port, options, on_ready=_say_ready)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    return 0


def _say_ready(base_url: str) -> None:
    # Whoever started us on port 0 reads the address from this line.
    sys.stdout.write(f"Sandbox ready at {base_url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
