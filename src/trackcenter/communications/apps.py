from django.apps import AppConfig


class CommunicationsConfig(AppConfig):
    name = "trackcenter.communications"
    label = "communications"
