"""The queue's way to fulfil a send."""

from typing import Any

from trackcenter.batches.services import fulfil
from trackcenter.queue.payloads import SendBatchJob, read
from trackcenter.queue.publish import SEND_BATCH
from trackcenter.queue.tasks import task


@task(SEND_BATCH)
def send_batch(**message: Any) -> None:
    """Enqueue what a stored send asks for."""
    fulfil(read(SendBatchJob, message).send_id)
