"""How fast and until when a sender may be used, shared by every worker process."""

from django.db import models
from django.db.models.functions import Now

from trackcenter.delivery.branding.models import BuildingSender, BuildingTemplate, PreviewFile

__all__ = [
    "BuildingSender",
    "BuildingTemplate",
    "PostalNumberRange",
    "PreviewFile",
    "ProducerResend",
    "SenderHour",
    "SenderPace",
]


class SenderPace(models.Model):
    """One sender (a mailbox, or the number of text messages): its next turn and its pause."""

    sender = models.TextField(primary_key=True, help_text="channel and address")
    channel = models.CharField(max_length=20)
    next_at = models.DateTimeField(null=True, help_text="when the next message may go out")
    paused_until = models.DateTimeField(null=True)
    paused_code = models.TextField(blank=True, default="")
    paused_because = models.TextField(blank=True, default="")

    class Meta:
        db_table = "sender_paces"


class SenderHour(models.Model):
    """How many recipients a sender has had in one hour: for the cap on any 24 hours."""

    pk = models.CompositePrimaryKey("sender", "hour")
    sender = models.TextField()
    hour = models.DateTimeField()
    recipients = models.IntegerField()

    class Meta:
        db_table = "sender_hours"


class PostalNumberRange(models.Model):
    """How far a block of S10 numbers is used up; `next_serial` is the first one that is free."""

    block = models.CharField(primary_key=True, max_length=40)
    next_serial = models.IntegerField()

    class Meta:
        db_table = "postal_number_ranges"


class ProducerResend(models.Model):
    """Another producer's wish to send something again, and the attempt that fulfils it.

    Unique by the message's own id, so that a message that is delivered twice opens one attempt.
    """

    source = models.TextField(primary_key=True, help_text="topic and message id")
    attempt = models.ForeignKey(
        "communications.Attempt", on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "producer_resends"
