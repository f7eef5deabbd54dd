from django.apps import AppConfig


class DeliveryRecordsConfig(AppConfig):
    name = "trackcenter.delivery_records"
    label = "delivery_records"
