from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "trackcenter.exports"
    label = "exports"
