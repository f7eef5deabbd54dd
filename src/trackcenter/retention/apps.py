from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "trackcenter.retention"
    label = "retention"
