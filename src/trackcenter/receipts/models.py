"""What the outside says, exactly as it came: stored first, understood second, applied third."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id


class ReceiptState(models.TextChoices):
    """NEW waits to be read; PARKED knows no attempt yet; the rest are ends."""

    NEW = "NEW"
    PARKED = "PARKED"
    APPLIED = "APPLIED"
    IGNORED = "IGNORED"
    MALFORMED = "MALFORMED"


class InboundReceipt(models.Model):
    """One report. `dedupe_key` is the provider's own identity of it within `origin`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    origin = models.CharField(
        max_length=20, help_text="msgraph-email, eventgrid-sms, eventgrid-email"
    )
    dedupe_key = models.CharField(max_length=300)
    body = models.BinaryField(help_text="the report as it was pushed")
    mime = models.BinaryField(null=True, help_text="the mail a Graph notification points at")
    received_at = models.DateTimeField(default=now, db_default=Now())
    state = models.CharField(max_length=10, choices=ReceiptState.choices, default=ReceiptState.NEW)
    reason = models.TextField(blank=True, default="")
    correlation = models.JSONField(
        default=list, help_text="ids it quotes, in the order they are to be tried"
    )
    attempt = models.ForeignKey(
        "communications.Attempt", null=True, on_delete=models.PROTECT, related_name="receipts"
    )
    applied_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "inbound_receipts"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["origin", "dedupe_key"], name="receipt_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=ReceiptState.values), name="receipt_state_known"
            ),
        ]
        indexes: ClassVar = [
            # the periodic look at what could not be resolved
            models.Index(
                fields=["received_at"],
                name="receipts_parked",
                condition=models.Q(state="PARKED"),
            )
        ]


class InboxCursor(models.Model):
    """How far a mailbox's inbox has been read: Graph's delta link."""

    mailbox = models.TextField(primary_key=True)
    delta_link = models.TextField()

    class Meta:
        db_table = "inbox_cursors"
