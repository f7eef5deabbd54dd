from django.apps import AppConfig


class QueueConfig(AppConfig):
    name = "trackcenter.queue"
    label = "queue"

    def ready(self) -> None:
        """Make the relay known to the worker."""
        from trackcenter.queue.servicebus import relay  # noqa: F401
