"""Verbs of access: users, grants, tokens."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from trackcenter.access.actor import actor_of
from trackcenter.access.models import ApiToken, BuildingGrant, Role, User
from trackcenter.access.tokens import digest, new_secret
from trackcenter.kit.clock import now
from trackcenter.kit.errors import Conflict, InputError, NotFound, Problem


def find_user(username: str) -> User | None:
    """The user of that name; upper and lower case are the same."""
    return User.objects.filter(username__iexact=username).first()


@transaction.atomic
def create_user(
    username: str,
    *,
    role: Role,
    password: str | None = None,
    email: str = "",
    buildings: Collection[str] = (),
) -> User:
    """Make a user. Without a password there is no sign-in, only tokens.

    `buildings` are codes, granted to a viewer. `InputError` for a bad name or password or an
    unknown code, `Conflict` when the name is taken.
    """
    user = User(username=username, role=role, email=email)
    problems = []
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as found:
        problems += [
            Problem((field,), str(message))
            for field, messages in found.message_dict.items()
            for message in messages
        ]
    if password is not None:
        problems += _password_problems(password, user)
    if problems:
        raise InputError(problems)
    if find_user(username) is not None:
        raise Conflict(f"there is a user {username} already")
    if password is None:
        user.set_unusable_password()
    else:
        user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        # Somebody else was between our look and our write.
        raise Conflict(f"there is a user {username} already") from None
    grant(user, buildings)
    return user


def _password_problems(password: str, user: User) -> list[Problem]:
    try:
        validate_password(password, user)
    except ValidationError as found:
        return [Problem(("password",), message) for message in found.messages]
    return []


def set_admin(username: str, password: str, *, email: str = "") -> tuple[User, bool]:
    """Make an administrator, or give an existing user this password and the role.

    Returns the user and whether it is new. Whoever runs this on the server owns it anyway; so it
    is also the way back in for somebody who forgot the password.
    """
    user = find_user(username)
    if user is None:
        return create_user(username, role=Role.ADMIN, password=password, email=email), True
    if problems := _password_problems(password, user):
        raise InputError(problems)
    user.set_password(password)
    user.role = Role.ADMIN
    user.is_active = True
    if email:
        user.email = email
    user.save()
    return user, False


@transaction.atomic
def grant(user: User, buildings: Collection[str]) -> None:
    """Let a user read these buildings (codes), besides those granted already.

    `InputError` names unknown ones.
    """
    BuildingGrant.objects.bulk_create(
        [BuildingGrant(user=user, building_id=pk) for pk in building_ids(buildings)],
        ignore_conflicts=True,
    )


@transaction.atomic
def withdraw(user: User, buildings: Collection[str]) -> None:
    """Take these buildings (codes) from a user, and so from every token of theirs."""
    BuildingGrant.objects.filter(user=user, building_id__in=building_ids(buildings)).delete()


def building_ids(codes: Collection[str]) -> list[UUID]:
    """The ids of building codes. `InputError` naming those that do not exist."""
    if not codes:
        return []
    # By name, as a foreign key would: buildings stand above this package.
    model: Any = apps.get_model("buildings.Building")
    known: dict[str, UUID] = dict(
        model._base_manager.filter(code__in=codes).values_list("code", "pk")
    )
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise InputError([Problem(("building",), f"there is no building {x}") for x in unknown])
    return list(known.values())


@transaction.atomic
def create_token(
    username: str,
    *,
    role: Role | None = None,
    buildings: Collection[str] = (),
    days: int | None = None,
) -> tuple[ApiToken, str]:
    """A token for a user, who is made (without a password) when there is none.

    Returns the row and the secret, which is nowhere else and cannot be shown again. `role` is the
    user's own unless given; for a new user an administrator's, or a viewer's when `buildings`
    (codes) are. `days` is the time until it expires, None for never. `Conflict` when the token
    would reach further than its user.
    """
    if days is not None and not 0 < days <= 36_500:
        raise InputError.at("days", msg="must be from 1 to 36500")
    wanted = building_ids(buildings)
    user = find_user(username)
    if user is None:
        role = role or (Role.VIEWER if buildings else Role.ADMIN)
        user = create_user(username, role=role, buildings=buildings)
    own = actor_of(user)
    if role == Role.ADMIN and not own.is_admin:
        raise Conflict(f"{user.username} is a viewer and cannot have an administrator's token")
    if any(pk not in own.visible for pk in wanted):
        raise Conflict(f"{user.username} may not read all of these buildings")
    secret = new_secret()
    token = ApiToken.objects.create(
        user=user,
        secret_sha256=digest(secret),
        role=role or own.role,
        restricted=bool(wanted),
        expires_at=now() + timedelta(days=days) if days is not None else None,
    )
    through = ApiToken.buildings.through
    through._base_manager.bulk_create(
        [through(apitoken_id=token.pk, building_id=pk) for pk in wanted]
    )
    return token, secret


def revoke_token(token_id: UUID) -> ApiToken:
    """End a token now. Ending it again changes nothing. `NotFound` if there is no such token."""
    ApiToken.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=now())
    token = ApiToken.objects.select_related("user").filter(pk=token_id).first()
    if token is None:
        raise NotFound("no such token")
    return token
