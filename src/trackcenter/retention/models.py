"""Legal holds over units, and what the nightly run decided. Nothing is deleted by any of it."""

from typing import ClassVar

from django.db import models

from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id
from trackcenter.retention.policy import Content, Decision


class LegalHold(models.Model):
    """Files of this unit must be kept, whatever their retention says, until it is lifted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    unit = models.ForeignKey(
        "buildings.Unit", db_index=False, on_delete=models.PROTECT, related_name="legal_holds"
    )
    reason = models.TextField()
    placed_by = models.ForeignKey(
        "access.User", db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    placed_at = models.DateTimeField(default=now)
    lifted_by = models.ForeignKey(
        "access.User", null=True, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "legal_holds"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["unit"], condition=models.Q(lifted_at=None), name="one_hold_a_unit"
            )
        ]


class RetentionDecision(models.Model):
    """What a nightly run decided about a batch, or about one held unit of it.

    A row is written when a decision differs from the one before; the newest counts.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(
        "communications.Batch", db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(
        "buildings.Unit", null=True, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    content = models.CharField(max_length=12, choices=[(one.value, one.value) for one in Content])
    decision = models.CharField(max_length=8, choices=[(one.value, one.value) for one in Decision])
    due_at = models.DateTimeField(null=True)
    why = models.TextField()
    decided_at = models.DateTimeField(default=now)

    class Meta:
        db_table = "retention_decisions"
        indexes: ClassVar = [
            # the newest decision about each thing
            models.Index(fields=["batch", "content", "unit", "-id"], name="decisions_newest_first")
        ]
