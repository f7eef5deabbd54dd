"""Who may come in, what they may see, and with which token."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower

from trackcenter.kit.append_only import APPEND_ONLY
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


class Act(models.TextChoices):
    """What the access log tells of: reading, taking out, coming in, and changing who may."""

    COMMUNICATION_READ = "COMMUNICATION_READ"
    UNIT_READ = "UNIT_READ"
    ATTACHMENT_READ = "ATTACHMENT_READ"
    EVIDENCE_READ = "EVIDENCE_READ"
    PRINT_RUN_READ = "PRINT_RUN_READ"
    EXPORT_REQUESTED = "EXPORT_REQUESTED"
    EXPORT_READ = "EXPORT_READ"
    SIGNED_IN = "SIGNED_IN"
    USER_CREATED = "USER_CREATED"
    ROLE_CHANGED = "ROLE_CHANGED"
    GRANTED = "GRANTED"
    WITHDRAWN = "WITHDRAWN"
    SWITCHED_OFF = "SWITCHED_OFF"
    SWITCHED_ON = "SWITCHED_ON"
    PASSWORD_SET = "PASSWORD_SET"  # noqa: S105 - the name of an act
    SECOND_STEP_REMOVED = "SECOND_STEP_REMOVED"
    TOKEN_CREATED = "TOKEN_CREATED"  # noqa: S105
    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105


class AccessRecord(models.Model):
    """One line of the access log. INSERT only, and written by `access.log` alone.

    `subject_id` is what was read, exported or changed; plain ids, so that the log outlives what it
    names. No user: somebody at the server's command line.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(default=now)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, db_index=False)
    token_id = models.UUIDField(null=True, help_text="of `api_tokens`, when one was used")
    act = models.CharField(max_length=24, choices=[(act.value, act.value) for act in Act])
    subject_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=16, blank=True, default="")
    detail = models.JSONField(default=dict)

    class Meta:
        db_table = "access_log"
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(act__in=Act.values), name="act_known")
        ]
        indexes: ClassVar = [
            # who read this?  and: has the same person, just now?
            models.Index(fields=["subject_id", "-id"], name="access_log_of_subject"),
            # what did this person read?
            models.Index(fields=["user", "-id"], name="access_log_of_user"),
        ]
