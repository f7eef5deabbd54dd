"""The WSGI application, for granian."""

import multiprocessing
import os

from django.core.wsgi import get_wsgi_application

from trackcenter.kit.processes import end_with_parent

if parent := multiprocessing.parent_process():
    # One of several: left alone by a kill -9, it would go on answering beside the next server.
    end_with_parent(parent.pid or 0)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trackcenter.config.settings")
_application = get_wsgi_application()

from trackcenter.config.security import WholeBodies  # noqa: E402 - settings, when all is loaded
from trackcenter.receipts.direct import DirectWebhooks  # noqa: E402 - models, when all is loaded

application = WholeBodies(DirectWebhooks(_application))
