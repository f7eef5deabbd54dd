"""Questions about users, tokens and the access log."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from trackcenter.access.actor import Actor
from trackcenter.access.models import AccessRecord, ApiToken, Role, User
from trackcenter.access.visible import VisibleBuildings
from trackcenter.kit.clock import iso
from trackcenter.kit.errors import NotFound
from trackcenter.kit.pagination import decode_cursor, encode_cursor

LOG_PAGE = 100


def list_tokens(
    who: Actor, *, cursor: str | None = None, limit: int = 50, username: str = ""
) -> dict[str, Any]:
    """A page of tokens, newest first: an administrator's of everybody, anybody else's their own.

    In the wire's shape (`TokenPage`). `InputError` for a cursor that is not of this list.
    """
    tokens = ApiToken.objects.select_related("user").order_by("-id")
    if not (who.is_admin and who.sees_everything):
        tokens = tokens.filter(user_id=who.user_id)
    if username:
        tokens = tokens.filter(user__username__iexact=username)
    if cursor:
        (last,) = decode_cursor(cursor, UUID)
        tokens = tokens.filter(pk__lt=last)
    rows = list(tokens[: limit + 1])
    shown = rows[:limit]
    return {
        "items": describe_tokens(shown),
        "nextCursor": encode_cursor(shown[-1].pk) if len(rows) > limit else None,
    }


def describe_tokens(tokens: Iterable[ApiToken]) -> list[dict[str, Any]]:
    """Tokens in the wire's shape (`TokenOut`), the codes of their buildings by one query."""
    rows = list(tokens)
    codes: dict[UUID, list[str]] = {token.pk: [] for token in rows}
    links = ApiToken.buildings.through._base_manager.filter(apitoken_id__in=codes)
    for token_id, code in links.order_by("building__code").values_list(
        "apitoken_id", "building__code"
    ):
        codes[token_id].append(code)
    return [
        {
            "id": token.pk,
            "username": token.user.username,
            "role": token.role.lower(),
            "buildings": codes[token.pk] if token.restricted else None,
            "createdAt": iso(token.created_at),
            "expiresAt": token.expires_at and iso(token.expires_at),
            "lastUsedAt": token.last_used_at and iso(token.last_used_at),
            "revokedAt": token.revoked_at and iso(token.revoked_at),
        }
        for token in rows
    ]


def list_users(search: str = "") -> QuerySet[User]:
    """Users by name; with how many buildings they were granted, and how they come in.

    `search` is part of a name or an e-mail address.
    """
    users = User.objects.annotate(
        granted=Count("building_grants"),
        by_provider=Exists(SocialAccount.objects.filter(user=OuterRef("pk"))),
        second_step=Exists(_second_steps().filter(user=OuterRef("pk"))),
    )
    if search:
        users = users.filter(Q(username__icontains=search) | Q(email__icontains=search))
    return users.order_by("-is_active", "username")


def get_user(user_id: UUID) -> User:
    """One user, as in `list_users`. `NotFound`."""
    user = list_users().filter(pk=user_id).first()
    if user is None:
        raise NotFound("no such user")
    return user


def has_second_step(user: User) -> bool:
    """Whether a code from an app is asked for at sign-in."""
    return bool(_second_steps().filter(user=user).exists())


def _second_steps() -> QuerySet[Any]:
    steps: QuerySet[Any] = Authenticator.objects.filter(type=Authenticator.Type.TOTP)
    return steps


def granted_buildings(user: User) -> list[tuple[str, str]]:
    """Code and name of the buildings a viewer may read, by code."""
    rows = user.building_grants.order_by("building__code")
    return list(rows.values_list("building__code", "building__name"))


def other_buildings(user: User, limit: int = 500) -> list[tuple[str, str]]:
    """Code and name of buildings not granted to a user: the proposals of the form."""
    model: Any = apps.get_model("buildings.Building")  # by name: it stands above this package
    rows = model._base_manager.exclude(pk__in=user.building_grants.values("building_id"))
    return list(rows.order_by("code").values_list("code", "name")[:limit])


def list_log(
    *, user: User | None = None, subject_id: UUID | None = None, before: UUID | None = None
) -> tuple[list[AccessRecord], UUID | None]:
    """A page of the access log, newest first, and where the next one starts (None: no more)."""
    records = AccessRecord.objects.select_related("user").order_by("-id")
    if user is not None:
        records = records.filter(user=user)
    if subject_id is not None:
        records = records.filter(subject_id=subject_id)
    if before is not None:
        records = records.filter(pk__lt=before)
    rows = list(records[: LOG_PAGE + 1])
    return rows[:LOG_PAGE], rows[LOG_PAGE - 1].pk if len(rows) > LOG_PAGE else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where on the screen something lies that the log names; a building at least."""

    building_id: UUID
    building: str
    year: int | None = None
    unit_id: UUID | None = None
    unit: str | None = None
    communication_id: UUID | None = None


_PLACES: Final[dict[str, dict[str, str]]] = {
    "communications.Communication": {
        "building_id": "building_id",
        "building": "building__name",
        "year": "year",
        "unit_id": "unit_id",
        "unit": "unit__number",
        "communication_id": "id",
    },
    "buildings.Unit": {
        "building_id": "building_id",
        "building": "building__name",
        "unit_id": "id",
        "unit": "number",
    },
    "communications.Attachment": {
        "building_id": "communication__building_id",
        "building": "communication__building__name",
        "year": "communication__year",
        "unit_id": "communication__unit_id",
        "unit": "communication__unit__number",
        "communication_id": "communication_id",
    },
    "communications.Batch": {
        "building_id": "building_id",
        "building": "building__name",
        "year": "year",
    },
    "batches.PrintRun": {
        "building_id": "batch__building_id",
        "building": "batch__building__name",
        "year": "batch__year",
    },
}
"""What the log's readings are of → where each field of `Place` stands. The tables are asked by
name: they stand above this package."""


def places_of(visible: VisibleBuildings, ids: Collection[UUID]) -> dict[UUID, Place]:
    """Where those of `ids` lie that are something of a visible building; one query a table."""
    found: dict[UUID, Place] = {}
    for model, fields in _PLACES.items():
        missing = set(ids) - set(found)
        if not missing:
            break
        rows = apps.get_model(model)._base_manager.filter(pk__in=missing)
        if visible.ids is not None:
            rows = rows.filter(**{f"{fields['building_id']}__in": visible.ids})
        for key, *values in rows.values_list("pk", *fields.values()):
            found[key] = Place(**dict(zip(fields, values, strict=True)))
    return found


def other_administrators(user: User) -> bool:
    """Whether somebody else can still administer."""
    others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=user.pk)
    return others.exists()
