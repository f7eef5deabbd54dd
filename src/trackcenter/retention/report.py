"""Every batch through the policy: one finding for its bodies, one for its attachments, and apart
from them one for each unit that a legal hold changes."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from trackcenter.access.visible import VisibleBuildings
from trackcenter.communications.models import Batch, UnitBill
from trackcenter.retention.policy import Content, Decision, Verdict, decide


@dataclass(frozen=True, slots=True)
class HeldUnit:
    """A unit under a legal hold."""

    id: UUID
    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to become of one kind of content: of a batch, or of one held unit in it."""

    batch_id: UUID
    building_id: UUID
    building_code: str
    building_name: str
    year: int
    content: Content
    unit: HeldUnit | None
    verdict: Verdict

    @property
    def key(self) -> tuple[UUID, str, UUID | None]:
        return self.batch_id, self.content.value, self.unit.id if self.unit else None


def find(visible: VisibleBuildings, on: datetime) -> Iterator[Finding]:
    """Every finding in the visible buildings at the moment `on`, by year and building."""
    held = _held_units(visible)
    batches = Batch.objects.visible_to(visible).select_related("building")
    for batch in batches.order_by("year", "building__code"):
        zone = ZoneInfo(batch.building.time_zone or settings.TIME_ZONE)
        hints = {
            Content.BODIES: batch.retention_hint,
            Content.ATTACHMENTS: batch.retention_hint_attachments or batch.retention_hint,
        }
        for content, hint in hints.items():
            for unit in (None, *held[batch.id]):
                verdict = decide(
                    on=on,
                    completed_at=batch.completed_at,
                    hint=hint,
                    zone=zone,
                    hold=unit.reason if unit else None,
                )
                if unit and verdict.decision is Decision.KEEP:
                    continue  # as the rest of its batch
                yield Finding(
                    batch.id,
                    batch.building_id,
                    batch.building.code,
                    batch.building.name,
                    batch.year,
                    content,
                    unit,
                    verdict,
                )


def _held_units(visible: VisibleBuildings) -> dict[UUID, list[HeldUnit]]:
    """The held units of each batch, by number."""
    held: dict[UUID, list[HeldUnit]] = defaultdict(list)
    bills = UnitBill.objects.filter(
        batch__in=Batch.objects.visible_to(visible), unit__legal_holds__lifted_at=None
    ).exclude(unit__legal_holds=None)
    for batch_id, unit_id, number, reason in bills.order_by("sort_key").values_list(
        "batch_id", "unit_id", "unit__number", "unit__legal_holds__reason"
    ):
        held[batch_id].append(HeldUnit(unit_id, number, reason))
    return held
