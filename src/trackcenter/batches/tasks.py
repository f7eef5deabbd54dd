"""The queue's way to fulfil a send or a bulk resend, and to make a print run."""

from datetime import timedelta
from typing import Any, Final

from trackcenter.batches import printing, resends
from trackcenter.batches.services import fulfil, is_open
from trackcenter.kit.clock import now
from trackcenter.queue.payloads import BulkResendJob, PrintRunJob, SendBatchJob, read
from trackcenter.queue.publish import BULK_RESEND, MAKE_PRINT_RUN, SEND_BATCH
from trackcenter.queue.retry import RetryAt
from trackcenter.queue.tasks import task

HELD_BACK: Final = timedelta(seconds=2)
"""How long what others hold locked is waited for, each time."""


@task(SEND_BATCH)
def send_batch(**message: Any) -> None:
    """Enqueue what a stored send asks for; again in a moment while others hold some of it."""
    send_id = read(SendBatchJob, message).send_id
    fulfil(send_id)
    if is_open(send_id):
        raise RetryAt(now() + HELD_BACK, "some of it is held by an import or another worker")


@task(BULK_RESEND)
def bulk_resend(**message: Any) -> None:
    """Resend what a confirmed dry run named."""
    resends.fulfil(read(BulkResendJob, message).resend_id)


@task(MAKE_PRINT_RUN)
def make_print_run(**message: Any) -> None:
    """Merge the letters of a run, with its labels and its slip."""
    printing.make(read(PrintRunJob, message).print_run_id)
