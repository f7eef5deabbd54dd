"""Who may come in, what they may see, and with which token."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower

from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id


class Role(models.TextChoices):
    """An administrator sees and does everything; a viewer reads the buildings granted."""

    ADMIN = "ADMIN", "Administrator"
    VIEWER = "VIEWER", "Viewer"


class User(AbstractUser):
    """Somebody who signs in."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        db_table = "users"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="user_role_known"
            ),
            # Sign-in ignores case; two users that differ in it could take each other's place.
            models.UniqueConstraint(Lower("username"), name="username_once_in_any_case"),
        ]


class BuildingGrant(models.Model):
    """A viewer's right to read one building."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="building_grants")
    building = models.ForeignKey("buildings.Building", on_delete=models.CASCADE, related_name="+")

    class Meta:
        db_table = "building_grants"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "building"], name="building_grant_once")
        ]


class ApiToken(models.Model):
    """A bearer token. Only its SHA-256 is kept: a random 256-bit secret needs no slow hash."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    secret_sha256 = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=10, choices=Role.choices)
    restricted = models.BooleanField(
        default=False, help_text="to `buildings`; a list that becomes empty opens nothing"
    )
    buildings = models.ManyToManyField("buildings.Building", related_name="+")
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "api_tokens"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="token_role_known"
            )
        ]
