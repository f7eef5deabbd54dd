"""`/users/`: who may come in, what they may see, which tokens are out, and who read what.

Server-rendered, without a line of script. Every change is a POST that answers with a redirect, but
for the two that show a secret once.
"""

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trackcenter.access import selectors, services
from trackcenter.access.actor import Actor, actor_of
from trackcenter.access.models import AccessRecord, Act, ApiToken, Role, User
from trackcenter.access.signin import message_page
from trackcenter.access.words import words_in
from trackcenter.kit.clock import now
from trackcenter.kit.errors import Conflict, InputError, NotFound

Page = Callable[..., HttpResponse]

PAGE: Final = 50
DAYS: Final = 365

DONE: Final = frozenset(
    {
        "created",
        "granted",
        "withdrawn",
        "role_saved",
        "second_step_removed",
        "is_on",
        "token_revoked",
    }
)
"""Words a redirect may ask the page to say."""


def administrators_only(page: Page) -> Page:
    """Anybody else is led to sign in, or told that this is not for them."""

    @never_cache
    @login_required
    @functools.wraps(page)
    def guarded(request: HttpRequest, **parts: Any) -> HttpResponse:
        who = _who(request)
        if not who.is_admin:
            return message_page(request, "admins_only", status=HTTPStatus.FORBIDDEN)
        try:
            return page(request, **parts)
        except NotFound:
            return message_page(request, "no_user", status=HTTPStatus.NOT_FOUND)

    return guarded


def _who(request: HttpRequest) -> Actor:
    user = request.user
    assert isinstance(user, User)  # noqa: S101  login_required saw to it
    return actor_of(user)


@require_safe
@administrators_only
def user_list(request: HttpRequest) -> HttpResponse:
    """Everybody, those who may come in first."""
    search = _text(request.GET.get("search", ""))
    page = Paginator(selectors.list_users(search), PAGE).get_page(request.GET.get("page"))
    return render(request, "people/users.html", {"page": page, "search": search, "here": "users"})


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def new_user(request: HttpRequest) -> HttpResponse:
    """The form for a newcomer, and what becomes of it."""
    username = _text(request.POST.get("username", ""))
    email = _text(request.POST.get("email", ""))
    role = Role.ADMIN if request.POST.get("role") == Role.ADMIN else Role.VIEWER
    with_password = request.method != "POST" or "with_password" in request.POST
    problems: list[str] = []
    if request.method == "POST":
        words = words_in(get_language())
        who = _who(request)
        try:
            user = services.create_user(username, role=role, email=email, by=who)
        except Conflict:
            problems = [words["name_taken"]]
        except InputError as error:
            names = {"username": words["username"], "email": words["email"]}
            problems = [
                f"{names.get(str(one.loc[0]), one.loc[0])}: {one.msg}" for one in error.problems
            ]
        else:
            if not with_password:
                return _back(user, "created")
            secret = services.set_new_password(user, by=who)
            return _detail(request, user.pk, done="created", password=secret)
    form = {"username": username, "email": email, "role": role, "with_password": with_password}
    page = {"form": form, "problems": problems, "here": "users"}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return render(request, "people/new_user.html", page, status=status)


