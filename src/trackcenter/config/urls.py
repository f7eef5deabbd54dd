"""Every address of the server."""

from allauth.account import views as account
from django.urls import URLPattern, URLResolver, include, path

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
    path("api/", api.urls),
    path("", include("trackcenter.storage.urls")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
]

handler404 = "trackcenter.config.page.not_found"
handler429 = "trackcenter.access.signin.too_many_requests"
handler500 = "trackcenter.config.page.broken"
