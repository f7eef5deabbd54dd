"""The only place that knows which buildings somebody may see."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db import models

from trackcenter.kit.errors import NotFound

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class VisibleBuildings:
    """The buildings an actor may see: every one (`ids is None`), or exactly these."""

    ids: frozenset[UUID] | None

    def __contains__(self, building_id: object) -> bool:
        return self.ids is None or building_id in self.ids

    def require(self, building_id: UUID) -> UUID:
        """The same id when it may be seen; `NotFound` otherwise, as if there were none."""
        if building_id not in self:
            raise NotFound("no such building")
        return building_id

    def as_parameter(self) -> list[UUID] | None:
        """For raw SQL: `(%(visible)s::uuid[] IS NULL OR building_id = ANY(%(visible)s))`."""
        return None if self.ids is None else list(self.ids)


EVERY_BUILDING = VisibleBuildings(None)


def only(ids: Collection[UUID]) -> VisibleBuildings:
    """Exactly these buildings."""
    return VisibleBuildings(frozenset(ids))


class VisibleManager(models.Manager[M]):
    """A manager whose reading starts from what the actor may see."""

    def __init__(self, *, building_field: str = "") -> None:
        super().__init__()
        self._building_field = building_field

    def visible_to(self, visible: VisibleBuildings) -> models.QuerySet[M]:
        """Rows of the buildings in `visible` only."""
        rows = self.get_queryset()
        if visible.ids is None:
            return rows
        # Django makes managers of related rows (`building.units`) from this class, without a field.
        default = self.model._default_manager
        field = self._building_field or getattr(default, "_building_field", "building_id")
        return rows.filter(**{f"{field}__in": visible.ids})
