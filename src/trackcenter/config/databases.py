"""PostgreSQL addresses in Django's shape."""

from typing import Any

from psycopg.conninfo import conninfo_to_dict

NOT_STARTED = "postgresql://127.0.0.1:1/the-embedded-database-was-not-started"
"""Where Django points when no database was chosen: commands that need none work all the same."""

_OWN_KEYS = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST"}


def database(url: str) -> dict[str, Any]:
    """A `postgresql://…` address (any libpq parameters behind `?`) as an entry of `DATABASES`.

    Connections are kept, and checked before each request: a restart of PostgreSQL costs nobody
    more than a reconnect.
    """
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    port = parts.pop("port", "")
    entry: dict[str, Any] = {name: parts.pop(key, "") for key, name in _OWN_KEYS.items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **entry,
        "PORT": port,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "trackcenter", **parts},
    }
