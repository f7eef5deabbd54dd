from django.apps import AppConfig


class ReceiptsConfig(AppConfig):
    name = "trackcenter.receipts"
    label = "receipts"
