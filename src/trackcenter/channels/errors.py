"""What stops a message from being rendered. Trying again never helps, so all are permanent."""


class RenderError(Exception):
    """This message cannot be rendered; the message says why, in words for an administrator."""

    permanent = True

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SnapshotError(RenderError):
    """The billing snapshot is not what it should be.

    `field` names the place by its name on the wire (`costs[0].amount`), or is empty when the
    snapshot is no object at all.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason
