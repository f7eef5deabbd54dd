"""What a message that was given up looks like."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trackcenter.queue.publish import CHANNEL_QUEUES

Place = tuple[datetime, str]
"""A dead letter's place in the list: when it died, and its id; newest first."""

_CHANNELS = {queue: channel for channel, queue in CHANNEL_QUEUES.items()}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that will not be worked again by itself.

    `id` is the job's number, or the topic and the message's number in it. `at` is when it was given
    up; where nobody wrote that down, when something last happened to it.
    """

    id: str
    queue: str
    task: str
    message: Mapping[str, Any]
    reason: str
    runs: int
    at: datetime

    @property
    def place(self) -> Place:
        return self.at, self.id

    @property
    def channel(self) -> str | None:
        """The channel whose queue it lies in, if it is one's."""
        return channel_of(self.queue)


def channel_of(queue: str) -> str | None:
    """The channel a queue or topic belongs to, if it is one's."""
    return _CHANNELS.get(queue)
