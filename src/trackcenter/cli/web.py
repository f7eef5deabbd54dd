"""The web server: granian, so many processes of so many threads."""

import os

from trackcenter.cli.start import application, migrate
from trackcenter.config.environment import SERVE_HOST_VARIABLE

PROCESSES = 2
THREADS = 8


def serve(host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first."""
    os.environ[SERVE_HOST_VARIABLE] = host
    with application():
        migrate(wait=True)
        from django.db import connections

        connections.close_all()
        from granian.constants import HTTPModes, Interfaces
        from granian.server import Server

        Server(
            "trackcenter.config.wsgi:application",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            # In HTTP/2 a body needs neither length nor mark: Django would take it for none.
            http=HTTPModes.http1,
            workers=PROCESSES,
            blocking_threads=THREADS,
            respawn_failed_workers=True,
            workers_kill_timeout=30,
            log_access=False,
        ).serve()
