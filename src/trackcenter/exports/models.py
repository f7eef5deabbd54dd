"""An export is a row with states; the file is written by the export worker."""

from typing import ClassVar

from django.db import models

from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id


class ExportStatus(models.TextChoices):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    READY = "READY"
    FAILED = "FAILED"


class CommunicationExport(models.Model):
    """One asked-for export: its filters, and its file once READY."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    requested_by = models.ForeignKey("access.User", on_delete=models.PROTECT, related_name="+")
    filters = models.JSONField(default=dict)
    status = models.CharField(
        max_length=10, choices=ExportStatus.choices, default=ExportStatus.PENDING
    )
    progress = models.IntegerField(default=0)
    row_count = models.IntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    storage_path = models.TextField(blank=True, default="")
    reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=now)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "communication_exports"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(status__in=ExportStatus.values), name="export_status_known"
            )
        ]
