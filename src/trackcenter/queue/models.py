"""Why a job failed, and what a person decided about it then: the queue's table has no room."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from trackcenter.kit.append_only import APPEND_ONLY
from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id


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


class Verdict(models.TextChoices):
    """What became of a dead letter."""

    REQUEUED = "REQUEUED"
    DISCARDED = "DISCARDED"


class DeadLetterDecision(models.Model):
    """What a person did with a dead letter, and the whole letter. INSERT only.

    No user: somebody at the server's command line.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(default=now)
    user = models.ForeignKey(
        "access.User", null=True, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    note = models.TextField(blank=True, default="")
    letter_id = models.TextField(help_text="of the dead letter")
    queue = models.TextField()
    task = models.TextField()
    message = models.JSONField()
    reason = models.TextField()
    runs = models.IntegerField()
    died_at = models.DateTimeField()

    class Meta:
        db_table = "dead_letter_decisions"
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(verdict__in=Verdict.values), name="verdict_known"
            )
        ]
