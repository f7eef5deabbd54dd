from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    name = "trackcenter.evidence"
    label = "evidence"
