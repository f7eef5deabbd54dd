"""A person's record of a physical delivery: one a unit, year and method."""

from typing import ClassVar

from django.db import models

from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id


class UnitDeliveryRecord(models.Model):
    """How a unit's bill was handed over, when, and who saw it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    unit = models.ForeignKey(
        "buildings.Unit", on_delete=models.PROTECT, related_name="delivery_records"
    )
    year = models.IntegerField()
    method = models.CharField(max_length=40)
    dispatched_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    witness = models.CharField(max_length=200, blank=True, default="")
    note = models.TextField(blank=True, default="")
    attachments = models.ManyToManyField(
        "communications.Attachment",
        db_table="unit_delivery_record_attachments",
        related_name="delivery_records",
    )
    recorded_by = models.ForeignKey("access.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        db_table = "unit_delivery_records"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["unit", "year", "method"], name="delivery_record_once_a_method"
            )
        ]
