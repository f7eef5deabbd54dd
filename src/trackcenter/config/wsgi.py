"""The WSGI application, for granian."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trackcenter.config.settings")
_application = get_wsgi_application()

from trackcenter.receipts.direct import DirectWebhooks  # noqa: E402 - models, when all is loaded

application = DirectWebhooks(_application)
