"""What the command line does for access. Every function returns what is to be printed.

Errors are the kit's (`InputError`, `Conflict`, `NotFound`), whose message is the sentence to show.
"""

import getpass
import sys
from collections.abc import Collection, Iterator
from datetime import datetime
from uuid import UUID

from trackcenter.access import services
from trackcenter.access.models import ApiToken, Role
from trackcenter.kit.clock import now
from trackcenter.kit.errors import InputError

DEFAULT_DAYS = 365
"""How long a token lives that the command line makes without `--days`."""


def read_password(*, from_stdin: bool) -> str:
    """The password: the first line of standard input, or asked for twice at the terminal.

    `InputError` when it is empty, the two differ, or there is no terminal to ask at.
    """
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif not sys.stdin.isatty():
        raise InputError.at("password", msg="there is no terminal to ask at: use --password-stdin")
    else:
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Password again: "):
            raise InputError.at("password", msg="the two differ")
    if not password:
        raise InputError.at("password", msg="is empty")
    return password


def createadmin(username: str, password: str) -> str:
    """Make an administrator, or give an existing user this password and that role."""
    user, is_new = services.set_admin(username, password)
    if is_new:
        return f"{user.username} can sign in now."
    return f"{user.username} was there already: an administrator now, with the new password."


def token_create(
    username: str,
    *,
    role: str | None = None,
    buildings: Collection[str] = (),
    days: int | None = DEFAULT_DAYS,
) -> str:
    """A new token, to be printed alone on standard output. `role` is `admin` or `viewer`."""
    if role is not None and role.upper() not in Role.values:
        raise InputError.at("role", msg="must be admin or viewer")
    chosen = Role(role.upper()) if role is not None else None
    _, secret = services.create_token(username, role=chosen, buildings=buildings, days=days)
    return secret


def token_list() -> Iterator[str]:
    """One line a token, newest first: id, user, role, state, last use. Never the token itself."""
    for token in ApiToken.objects.select_related("user").order_by("-id"):
        scope = " of some buildings" if token.restricted else ""
        used = f"last used {_day(token.last_used_at)}" if token.last_used_at else "never used"
        role = f"{Role(token.role).label.lower()}{scope}"
        yield f"{token.pk}  {token.user.username}  {role}  {_state(token)}, {used}"


def token_revoke(token_id: str) -> str:
    """End a token now."""
    try:
        key = UUID(token_id)
    except ValueError:
        raise InputError.at("id", msg="is not a token's id; `token list` shows them") from None
    token = services.revoke_token(key)
    return f"The token of {token.user.username} ended {_day(token.revoked_at)}."


def _state(token: ApiToken) -> str:
    if token.revoked_at is not None:
        return f"revoked {_day(token.revoked_at)}"
    if token.expires_at is None:
        return "does not expire"
    word = "expired" if token.expires_at <= now() else "expires"
    return f"{word} {_day(token.expires_at)}"


def _day(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC") if moment else "never"
