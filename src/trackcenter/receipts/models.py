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
        max_length=20,
        help_text="msgraph-email, eventgrid-sms, eventgrid-email; what we asked for: "
        "acs-sms-poll, acs-email-poll, message-trace",
    )
    dedupe_key = models.CharField(max_length=300)
    body = models.BinaryField(help_text="the report as it was pushed")
    mime = models.BinaryField(null=True, help_text="the mail a Graph notification points at")
    trouble_since = models.DateTimeField(
        null=True, help_text="since when Microsoft has kept us from reading or heeding it"
    )
    missing_since = models.DateTimeField(
        null=True, help_text="when the mailbox first said, and ever since, that it has no such mail"
    )
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


class Suggestion(models.Model):
    """A mail that may be a bounce of this attempt: somebody should look. It decides nothing."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    receipt = models.OneToOneField(
        InboundReceipt, on_delete=models.PROTECT, related_name="suggestion"
    )
    attempt = models.ForeignKey(
        "communications.Attempt", on_delete=models.PROTECT, related_name="suggestions"
    )
    reason = models.TextField(help_text="the words that speak for it")
    created_at = models.DateTimeField(default=now)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        "access.User", null=True, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    verdict = models.CharField(
        max_length=10, blank=True, default="", help_text="BOUNCED or DISMISSED"
    )

    class Meta:
        db_table = "receipt_suggestions"
        indexes: ClassVar = [
            # the work list
            models.Index(
                fields=["id"],
                name="suggestions_open",
                condition=models.Q(settled_at=None),
            )
        ]


class InboxCount(models.Model):
    """How many mails that are no receipts came to the sending mailboxes, by what they seemed."""

    kind = models.CharField(primary_key=True, max_length=20)
    count = models.BigIntegerField(default=0)

    class Meta:
        db_table = "inbox_counts"


class ReportPoll(models.Model):
    """A message whose report is late: how often we asked for it, and when we ask again."""

    attempt = models.OneToOneField(
        "communications.Attempt", primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    asked = models.IntegerField(default=0)
    next_at = models.DateTimeField()

    class Meta:
        db_table = "report_polls"
