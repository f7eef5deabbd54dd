"""The hourly seal."""

import logging

from trackcenter.evidence.models import Seal
from trackcenter.evidence.seals import seal
from trackcenter.evidence.stamps import NoTimeStamp, stamp
from trackcenter.queue.tasks import every

log = logging.getLogger(__name__)


@every("11 * * * *", "seal-events")
def seal_events() -> None:
    """Seal what happened in the last hour, then ask for a time-stamp of the newest seal."""
    seal()
    newest = Seal.objects.order_by("-size").first()
    if newest:
        try:
            stamp(newest)
        except NoTimeStamp as reason:
            log.warning("no time-stamp for a seal", extra={"seal": newest.size, "why": str(reason)})
