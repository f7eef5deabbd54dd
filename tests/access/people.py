"""What the tests of access share."""

from dataclasses import dataclass

from trackcenter.buildings.models import Building, Unit
from trackcenter.communications.models import Batch

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Place:
    """A building with one unit and one batch."""

    building: Building
    unit: Unit
    batch: Batch


def place(code: str) -> Place:
    """A new place in the database."""
    building = Building.objects.create(code=code, name=f"House {code}")
    unit = Unit.objects.create(building=building, number="1", sort_key="1")
    return Place(building, unit, Batch.objects.create(building=building, year=2024))
