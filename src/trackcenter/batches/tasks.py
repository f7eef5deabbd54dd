"""The queue's way to fulfil a send or a bulk resend, and to make a print run."""

from typing import Any

from trackcenter.batches import printing, resends
from trackcenter.batches.services import fulfil
from trackcenter.queue.payloads import BulkResendJob, PrintRunJob, SendBatchJob, read
from trackcenter.queue.publish import BULK_RESEND, MAKE_PRINT_RUN, SEND_BATCH
from trackcenter.queue.tasks import task


@task(SEND_BATCH)
def send_batch(**message: Any) -> None:
    """Enqueue what a stored send asks for."""
    fulfil(read(SendBatchJob, message).send_id)


@task(BULK_RESEND)
def bulk_resend(**message: Any) -> None:
    """Resend what a confirmed dry run named."""
    resends.fulfil(read(BulkResendJob, message).resend_id)


@task(MAKE_PRINT_RUN)
def make_print_run(**message: Any) -> None:
    """Merge the letters of a run, with its labels and its slip."""
    printing.make(read(PrintRunJob, message).print_run_id)
