"""Sign-in by OpenID Connect (Entra ID or any other provider), and what it makes of people.

Whoever the provider lets in gets an account here, known by the provider's `sub` alone. Members of
`OIDC_ADMIN_GROUP` are administrators; everybody else is a viewer who sees nothing until an
administrator grants buildings. Both is decided anew at each sign-in, so that somebody who left the
group is no administrator the next time. Without `OIDC_ADMIN_GROUP` roles are kept here alone.

Entra ID names groups by their object id, in the claim `groups`, if the application's token
configuration says so; an application role (claim `roles`) works as well, and never overflows.
"""

import logging
from collections.abc import Mapping
from typing import Any

import requests
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from trackcenter.access.log import record
from trackcenter.access.models import Act, Role
from trackcenter.access.signin import message_page

log = logging.getLogger(__name__)

GROUP_CLAIMS = ("groups", "roles")


class OpenIDAccounts(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """allauth's way of making accounts, with our roles."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:  # noqa: ARG002
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:  # noqa: ARG002
        """Set the role. The claims themselves are not kept: they are the provider's to know."""
        user = sociallogin.user
        role = role_of(sociallogin.account.extra_data)
        # Only shown; an address is no account of ours, and two people may give the same one.
        sociallogin.email_addresses = []
        sociallogin.account.extra_data = {}
        if sociallogin.is_existing:
            sociallogin.account.save(update_fields=["extra_data"])
            if role is not None and user.role != role:
                user.role = role
                user.save(update_fields=["role"])
                record(user, Act.ROLE_CHANGED, user.pk, {"role": role.value, "by": "OpenID"})
        else:
            user.role = role or Role.VIEWER

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> Any:
        """Keep a newcomer."""
        user = super().save_user(request, sociallogin, form)
        EmailAddress.objects.filter(user=user).delete()
        record(user, Act.USER_CREATED, user.pk, {"role": user.role, "by": "OpenID"})
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,  # noqa: ARG002
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,  # noqa: ARG002
    ) -> None:
        log.warning(
            "sign-in by OpenID failed",
            extra={"reason": str(error), "error": type(exception).__name__},
        )
        raise ImmediateHttpResponse(message_page(request, "openid_failed", status=403))


def role_of(claims: Mapping[str, Any]) -> Role | None:
    """The role that the provider's claims give; None when roles are kept here alone.

    `claims` are allauth's: the ID token's and the user info's, each under its name.
    """
    group = settings.OIDC_ADMIN_GROUP
    if not group:
        return None
    for source in (claims.get("id_token"), claims.get("userinfo")):
        for name in GROUP_CLAIMS:
            said = source.get(name) if isinstance(source, Mapping) else None
            # A provider with a single group may send it bare.
            if group in (said if isinstance(said, list) else [said]):
                return Role.ADMIN
    return Role.VIEWER


@require_safe
@never_cache
def sign_in(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """On to the provider; from our own pages only, so that no other site can start a sign-in."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return HttpResponseRedirect(reverse("account_login"))
    try:
        response: HttpResponseBase = views.login(request, provider_id)
    except (requests.RequestException, ValueError, KeyError) as error:
        log.warning("the OpenID provider does not answer", extra={"error": type(error).__name__})
        return message_page(request, "openid_away", status=502)
    return response


@never_cache
def callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Back from the provider."""
    try:
        response: HttpResponseBase = views.callback(request, provider_id)
    except (ValueError, KeyError) as error:  # an answer without what the standard asks for
        log.warning("the OpenID provider's answer is odd", extra={"error": type(error).__name__})
        return message_page(request, "openid_failed", status=502)
    return response


@never_cache
def not_signed_in(request: HttpRequest) -> HttpResponseBase:
    """Where allauth leads when somebody turned back at the provider."""
    return message_page(request, "openid_failed", status=403)
