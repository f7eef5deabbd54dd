"""An export is a row with states; the file is written by the export worker."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id


class ExportStatus(models.TextChoices):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    READY = "READY"
    FAILED = "FAILED"


class ExportFormat(models.TextChoices):
    CSV = "csv", "CSV"
    XLSX = "xlsx", "Excel"


class CommunicationExport(models.Model):
    """One asked-for export: its filters, and its file once READY.

    `buildings` is how far the asker could see: exactly these, or (null) all. `claim` is the run
    that may write here; a worker whose claim is no longer this one has been given up.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    requested_by = models.ForeignKey(
        "access.User", db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    filters = models.JSONField(default=dict)
    format = models.CharField(max_length=4, choices=ExportFormat.choices, default=ExportFormat.CSV)
    buildings = ArrayField(models.UUIDField(), null=True)
    file_name = models.CharField(max_length=255, blank=True, default="")
    status = models.CharField(
        max_length=10, choices=ExportStatus.choices, default=ExportStatus.PENDING
    )
    claim = models.UUIDField(null=True)
    starts = models.IntegerField(default=0)
    progress = models.IntegerField(default=0, help_text="percent")
    row_count = models.IntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    size = models.BigIntegerField(null=True)
    storage_path = models.TextField(blank=True, default="", help_text="the key of its storage")
    reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=now)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "communication_exports"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(status__in=ExportStatus.values), name="export_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(format__in=ExportFormat.values), name="export_format_known"
            ),
        ]
        indexes: ClassVar = [
            # the history of one person, newest first
            models.Index(fields=["requested_by", "-id"], name="exports_of_user"),
        ]
