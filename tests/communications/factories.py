"""Small makers of billed units, as an import would leave them."""

import hashlib
from typing import Any

from trackcenter.access.actor import Actor, actor_of
from trackcenter.access.models import Role, User
from trackcenter.buildings.models import Building, Unit, unit_sort_key
from trackcenter.communications import events
from trackcenter.communications.models import (
    Batch,
    BillingSnapshot,
    Communication,
    Source,
    UnitBill,
)
from trackcenter.communications.payloads import Created
from trackcenter.kit import canonical
from trackcenter.kit.names import name_key

YEAR = 2025


def an_admin(username: str = "anna") -> Actor:
    user, _ = User.objects.get_or_create(username=username, defaults={"role": Role.ADMIN})
    return actor_of(user)


def a_building(code: str = "B1", **fields: Any) -> Building:
    building, _ = Building.objects.get_or_create(code=code, defaults={"name": code, **fields})
    return building


def a_bill(
    *channels: str, unit: str = "1", building: str = "B1", year: int = YEAR, **row: Any
) -> list[Communication]:
    """A unit's bill of one year with a communication a channel (EMAIL unless said otherwise)."""
    place = a_building(building)
    batch, _ = Batch.objects.get_or_create(building=place, year=year)
    flat, _ = Unit.objects.get_or_create(
        building=place, number=unit, defaults={"sort_key": unit_sort_key(unit)}
    )
    content = {
        "buildingCode": building,
        "buildingName": f"House {building}",
        "year": year,
        "unit": unit,
        "recipient": f"Resident {unit}",
        "email": f"resident.{unit}@example.org",
        "phone": f"+4917604069{int(unit) % 900 + 100:03d}" if unit.isdecimal() else None,
        "language": "en",
        "country": "DE",
        "currency": "EUR",
        "costs": [{"label": "Heating", "amount": "100.00"}],
        "total": "100.00",
        "prepaid": "40.00",
        "balance": "60.00",
        "channels": list(channels or ("EMAIL",)),
        **row,
    }
    sha256 = hashlib.sha256(canonical.dumps(content)).hexdigest()
    snapshot = BillingSnapshot.objects.create(
        batch=batch, unit=flat, version=1, row=content, sha256=sha256
    )
    UnitBill.objects.create(
        batch=batch,
        unit=flat,
        snapshot=snapshot,
        recipient_name=content["recipient"],
        name_key=name_key(content["recipient"]),
        sort_key=flat.sort_key,
        search=f"{unit}\n{content['recipient']}\n{content['email']}",
    )
    made = Communication.objects.bulk_create(
        Communication(
            batch=batch,
            building=place,
            unit=flat,
            year=year,
            channel=channel,
            snapshot=snapshot,
            recipient_name=content["recipient"],
            delivery_status="PENDING",
        )
        for channel in content["channels"]
    )
    events.append(
        [events.NewEvent(one.id, Created(snapshot_sha256=sha256), Source.SYSTEM) for one in made]
    )
    return made


def an_event(communication: Communication, payload: Any, **where: Any) -> events.Written:
    """Append one event the worker's way."""
    where.setdefault("source", Source.WORKER)
    return events.append([events.NewEvent(communication.id, payload, **where)])[0]
