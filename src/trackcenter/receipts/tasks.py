"""The queue's way to receipts."""

from typing import Any

from trackcenter.queue.payloads import ReceiptJob, read
from trackcenter.queue.publish import APPLY_RECEIPT
from trackcenter.queue.tasks import every, task
from trackcenter.receipts import apply, polling, subscriptions


@task(APPLY_RECEIPT)
def apply_receipt(**message: Any) -> None:
    """Read and apply one stored receipt."""
    apply.apply_receipt(read(ReceiptJob, message).receipt_id)


@every("* * * * * */5", "retry-parked-receipts")
def retry_parked() -> None:
    """A report may overtake the answer to the very call it reports on."""
    apply.retry_parked()


@every("*/10 * * * *", "retry-forgotten-receipts")
def retry_forgotten() -> None:
    """A receipt is stored together with its job; should that be lost, the report is not."""
    apply.retry_forgotten()


@every("*/10 * * * *", "ensure-subscriptions")
def ensure_subscriptions() -> None:
    """Keep Graph's notifications coming."""
    subscriptions.ensure()


@every("7 * * * *", "resync-inbox")
def resync_inbox() -> None:
    """A lost webhook costs an hour, not the receipt."""
    subscriptions.resync()


@every("*/5 * * * *", "ask-acs")
def ask_acs() -> None:
    """A text message whose report was lost is asked for."""
    polling.ask_acs()


@every("*/30 * * * *", "ask-message-trace")
def ask_message_trace() -> None:
    """Mail without a receipt is looked up in Exchange's message trace, where that is allowed."""
    polling.ask_message_trace()
