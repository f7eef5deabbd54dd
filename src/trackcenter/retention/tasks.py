"""The nightly run."""

from trackcenter.queue.tasks import every
from trackcenter.retention.services import decide_all


@every("15 2 * * *", "decide-retention")
def decide_retention() -> None:
    """Write down what should be kept, archived or purged."""
    decide_all()
