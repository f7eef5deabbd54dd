from django.apps import AppConfig


class QueueConfig(AppConfig):
    name = "trackcenter.queue"
    label = "queue"
