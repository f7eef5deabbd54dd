"""What `trackcenter retention` prints (a dry run for any day, nothing is written), and `hold`."""

from collections.abc import Iterator
from datetime import date

from trackcenter.access.actor import actor_of
from trackcenter.access.models import User
from trackcenter.access.visible import EVERY_BUILDING
from trackcenter.buildings.models import Unit
from trackcenter.kit.clock import now
from trackcenter.kit.errors import NotFound
from trackcenter.retention import services
from trackcenter.retention.report import find
from trackcenter.retention.selectors import noon_of


def retention_lines(on: date | None = None) -> Iterator[str]:
    """One line a finding: decision, due day, what, why; and a last one that counts."""
    counts = {"KEEP": 0, "ARCHIVE": 0, "PURGE": 0}
    for finding in find(EVERY_BUILDING, noon_of(on) if on else now()):
        verdict = finding.verdict
        counts[verdict.decision.value] += 1
        due = f"{verdict.due_at:%Y-%m-%d}" if verdict.due_at else "-"
        unit = f" unit {finding.unit.number}" if finding.unit else ""
        yield (
            f"{verdict.decision.value:8}{due:11} {finding.building_code} {finding.year}{unit} "
            f"{finding.content.value.lower()}: {verdict.why}"
        )
    said = ", ".join(f"{count} {decision.lower()}" for decision, count in counts.items())
    yield f"On {on or now().date()}: {said}. Nothing was deleted."


def hold_command(*, building: str, unit: str, username: str, reason: str | None) -> str:
    """Place a legal hold over a unit (`reason`), or lift it (None), in somebody's name.

    Raises `NotFound` for a building, unit or user that is not there.
    """
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise NotFound(f"there is no user {username}")
    found = Unit.objects.filter(building__code=building, number=unit).first()
    if found is None:
        raise NotFound(f"building {building} has no unit {unit}")
    if reason is None:
        services.lift_hold(actor_of(user), found.id)
        return f"The legal hold over unit {unit} of {building} is lifted."
    services.place_hold(actor_of(user), found.id, reason)
    return f"Unit {unit} of {building} is under a legal hold."
