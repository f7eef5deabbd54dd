"""Verbs of access: users, grants, tokens. Each leaves a line in the access log.

`by` is the administrator who asks; None at the server's own command line.
"""

import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from trackcenter.access.actor import Actor, actor_of
from trackcenter.access.log import record
from trackcenter.access.models import Act, ApiToken, BuildingGrant, Role, User
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
    by: Actor | None = None,
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
    record(by, Act.USER_CREATED, user.pk, {"role": role.value})
    grant(user, buildings, by=by)
    return user


def _password_problems(password: str, user: User) -> list[Problem]:
    try:
        validate_password(password, user)
    except ValidationError as found:
        return [Problem(("password",), message) for message in found.messages]
    return []


@transaction.atomic
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
    record(None, Act.PASSWORD_SET, user.pk)
    record(None, Act.ROLE_CHANGED, user.pk, {"role": user.role})
    return user, False


@transaction.atomic
def set_role(user: User, role: Role, *, by: Actor | None = None) -> None:
    """Make an administrator a viewer, or the other way round; open sessions feel it at once.

    `Conflict` for the last administrator, and for one's own role: nobody locks everybody out.
    """
    if user.role == role:
        return
    _someone_must_stay(user, by)
    user.role = role
    user.save(update_fields=["role"])
    record(by, Act.ROLE_CHANGED, user.pk, {"role": role.value})


@transaction.atomic
def set_active(user: User, active: bool, *, by: Actor | None = None) -> None:
    """Let a user in, or out at once, with every session and token. `Conflict` as in `set_role`."""
    if user.is_active == active:
        return
    if not active:
        _someone_must_stay(user, by)
    user.is_active = active
    user.save(update_fields=["is_active"])
    record(by, Act.SWITCHED_ON if active else Act.SWITCHED_OFF, user.pk)


@transaction.atomic
def set_new_password(user: User, *, by: Actor | None = None) -> str:
    """Give a user a random password, which is returned and nowhere else; their sessions end."""
    password = "-".join(secrets.token_hex(2) for _ in range(5))  # 80 bits, easy to read aloud
    user.set_password(password)
    user.save(update_fields=["password"])
    record(by, Act.PASSWORD_SET, user.pk)
    return password


@transaction.atomic
def remove_second_step(user: User, *, by: Actor | None = None) -> None:
    """Let somebody who lost the phone in by the password alone; they can set it up again."""
    gone, _ = Authenticator.objects.filter(user=user).delete()
    if gone:
        record(by, Act.SECOND_STEP_REMOVED, user.pk)


def _someone_must_stay(user: User, by: Actor | None) -> None:
    if by is not None and by.user_id == user.pk:
        raise Conflict("you cannot do this to yourself; ask another administrator")
    if user.role != Role.ADMIN or not user.is_active:
        return
    # Locked, so that two administrators cannot remove each other at the same moment.
    administrators = User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True)
    if not [pk for pk in administrators.values_list("pk", flat=True) if pk != user.pk]:
        raise Conflict("this is the last administrator")


@transaction.atomic
def grant(user: User, buildings: Collection[str], *, by: Actor | None = None) -> None:
    """Let a user read these buildings (codes), besides those granted already.

    `InputError` names unknown ones.
    """
    ids = building_ids(buildings)
    BuildingGrant.objects.bulk_create(
        [BuildingGrant(user=user, building_id=pk) for pk in ids], ignore_conflicts=True
    )
    if ids:
        record(by, Act.GRANTED, user.pk, {"buildings": sorted(buildings)})


@transaction.atomic
def withdraw(user: User, buildings: Collection[str], *, by: Actor | None = None) -> None:
    """Take these buildings (codes) from a user, and so from every token of theirs."""
    grants = BuildingGrant.objects.filter(user=user, building_id__in=building_ids(buildings))
    gone, _ = grants.delete()
    if gone:
        record(by, Act.WITHDRAWN, user.pk, {"buildings": sorted(buildings)})


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
    by: Actor | None = None,
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
        user = create_user(username, role=role, buildings=buildings, by=by)
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
    scope = {"role": token.role, "buildings": sorted(buildings), "days": days}
    record(by, Act.TOKEN_CREATED, user.pk, {"token": str(token.pk), **scope})
    return token, secret


@transaction.atomic
def revoke_token(token_id: UUID, *, by: Actor | None = None) -> ApiToken:
    """End a token now. Ending it again changes nothing. `NotFound` if there is no such token."""
    ended = ApiToken.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=now())
    token = ApiToken.objects.select_related("user").filter(pk=token_id).first()
    if token is None:
        raise NotFound("no such token")
    if ended:
        record(by, Act.TOKEN_REVOKED, token.user_id, {"token": str(token.pk)})
    return token