@require_safe
@administrators_only
def user_detail(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """One user: role, buildings, sign-in, tokens."""
    done = request.GET.get("done", "")
    return _detail(request, user_id, done=done if done in DONE else "")


@sensitive_post_parameters()
@require_POST
@administrators_only
def change_user(request: HttpRequest, user_id: UUID, verb: str) -> HttpResponse:
    """One change to one user; `verb` is a key of `CHANGES`."""
    if verb not in CHANGES:
        return message_page(request, "missing", status=HTTPStatus.NOT_FOUND)
    user = selectors.get_user(user_id)
    words = words_in(get_language())
    try:
        return CHANGES[verb](request, user, _who(request))
    except Conflict:
        problem = words["refused"]
    except InputError as error:
        said = [one for one in error.problems if one.loc[0] != "building"]
        asked = request.POST.get("buildings") or request.POST.get("building", "")
        problem = str(said[0]) if said else f"{words['no_building']} {asked}"
    return _detail(request, user_id, problem=problem)


def _set_role(request: HttpRequest, user: User, who: Actor) -> HttpResponse:
    role = Role.ADMIN if request.POST.get("role") == Role.ADMIN else Role.VIEWER
    services.set_role(user, role, by=who)
    return _back(user, "role_saved")


def _grant(request: HttpRequest, user: User, who: Actor) -> HttpResponse:
    services.grant(user, [_text(request.POST.get("building", ""))], by=who)
    return _back(user, "granted")


def _withdraw(request: HttpRequest, user: User, who: Actor) -> HttpResponse:
    services.withdraw(user, [_text(request.POST.get("building", ""))], by=who)
    return _back(user, "withdrawn")


def _set_password(request: HttpRequest, user: User, who: Actor) -> HttpResponse:
    return _detail(request, user.pk, password=services.set_new_password(user, by=who))


def _remove_second_step(_: HttpRequest, user: User, who: Actor) -> HttpResponse:
    services.remove_second_step(user, by=who)
    return _back(user, "second_step_removed")


def _switch_off(_: HttpRequest, user: User, who: Actor) -> HttpResponse:
    services.set_active(user, False, by=who)
    return _back(user, "")


def _switch_on(_: HttpRequest, user: User, who: Actor) -> HttpResponse:
    services.set_active(user, True, by=who)
    return _back(user, "is_on")


def _make_token(request: HttpRequest, user: User, who: Actor) -> HttpResponse:
    days = request.POST.get("days", "")
    codes = [_text(code) for code in request.POST.get("buildings", "").split(",")]
    _, secret = services.create_token(
        user.username,
        role=Role.ADMIN if request.POST.get("role") == Role.ADMIN else Role.VIEWER,
        buildings=[code for code in codes if code],
        days=int(days) if days.isascii() and days.isdigit() and len(days) < 6 else 0,
        by=who,
    )
    return _detail(request, user.pk, token=secret)


def _revoke(request: HttpRequest, user: User, who: Actor) -> HttpResponse:
    try:
        token_id = UUID(request.POST.get("token", ""))
    except ValueError:
        raise NotFound("no such token") from None
    if not user.api_tokens.filter(pk=token_id).exists():
        raise NotFound("no such token")
    services.revoke_token(token_id, by=who)
    return _back(user, "token_revoked")


CHANGES: Final[dict[str, Callable[[HttpRequest, User, Actor], HttpResponse]]] = {
    "role": _set_role,
    "grant": _grant,
    "withdraw": _withdraw,
    "password": _set_password,
    "remove-second-step": _remove_second_step,
    "switch-off": _switch_off,
    "switch-on": _switch_on,
    "token": _make_token,
    "revoke": _revoke,
}


@require_safe
@administrators_only
def access_log(request: HttpRequest) -> HttpResponse:
    """The access log, newest first; of one person or about one thing."""
    asked = {name: _uuid(request.GET.get(name)) for name in ("user", "subject", "before")}
    user = selectors.get_user(asked["user"]) if asked["user"] else None
    rows, older = selectors.list_log(user=user, subject_id=asked["subject"], before=asked["before"])
    kept = {name: str(value) for name, value in asked.items() if value and name != "before"}
    about = _subjects(_who(request), {row.subject_id for row in rows} | {asked["subject"]})
    page = {
        "rows": [_line(row, about) for row in rows],
        "user_asked": user,
        "subject_asked": asked["subject"] and about[asked["subject"]],
        "older": urlencode({**kept, "before": str(older)}) if older else "",
        "zone": settings.TIME_ZONE,
        "here": "log",
    }
    return render(request, "people/log.html", page)


def _line(row: AccessRecord, about: dict[UUID, dict[str, str]]) -> dict[str, Any]:
    words = words_in(get_language())
    detail = dict(row.detail)
    detail.pop("token", None)
    said = [
        f"{key}: {', '.join(value) if isinstance(value, list) else value}"
        for key, value in detail.items()
        if value not in (None, [], "", {})
    ]
    return {
        "row": row,
        "act": words.get(f"act_{row.act}", Act(row.act).label),
        "subject": about[row.subject_id] if row.subject_id else None,
        "detail": "; ".join(said),
    }


def _subjects(who: Actor, ids: set[UUID | None]) -> dict[UUID, dict[str, str]]:
    """What to call each of `ids`: its `name`, and of what lies in a building `where` and `href`.

    Of anything else, and of what `who` may not see, the log knows no more than the id.
    """
    asked = {one for one in ids if one is not None}
    users = dict(User.objects.filter(pk__in=asked).values_list("pk", "username"))
    places = selectors.places_of(who.visible, asked - set(users))
    subjects = {one: {"name": users.get(one, ""), "id": str(one)} for one in asked}
    for one, place in places.items():
        subjects[one] |= _shown(place)
    return subjects


def _shown(place: selectors.Place) -> dict[str, str]:
    """A place in words, and the address of the screen at it."""
    words = words_in(get_language())
    where = f"{place.building} {place.year}" if place.year else place.building
    state = {
        "buildingId": place.building_id,
        "year": place.year,
        "unit": place.unit_id,
        "communication": place.communication_id,
    }
    query = urlencode({name: str(value) for name, value in state.items() if value})
    return {
        "name": f"{words['unit']} {place.unit}" if place.unit else where,
        "where": where if place.unit else "",
        "href": f"{reverse('track')}?{query}",
    }


def _detail(
    request: HttpRequest,
    user_id: UUID,
    *,
    done: str = "",
    problem: str = "",
    password: str = "",
    token: str = "",
) -> HttpResponse:
    user = selectors.get_user(user_id)
    words = words_in(get_language())
    tokens = list(user.api_tokens.select_related("user").order_by("-id"))
    page = {
        "person": user,
        "is_self": user.pk == request.user.pk,
        "grants": selectors.granted_buildings(user),
        "proposals": selectors.other_buildings(user) if user.role == Role.VIEWER else [],
        "tokens": [
            {"token": one, "buildings": said["buildings"], "state": _state(one)}
            for one, said in zip(tokens, selectors.describe_tokens(tokens), strict=True)
        ],
        "days": DAYS,
        "group_decides": bool(settings.OIDC_ADMIN_GROUP),
        "done": words[done] if done else "",
        "problem": problem,
        "new_password": password,
        "new_token": token,
        "here": "users",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "people/user.html", page, status=status)


def _state(token: ApiToken) -> str:
    if token.revoked_at is not None:
        return "revoked"
    over = token.expires_at is not None and token.expires_at <= now()
    return "expired" if over else "valid"


def _back(user: User, done: str) -> HttpResponse:
    address = reverse("user", args=[user.pk])
    return HttpResponseRedirect(f"{address}?done={done}" if done else address)


def _text(value: str | None) -> str:
    """What somebody typed, without blanks around it or characters no column takes."""
    return (value or "").replace("\x00", "").strip()


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value or "")
    except ValueError:
        return None
