"""Buildings, their units, and the counts that answer 'how does this building stand?' at once."""

import re
from typing import ClassVar

import pgtrigger
from django.db import models

from trackcenter.access.visible import VisibleManager
from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id


class Channel(models.TextChoices):
    """The ways a bill can reach a person."""

    EMAIL = "EMAIL", "E-mail"
    SMS = "SMS", "SMS"
    LETTER = "LETTER", "Letter"
    LETTER_WITH_RECEIPT = "LETTER_WITH_RECEIPT", "Registered letter"


def unit_sort_key(number: str) -> str:
    """A key that puts unit 2 before 12, and 12 before 12a: digit runs are padded to 12 places."""
    return re.sub(r"\d+", lambda run: run.group().zfill(12), number.casefold())[:200]


class Building(models.Model):
    """One building of the landlord. `time_zone` is an IANA name; empty means the installation's."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=500, blank=True, default="")
    time_zone = models.CharField(max_length=64, blank=True, default="")
    # Kept by a trigger on `units`, so that the building list never counts units.
    unit_count = models.IntegerField(default=0)
    created_at = models.DateTimeField(default=now)

    objects = VisibleManager["Building"](building_field="id")

    class Meta:
        db_table = "buildings"


# Units are only ever added.
_UNIT_COUNT = pgtrigger.Trigger(
    name="unit_count",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    referencing=pgtrigger.Referencing(new="new_rows"),
    func="""
        UPDATE buildings SET unit_count = unit_count + added.n
        FROM (SELECT building_id, count(*)::int AS n FROM new_rows GROUP BY building_id) AS added
        WHERE buildings.id = added.building_id;
        RETURN NULL;
    """,
)


class Unit(models.Model):
    """One billed unit of a building."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    building = models.ForeignKey(
        Building, db_index=False, on_delete=models.PROTECT, related_name="units"
    )
    number = models.CharField(max_length=64)
    sort_key = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=now)

    objects = VisibleManager["Unit"](building_field="building_id")

    class Meta:
        db_table = "units"
        triggers: ClassVar = [_UNIT_COUNT]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["building", "number"], name="unit_once_in_building")
        ]


class ChannelRollup(models.Model):
    """How many communications of one building, year and channel stand in each status.

    Kept by statement-level triggers on `communications`, never written by the application, so
    that a list of buildings costs the same with a thousand messages and with ten million.
    """

    pk = models.CompositePrimaryKey("building_id", "year", "channel")
    building = models.ForeignKey(
        Building, db_index=False, on_delete=models.PROTECT, related_name="rollups"
    )
    year = models.IntegerField()
    channel = models.CharField(max_length=20, choices=Channel.choices)
    total = models.IntegerField(default=0)
    pending = models.IntegerField(default=0)
    enqueued = models.IntegerField(default=0)
    sent = models.IntegerField(default=0)
    delivered = models.IntegerField(default=0)
    opened = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    manual = models.IntegerField(default=0)
    cancelled = models.IntegerField(default=0)
    ready_to_print = models.IntegerField(default=0)
    outcome_unknown = models.IntegerField(default=0)

    objects = VisibleManager["ChannelRollup"](building_field="building_id")

    class Meta:
        db_table = "channel_rollups"
