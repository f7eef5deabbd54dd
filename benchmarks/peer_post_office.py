"""django-post-office sends its queue to an SMTP server. Run by its own environment (`peers.py`).

Arguments: a libpq connection string, the SMTP port, how many mails, threads, a folder for files.
"""

import json
import sys
import time

import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

URL, PORT, COUNT, THREADS, FOLDER = sys.argv[1:]
parts = conninfo_to_dict(URL)
settings.configure(
    SECRET_KEY="peer",  # noqa: S106
    INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    EMAIL_BACKEND="post_office.EmailBackend",
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=int(PORT),
    MEDIA_ROOT=FOLDER,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    POST_OFFICE={
        "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
        "BATCH_SIZE": 100_000,
        "THREADS_PER_PROCESS": int(THREADS),
        "LOG_LEVEL": 0,
    },
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts["dbname"],
            "USER": parts.get("user", ""),
            "PASSWORD": parts.get("password", ""),
            "HOST": parts.get("host", ""),
            "PORT": str(parts.get("port", "")),
        }
    },
)
django.setup()

from django.core.files.base import ContentFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from post_office import mail  # noqa: E402
from post_office.models import Email  # noqa: E402

from benchmarks.send_message import HTML, PDF, SUBJECT, TEXT  # noqa: E402

call_command("migrate", verbosity=0)
for number in range(int(COUNT)):
    mail.send(
        f"resident.{number}@example.net",
        "bills@example.org",
        subject=SUBJECT,
        message=TEXT,
        html_message=HTML,
        attachments={f"statement-{number}.pdf": ContentFile(PDF)},
    )
begun, cpu = time.perf_counter(), time.process_time()
mail.send_queued(processes=1, log_level=0)
seconds, used = time.perf_counter() - begun, time.process_time() - cpu
assert Email.objects.filter(status=0).count() == int(COUNT)
Email.objects.all().delete()
print(json.dumps({"seconds": seconds, "cpu": used}))
