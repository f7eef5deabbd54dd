"""A request to send a batch. The worker fulfils it in chunks, however often it is interrupted."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id


class BatchSend(models.Model):
    """Who asked for what to be sent; `finished_at` once nothing it asks for is PENDING."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(
        "communications.Batch", on_delete=models.PROTECT, related_name="sends"
    )
    channels = ArrayField(models.CharField(max_length=20))
    unit_ids = ArrayField(models.UUIDField(), null=True, help_text="null: every unit")
    requested_by = models.ForeignKey(
        "access.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "batch_sends"
