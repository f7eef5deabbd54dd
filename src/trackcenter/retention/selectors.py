"""Questions about retention."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from django.db.models import Max, Sum

from trackcenter.access.visible import VisibleBuildings
from trackcenter.buildings.models import ChannelRollup
from trackcenter.kit.clock import now
from trackcenter.kit.pagination import decode_cursor, encode_cursor
from trackcenter.retention.models import RetentionDecision
from trackcenter.retention.report import Finding, find

_NEVER = datetime.max.replace(tzinfo=UTC)


def noon_of(day: date) -> datetime:
    """A moment that lies in that day almost everywhere on Earth (from UTC-12 to UTC+11).

    Periods end at midnight, so a report for a day must ask in the middle of it.
    """
    return datetime.combine(day, time(12), UTC)


def report(
    visible: VisibleBuildings,
    *,
    on: date | None = None,
    decision: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """One page of what would be archived or purged, when and why (`RetentionReport`)."""
    moment = noon_of(on) if on else now()
    findings = sorted(find(visible, moment), key=_order)
    counts = Counter(finding.verdict.decision.value for finding in findings)
    if decision:
        findings = [one for one in findings if one.verdict.decision.value == decision]
    if cursor:
        after = tuple(decode_cursor(cursor, datetime, str, str, str))
        findings = [one for one in findings if _order(one) > after]
    page = findings[:limit]
    return {
        "items": _items(visible, page),
        "nextCursor": encode_cursor(*_order(page[-1])) if len(findings) > limit else None,
        "on": on or moment.date(),
        "counts": {name.lower(): counts[name] for name in ("KEEP", "ARCHIVE", "PURGE")},
        "lastRunAt": RetentionDecision.objects.aggregate(newest=Max("decided_at"))["newest"],
    }


def _order(finding: Finding) -> tuple[datetime, str, str, str]:
    """Soonest first; then a stable order."""
    batch_id, content, unit_id = finding.key
    return finding.verdict.due_at or _NEVER, str(batch_id), content, str(unit_id or "")


def _items(visible: VisibleBuildings, page: Sequence[Finding]) -> list[dict[str, Any]]:
    totals = _communications(visible, {finding.building_id for finding in page})
    return [
        {
            "batchId": finding.batch_id,
            "building": {
                "id": finding.building_id,
                "code": finding.building_code,
                "name": finding.building_name,
            },
            "year": finding.year,
            "content": finding.content.value,
            "unit": finding.unit
            and {
                "id": finding.unit.id,
                "number": finding.unit.number,
                "reason": finding.unit.reason,
            },
            "decision": finding.verdict.decision.value,
            "dueAt": finding.verdict.due_at and finding.verdict.due_at.astimezone(UTC),
            "why": finding.verdict.why,
            "communications": totals.get((finding.building_id, finding.year), 0),
        }
        for finding in page
    ]


def _communications(
    visible: VisibleBuildings, building_ids: set[UUID]
) -> dict[tuple[UUID, int], int]:
    rows = ChannelRollup.objects.visible_to(visible).filter(building_id__in=building_ids)
    sums = rows.values("building_id", "year").annotate(sum=Sum("total"))
    return {(row["building_id"], row["year"]): row["sum"] for row in sums}
