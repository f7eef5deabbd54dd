"""Sign-in by django-allauth, as this house wants it."""

import unicodedata
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import lazystr
from django.utils.translation import get_language

from trackcenter.access.log import record
from trackcenter.access.models import Act, User
from trackcenter.access.words import words_in


class Said:
    """A word of `words.py` in the language of whoever reads it."""

    def __init__(self, word: str) -> None:
        self._word = word

    def __str__(self) -> str:
        return words_in(get_language())[self._word]


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up, and an account is locked under every name it can be called by."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": lazystr(Said("wrong")),
        "email_password_mismatch": lazystr(Said("wrong")),
        "too_many_login_attempts": lazystr(Said("locked")),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:  # noqa: ARG002
        return f"{reverse('mfa_index')}?done=password_changed"

    def login(self, request: HttpRequest, user: User) -> None:
        """The last of all steps: every way in comes by here."""
        super().login(request, user)
        record(user, Act.SIGNED_IN, user.pk)

    def _get_login_attempts_cache_key(
        self,
        request: HttpRequest,  # noqa: ARG002
        **credentials: Any,
    ) -> str:
        """One key an account, not a spelling: else each of its names would have tries of its own.

        allauth's default also mixes in the Host header, which the visitor chooses.
        """
        login = str(credentials.get("email") or credentials.get("username") or "")
        login = unicodedata.normalize("NFKC", login).strip().casefold()
        users = User.objects.filter(username__iexact=login)
        user = users.first() or User.objects.filter(email__iexact=login).order_by("pk").first()
        return f"user:{user.pk}" if user else f"nobody:{login}"


def page_words(_request: HttpRequest) -> dict[str, Any]:
    """Context processor: `words` in the visitor's language, and whether there is OpenID."""
    return {"words": words_in(get_language()), "openid": bool(settings.SOCIALACCOUNT_PROVIDERS)}


def message_page(request: HttpRequest, word: str, *, status: int) -> HttpResponse:
    """A page that says one thing: `WORD_heading` and `WORD_text` of `words.py`."""
    words = words_in(get_language())
    page = {"heading": words[f"{word}_heading"], "text": words[f"{word}_text"]}
    response = render(request, "account/message.html", page, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def csrf_failure(
    request: HttpRequest,
    reason: str = "",  # noqa: ARG001
) -> HttpResponse:
    """The page for a form without its CSRF token: usually one left open over a new sign-in."""
    return message_page(request, "stale", status=403)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """`handler429` of allauth: one address asked too often."""
    return message_page(request, "busy", status=429)
