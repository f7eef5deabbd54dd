from django.apps import AppConfig


class BatchesConfig(AppConfig):
    name = "trackcenter.batches"
    label = "batches"
