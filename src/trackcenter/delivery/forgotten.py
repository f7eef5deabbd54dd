"""The last net: attempts that wait to be worked while no job is there to work them.

Attempt and job come into being in one transaction, and a job goes only when its work is done, so
there should be none. Should one be lost all the same (a queue's table restored or emptied by hand,
a fault of ours), its message would say Queued for ever, and could not be resent.
"""

import logging
from datetime import timedelta
from typing import Final

from django.db import connection, transaction

from trackcenter.kit.clock import now
from trackcenter.queue.dead import named_in_jobs
from trackcenter.queue.payloads import SendCommunicationJob
from trackcenter.queue.publish import DELIVER, publish, service_bus_in_use

log = logging.getLogger(__name__)

OVERDUE: Final = timedelta(minutes=10)
"""How long after its creation, lease or pause an attempt without a job counts as forgotten."""

CHUNK = 1000

# The counts lead to the batches that have something queued, so that no other is looked through.
_FORGOTTEN = f"""
    WITH waiting AS (
        SELECT c.id, c.newest_attempt FROM channel_rollups AS r
        JOIN communication_batches AS b ON (b.building_id, b.year) = (r.building_id, r.year)
        JOIN communications AS c ON c.batch_id = b.id AND c.delivery_status = 'ENQUEUED'
         AND c.channel = r.channel
        WHERE r.enqueued > 0
        UNION ALL
        SELECT id, newest_attempt FROM communications WHERE outcome_unknown)
    SELECT waiting.id, a.channel FROM waiting
    JOIN communication_attempts AS a
      ON (a.communication_id, a.number) = (waiting.id, waiting.newest_attempt)
    WHERE a.outcome = 'OPEN' AND greatest(a.created_at, a.lease_until, a.next_try_at) < %s
      AND NOT EXISTS (
        SELECT FROM ({named_in_jobs(DELIVER, "communicationId")}) AS job
        WHERE job.id = waiting.id::text)
    LIMIT %s
"""


def queue_forgotten() -> int:
    """Queue what was forgotten; says how many. To be run by one at a time.

    A job more than needed sends nothing twice. With the Service Bus nothing is done: its topics
    cannot be looked through, and keep each message until its work is done.
    """
    if service_bus_in_use():
        return 0
    count = 0
    while found := _queue_chunk():
        count += found
    if count:
        log.error("attempts had no job any more and were queued again", extra={"count": count})
    return count


@transaction.atomic
def _queue_chunk() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_FORGOTTEN, [now() - OVERDUE, CHUNK])
        rows = cursor.fetchall()
    return publish([SendCommunicationJob(id_, channel) for id_, channel in rows], in_bulk=True)
