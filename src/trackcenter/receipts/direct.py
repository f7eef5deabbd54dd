"""The short way to the webhooks: past sessions, cookies, languages and CSRF, which they lack.

The routes stand in the API as well, for its document and for what is not a POST; this only saves
the most frequent request of all the detour. The host is checked as everywhere.
"""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, resolve

from trackcenter.kit.problems import problem_response

Answer = Callable[[HttpRequest], HttpResponseBase]
View = Callable[[HttpRequest], HttpResponse]
_PREFIX = "/api/track"


class DirectWebhooks:
    """A middleware that answers the providers' POSTs itself."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response
        self._routes: dict[str, tuple[View, ResolverMatch]] = {}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or not request.path.startswith(_PREFIX + "/providers/"):
            return self._get_response(request)
        route = (self._routes or self._find_routes()).get(request.path)
        if route is None:
            return self._get_response(request)
        view, request.resolver_match = route
        request.get_host()  # DisallowedHost becomes a 400
        response = self._answer(view, request)
        response.headers["Content-Length"] = str(len(response.content))
        return response

    def _answer(self, view: View, request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except RequestDataTooBig:
            return problem_response(413, detail="the body is too large")
        except (OperationalError, InterfaceError):
            return problem_response(503, detail="the database does not answer; try again")

    def _find_routes(self) -> dict[str, tuple[View, ResolverMatch]]:
        # When all is loaded, not when the middleware is made.
        from trackcenter.receipts import webhooks

        views = {
            "/providers/msgraph/email": webhooks.graph_email,
            "/providers/msgraph/sms": webhooks.sms,
            "/providers/acs/email": webhooks.acs_email,
        }
        self._routes = {
            _PREFIX + path: (view, resolve(_PREFIX + path, settings.ROOT_URLCONF))
            for path, view in views.items()
        }
        return self._routes
