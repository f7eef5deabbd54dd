from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "trackcenter.access"
    label = "access"
