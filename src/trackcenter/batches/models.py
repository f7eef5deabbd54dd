"""Requests to send a batch, to resend many messages of one, and print runs: rows that a worker
fulfils, however often it is interrupted."""

from typing import ClassVar

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


class BulkResend(models.Model):
    """Who asked for which messages of a batch to be sent again; `finished_at` once each is decided.

    `key` names the dry run that was confirmed: confirming it twice is one request.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.UUIDField()
    batch = models.ForeignKey(
        "communications.Batch", db_index=False, on_delete=models.PROTECT, related_name="resends"
    )
    choice = models.JSONField(help_text="what was asked for, in the API's words")
    through = models.CharField(max_length=20, blank=True, default="", help_text="'': as before")
    note = models.TextField(blank=True, default="")
    requested_by = models.ForeignKey(
        "access.User", db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "bulk_resends"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "key"], name="bulk_resend_confirmed_once")
        ]


class ResendOutcome(models.TextChoices):
    WAITING = "WAITING"
    RESENT = "RESENT"
    SKIPPED = "SKIPPED"


class BulkResendItem(models.Model):
    """One message of a bulk resend. `attempt` was its newest when it was chosen: where another has
    begun since, somebody else has resent it, and it is left alone. So is one that has arrived, or
    may have, unless `choice` wants repeats."""

    resend = models.ForeignKey(
        BulkResend, db_index=False, on_delete=models.PROTECT, related_name="items"
    )
    communication = models.ForeignKey(
        "communications.Communication", db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    attempt = models.IntegerField()
    outcome = models.CharField(
        max_length=10, choices=ResendOutcome.choices, default=ResendOutcome.WAITING
    )
    reason = models.CharField(max_length=20, blank=True, default="", help_text="why SKIPPED")

    class Meta:
        db_table = "bulk_resend_items"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["resend", "communication"], name="bulk_resend_item_once"
            ),
            models.CheckConstraint(
                condition=models.Q(outcome__in=ResendOutcome.values),
                name="bulk_resend_outcome_known",
            ),
        ]
        indexes: ClassVar = [
            # the next chunk of a bulk resend; how far it is
            models.Index(fields=["resend", "outcome", "communication"], name="bulk_resend_items_by")
        ]


class PrintRunStatus(models.TextChoices):
    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"
    POSTED = "POSTED"


class PrintRun(models.Model):
    """Letters of a batch that are printed and posted together, in the order of their items."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(
        "communications.Batch", on_delete=models.PROTECT, related_name="print_runs"
    )
    status = models.CharField(
        max_length=10, choices=PrintRunStatus.choices, default=PrintRunStatus.PENDING
    )
    requested_by = models.ForeignKey(
        "access.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=now)
    letter_count = models.IntegerField(default=0)
    page_count = models.IntegerField(null=True)
    reason = models.TextField(blank=True, default="")
    letters_sha256 = models.CharField(max_length=64, blank=True, default="")
    labels_sha256 = models.CharField(max_length=64, blank=True, default="")
    slip_sha256 = models.CharField(max_length=64, blank=True, default="")
    posted_on = models.DateField(null=True)
    posted_by = models.ForeignKey(
        "access.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    scan_sha256 = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        db_table = "print_runs"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(status__in=PrintRunStatus.values), name="print_run_status_known"
            )
        ]


class PrintRunItem(models.Model):
    """A letter's place in its run. An attempt is printed in one run only; from one that failed it
    may move to another."""

    run = models.ForeignKey(PrintRun, on_delete=models.PROTECT, related_name="items")
    position = models.IntegerField()
    attempt = models.OneToOneField(
        "communications.Attempt", on_delete=models.PROTECT, related_name="print_run_item"
    )

    class Meta:
        db_table = "print_run_items"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "position"], name="print_run_position_once")
        ]
