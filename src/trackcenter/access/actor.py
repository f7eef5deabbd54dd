"""Somebody at the door: who they are, and what they may do just now."""

from dataclasses import dataclass
from uuid import UUID

from trackcenter.access.models import ApiToken, BuildingGrant, Role, User
from trackcenter.access.visible import EVERY_BUILDING, VisibleBuildings, only


@dataclass(frozen=True, slots=True)
class Actor:
    """A user, narrowed by the token used (if any). `request.auth` of every API request."""

    user: User
    role: Role
    visible: VisibleBuildings
    token_id: UUID | None = None

    @property
    def user_id(self) -> UUID:
        return self.user.pk

    @property
    def is_admin(self) -> bool:
        """Whether this actor may change things (in the visible buildings)."""
        return self.role == Role.ADMIN

    @property
    def sees_everything(self) -> bool:
        """Whether this actor may also do what belongs to no single building, such as an import."""
        return self.visible.ids is None


def actor_of(user: User, token: ApiToken | None = None) -> Actor:
    """The actor for a user, by session (no token) or by token.

    A token narrows: never more than the role and the buildings of the user at this moment, so a
    right taken from the user is gone from every token at once.
    """
    role = Role(user.role)
    visible = _visible_buildings(user)
    if token is None:
        return Actor(user, role, visible)
    if token.role == Role.VIEWER:
        role = Role.VIEWER
    if token.restricted:
        granted = token.buildings.through.objects.filter(apitoken_id=token.pk)
        visible = only(
            {pk for pk in granted.values_list("building_id", flat=True) if pk in visible}
        )
    return Actor(user, role, visible, token.pk)


def _visible_buildings(user: User) -> VisibleBuildings:
    if user.role == Role.ADMIN:
        return EVERY_BUILDING
    grants = BuildingGrant.objects.filter(user=user)
    return only(grants.values_list("building_id", flat=True))
