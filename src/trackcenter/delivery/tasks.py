"""The queue's way into the delivery worker."""

from typing import Any

from trackcenter.communications.services import complete_finished_batches
from trackcenter.delivery import pacing
from trackcenter.delivery.branding import passing
from trackcenter.delivery.forgotten import queue_forgotten
from trackcenter.delivery.producers import accept
from trackcenter.delivery.services import deliver
from trackcenter.kit.context import message_source
from trackcenter.queue.payloads import SendCommunicationJob, read
from trackcenter.queue.publish import DELIVER
from trackcenter.queue.tasks import every, task


@task(DELIVER)
def deliver_job(**message: Any) -> None:
    """`SendCommunicationJob`, from our own publisher or anybody's."""
    job = read(SendCommunicationJob, message)
    source = message_source.get()
    if source and accept(job, source):
        return
    deliver(job)


@every("* * * * *", "complete-batches")
def complete_batches() -> None:
    """A worker may die between its last send and saying that the batch is complete."""
    complete_finished_batches()


@every("*/10 * * * *", "queue-forgotten")
def queue_forgotten_attempts() -> None:
    """Nothing that waits may be without a job."""
    queue_forgotten()


@every("23 3 * * *", "forget-sender-hours")
def forget_sender_hours() -> None:
    """The counts for EMAIL_PER_DAY matter for a day only."""
    pacing.forget_old_hours()


@every("53 * * * *", "forget-previews")
def forget_previews() -> None:
    """A preview holds somebody's bill, and nothing else deletes the last one."""
    passing.forget()
