"""Why a job failed: the queue's own table has no room for it."""

from django.db import models
from django.db.models.functions import Now


class JobFailure(models.Model):
    """What a job's last failed run died of, and how many failed. Gone together with the job (a
    cascade in SQL). The queue's own count of runs also holds those that only waited their turn."""

    job = models.OneToOneField(
        "procrastinate.ProcrastinateJob",
        primary_key=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    reason = models.TextField()
    failures = models.IntegerField(db_default=1)
    failed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "job_failures"
