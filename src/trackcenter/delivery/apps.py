from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "trackcenter.delivery"
    label = "delivery"
