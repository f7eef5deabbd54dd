"""Bearer tokens: 256 random bits behind `tc_`, of which only the SHA-256 is kept."""

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from django.db.models import Q

from trackcenter.access.models import ApiToken
from trackcenter.kit.clock import now

PREFIX: Final = "tc_"
"""Lets secret scanners (and people) recognise a token that ended up where it should not."""

_USE_IS_NOTED_EVERY: Final = timedelta(minutes=1)


def new_secret() -> str:
    """A fresh token."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a token. No salt, no slow hash: 256 random bits cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_token(secret: str) -> ApiToken | None:
    """The token with its user, if it is valid now: known, not revoked, not expired, user active.

    Its use is noted, at most once a minute.
    """
    if not secret.startswith(PREFIX):
        return None
    moment = now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=moment))
        .filter(secret_sha256=digest(secret), revoked_at=None, user__is_active=True)
        .first()
    )
    if token is None:
        return None
    if token.last_used_at is None or token.last_used_at < moment - _USE_IS_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=moment)
    return token
