"""Every address of the server."""

from allauth.account import views as account
from allauth.mfa.base import views as second_step
from django.urls import URLPattern, URLResolver, include, path

from trackcenter.access import openid
from trackcenter.api import api
from trackcenter.config import health, page

urlpatterns: list[URLPattern | URLResolver] = [
    path("", page.root),
    path("track", page.track, name="track"),
    path("track/", page.track),
    # Of allauth's pages only these: nobody signs up, and mail is for bills.
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path("accounts/turned-back/", openid.not_signed_in, name="socialaccount_login_cancelled"),
    path("accounts/second-step/", second_step.authenticate, name="mfa_authenticate"),
    path("accounts/<slug:provider_id>/login/", openid.sign_in, name="openid_connect_login"),
    path(
        "accounts/<slug:provider_id>/login/callback/",
        openid.callback,
        name="openid_connect_callback",
    ),
    path("account/", include("trackcenter.access.urls.account")),
    path("users/", include("trackcenter.access.urls.users")),
    path("api/", api.urls),
    path("", include("trackcenter.storage.urls")),
    path("", include("trackcenter.delivery.branding.passing")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
]

handler400 = "trackcenter.config.page.unreadable"
handler404 = "trackcenter.config.page.not_found"
handler429 = "trackcenter.access.signin.too_many_requests"
handler500 = "trackcenter.config.page.broken"
