"""The nightly run, and legal holds."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from trackcenter.access.actor import Actor
from trackcenter.access.visible import EVERY_BUILDING
from trackcenter.buildings.models import Unit
from trackcenter.kit.clock import now
from trackcenter.kit.errors import Conflict, NotFound, Sentence
from trackcenter.retention.models import LegalHold, RetentionDecision
from trackcenter.retention.report import find


@transaction.atomic
def decide_all(on: datetime | None = None) -> int:
    """Write down what differs from the last decision; says how many rows. Deletes nothing."""
    newest = RetentionDecision.objects.order_by("batch_id", "content", "unit_id", "-id")
    before = {
        (one.batch_id, one.content, one.unit_id): (one.decision, one.due_at, one.why)
        for one in newest.distinct("batch_id", "content", "unit_id")
    }
    rows = []
    for finding in find(EVERY_BUILDING, on or now()):
        verdict = finding.verdict
        said = (verdict.decision.value, verdict.due_at, verdict.why)
        if before.get(finding.key) != said:
            batch_id, content, unit_id = finding.key
            rows.append(
                RetentionDecision(
                    batch_id=batch_id,
                    unit_id=unit_id,
                    content=content,
                    decision=verdict.decision,
                    due_at=verdict.due_at,
                    why=verdict.why,
                )
            )
    return len(RetentionDecision.objects.bulk_create(rows, batch_size=1000))


@transaction.atomic
def place_hold(actor: Actor, unit_id: UUID, reason: str) -> LegalHold:
    """Forbid that anything of a unit is purged.

    Raises `NotFound`, and `Conflict` when a hold stands already.
    """
    unit = _locked(actor, unit_id)
    if unit.legal_holds.filter(lifted_at=None).exists():
        words = "a legal hold stands over this unit already; lift it first"
        raise Conflict(Sentence(words, "holdStands"))
    return LegalHold.objects.create(unit=unit, reason=reason, placed_by=actor.user)


@transaction.atomic
def lift_hold(actor: Actor, unit_id: UUID) -> None:
    """Lift the unit's legal hold; it stays in the table. Raises `NotFound` when there is none."""
    unit = _locked(actor, unit_id)
    standing = unit.legal_holds.filter(lifted_at=None)
    if not standing.update(lifted_at=now(), lifted_by=actor.user):
        raise NotFound("no legal hold stands over this unit")


def _locked(actor: Actor, unit_id: UUID) -> Unit:
    unit = Unit.objects.visible_to(actor.visible).select_for_update().filter(id=unit_id).first()
    if unit is None:
        raise NotFound("no such unit")
    return unit
