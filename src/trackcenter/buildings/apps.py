from django.apps import AppConfig


class BuildingsConfig(AppConfig):
    name = "trackcenter.buildings"
    label = "buildings"
