"""django-anymail's Mailgun webhook, whose receiver stores the report and queues a job.

Run by its own environment (see `peers.py`) as a WSGI application; PEER_DATABASE is a libpq
connection string.
"""

import json
import os
import uuid
from typing import Any

import django
from django.conf import settings
from django.db import connection, transaction
from django.urls import include, path
from psycopg.conninfo import conninfo_to_dict

SIGNING_KEY = "signing-key"

parts = conninfo_to_dict(os.environ["PEER_DATABASE"])
settings.configure(
    SECRET_KEY="peer",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["anymail"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    ANYMAIL={"MAILGUN_API_KEY": "key", "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY},
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts["dbname"],
            "USER": parts.get("user", ""),
            "PASSWORD": parts.get("password", ""),
            "HOST": parts.get("host", ""),
            "PORT": str(parts.get("port", "")),
            "CONN_MAX_AGE": 600,
        }
    },
)
django.setup()

from anymail.signals import tracking  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402


def keep(event: Any, **_: object) -> None:
    """The two writes, to the same tables: the report, once, and a job for whoever reads it."""
    receipt = str(uuid.uuid4())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inbound_receipts (id, origin, dedupe_key, body, received_at, state, "
            "reason, correlation) VALUES (%s, 'anymail', %s, %s, now(), 'NEW', '', '[]') "
            "ON CONFLICT (origin, dedupe_key) DO NOTHING",
            [receipt, event.event_id, json.dumps(event.esp_event).encode()],
        )
        if cursor.rowcount:
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, args) "
                "VALUES ('receipts', 'apply-receipt', %s::jsonb)",
                [json.dumps({"receiptId": receipt})],
            )


tracking.connect(keep)
urlpatterns = [path("anymail/", include("anymail.urls"))]
application = get_wsgi_application()
