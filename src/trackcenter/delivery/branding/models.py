"""What a building says in its own words, and as whom. Empty always means: as the installation."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from trackcenter.buildings.models import Building
from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id


class BuildingTemplate(models.Model):
    """A building's own texts in one language (`de`, `en`, …): Jinja over the facts of a bill."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    building = models.ForeignKey(
        Building, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    language = models.CharField(max_length=8)
    subject = models.TextField(blank=True, default="")
    greeting = models.TextField(blank=True, default="")
    intro = models.TextField(blank=True, default="")
    closing = models.TextField(blank=True, default="")
    sms_text = models.TextField(blank=True, default="")
    updated_at = models.DateTimeField(default=now)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        db_index=False,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        db_table = "building_templates"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["building", "language"], name="texts_once_a_language")
        ]


class PreviewFile(models.Model):
    """A file of a preview, for as long as its link works (`delivery.branding.passing`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    content = models.BinaryField()
    created_at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        db_table = "preview_files"


class BuildingSender(models.Model):
    """As whom a building writes. The logo is a blob of `trackcenter.storage`."""

    building = models.OneToOneField(
        Building, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    sender_name = models.CharField(max_length=200, blank=True, default="")
    sender_address = models.CharField(max_length=500, blank=True, default="")
    reply_to = models.CharField(max_length=320, blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    payee = models.CharField(max_length=70, blank=True, default="")
    logo_sha256 = models.CharField(max_length=64, blank=True, default="")
    logo_content_type = models.CharField(max_length=40, blank=True, default="")
    updated_at = models.DateTimeField(default=now)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        db_index=False,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        db_table = "building_senders"
