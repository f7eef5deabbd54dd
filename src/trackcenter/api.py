"""The API's assembly: routers, the one guard, problem documents, OpenAPI. Nothing else."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.docs import Swagger
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation, PathView

from trackcenter import __version__
from trackcenter.access.api import router as access
from trackcenter.access.guard import admin_only
from trackcenter.access.log import READINGS, record_reading
from trackcenter.access.request import actor
from trackcenter.batches.api import router as batches
from trackcenter.buildings.api import router as buildings
from trackcenter.communications.api import router as communications
from trackcenter.delivery.api import router as senders
from trackcenter.delivery.branding.api import router as templates
from trackcenter.delivery.dead_letters.api import router as dead_letters
from trackcenter.delivery_records.api import router as delivery_records
from trackcenter.evidence.api import router as evidence
from trackcenter.exports.api import router as exports
from trackcenter.imports.api import router as imports
from trackcenter.kit.errors import InputError, Problem, Sentence, TrackCenterError
from trackcenter.kit.problems import problem_response
from trackcenter.kit.wire import shape_fault
from trackcenter.receipts.api import router as receipts
from trackcenter.receipts.webhooks import router as webhooks
from trackcenter.retention.api import router as retention

CODED = {
    "code": {"type": "string", "description": "which rule it was; stays when the words change"},
    "values": {
        "type": "object",
        "description": "what the words quote, by name",
        "additionalProperties": {"type": ["string", "integer"]},
    },
}
PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        **CODED,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "msg"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"},
                    **CODED,
                },
            },
        },
    },
}
PROBLEMS = {
    "400": "The request cannot be read",
    "401": "Who are you?",
    "403": "You may not do this",
    "404": "There is no such thing, or not for you",
    "409": "Not possible in its present state",
    "411": "Say how long the body is",
    "413": "Too large",
    "422": "The input is not valid",
    "429": "Too many wrong secrets; wait",
    "503": "The server's database does not answer; try again",
}


class Docs(Swagger):
    """The page that shows the API: Swagger UI from our own files, under our own CSP.

    Like the document it shows, it holds nothing of anybody's, so both may be seen by everybody;
    trying an operation out there needs a session or a token like everywhere else.
    """

    def render_page(self, request: HttpRequest, api: NinjaAPI, **options: Any) -> HttpResponse:
        settings = {**self.settings, "url": self.get_openapi_url(api, options)}
        context = {"swagger_settings": json.dumps(settings), "api": api, "add_csrf": True}
        return render(request, self.template, context)


class TrackCenterAPI(NinjaAPI):
    """django-ninja with problem documents in OpenAPI and no room for misspelt parameters."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        schema["components"].setdefault("schemas", {})["Problem"] = PROBLEM
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, description in PROBLEMS.items():
                    answer = {"description": description, "content": content}
                    operation["responses"].setdefault(status, answer)
        return schema

    def be_strict(self) -> None:
        """Make every operation answer 422 to a query parameter it does not know and speak
        camelCase in the document, too, and every path answer 405 as a problem document."""
        # ninja answers with copies of the routers' operations, made when they are bound to the API.
        for router in self._get_bound_routers():
            for view in router.path_operations.values():
                _refuse_other_methods(view)
                for operation in view.operations:
                    operation.by_alias = True
                    _refuse_unknown_parameters(operation)

    def record_readings(self) -> None:
        """Make every operation of `READINGS` leave a line in the access log before it answers."""
        for router in self._get_bound_routers():
            for view in router.path_operations.values():
                for operation in view.operations:
                    if operation.operation_id in READINGS:
                        _record_reading(operation)


def _refuse_other_methods(view: PathView) -> None:
    allowed = ", ".join(sorted({name for one in view.operations for name in one.methods}))

    def refused() -> HttpResponse:
        response = problem_response(405, detail=f"this address knows {allowed} only")
        response.headers["Allow"] = allowed
        return response

    view._not_allowed = refused  # type: ignore[method-assign]


def _record_reading(operation: Operation) -> None:
    act, subject = READINGS[str(operation.operation_id)]
    run = operation.run

    def recorded(request: HttpRequest, **values: Any) -> HttpResponseBase:
        response = run(request, **values)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            return response
        try:
            whose = UUID(str(values[subject])) if subject else None
            record_reading(actor(request), act, whose)
        except (OperationalError, InterfaceError) as error:
            return api.on_exception(request, error)
        return response

    operation.run = recorded  # type: ignore[method-assign]


def _refuse_unknown_parameters(operation: Operation) -> None:
    known = {
        name
        for model in operation.models
        if model.__ninja_param_source__ == "query"
        for name in model.__ninja_flatten_map__
    }
    run = operation.run

    def checked(request: HttpRequest, **values: Any) -> HttpResponseBase:
        unknown = sorted(request.GET.keys() - known)
        if not unknown:
            return run(request, **values)
        problems = [Problem(("query", name), "unknown parameter") for name in unknown]
        # Who may not ask at all is told so first.
        refusal = operation._run_checks(request)
        return refusal or api.on_exception(request, InputError(problems))

    if operation.auth_callbacks:  # a webhook's sender may add what it likes
        operation.run = checked  # type: ignore[method-assign]


api = TrackCenterAPI(
    title="Track Center",
    version=__version__,
    description="The delivery history of every bill: who got it, when, and how we know.",
    auth=admin_only,
    docs=Docs(),
    docs_url="/docs",
    openapi_url="/openapi.json",
)
for router in (
    buildings,
    communications,
    delivery_records,
    evidence,
    imports,
    batches,
    exports,
    retention,
    templates,
    access,
    senders,
    dead_letters,
    receipts,
    webhooks,
):
    api.add_router("/track", router)
api.record_readings()
api.be_strict()


@api.exception_handler(TrackCenterError)
def _rule(_: HttpRequest, error: TrackCenterError) -> HttpResponse:
    problems = error.problems if isinstance(error, InputError) else None
    return problem_response(error.status, title=error.title, detail=error.words, errors=problems)


@api.exception_handler(ValidationError)
def _invalid(_: HttpRequest, error: ValidationError) -> HttpResponse:
    problems = [Problem(_place(one["loc"]), shape_fault(one)) for one in error.errors]
    return problem_response(422, title=InputError.title, errors=problems)


def _place(loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """`("body", "note")` for what ninja calls `("body", "body", "note")`: the second is our
    argument's name, which says nothing to a caller."""
    source, *rest = loc
    return (source, *rest[1:]) if rest[:1] == [source] and rest[1:] else tuple(loc)


@api.exception_handler(AuthenticationError)
def _stranger(_: HttpRequest, __: AuthenticationError) -> HttpResponse:
    return problem_response(401, detail="sign in, or send a bearer token that is valid")


@api.exception_handler(RequestDataTooBig)
def _too_big(_: HttpRequest, __: RequestDataTooBig) -> HttpResponse:
    return problem_response(413, detail=Sentence("the body is too large", "bodyTooLarge"))


@api.exception_handler(UnreadablePostError)
def _broken_off(_: HttpRequest, __: UnreadablePostError) -> HttpResponse:
    return problem_response(400, detail="the connection ended before the body did")


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def _database_away(_: HttpRequest, __: Exception) -> HttpResponse:
    words = Sentence("the database does not answer; try again", "databaseAway")
    return problem_response(503, detail=words)


@api.exception_handler(HttpError)
def _http(_: HttpRequest, error: HttpError) -> HttpResponse:
    return problem_response(error.status_code, detail=str(error))
