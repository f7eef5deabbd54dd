"""`/tokens`: what is out there, and an end to it. Tokens are made at the command line or by an
administrator's screen, never by a token."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from trackcenter.access import selectors, services
from trackcenter.access.request import actor
from trackcenter.access.schemas import TokenOut, TokenPage, TokenQuery
from trackcenter.kit.wire import respond

router = Router(tags=["access"])


@router.get("/tokens", operation_id="listTokens", response=TokenPage)
def get_tokens(request: HttpRequest, query: Query[TokenQuery]) -> HttpResponse:
    """Tokens, newest first: an administrator sees everybody's, anybody else their own."""
    return respond(selectors.list_tokens(actor(request), **query.dict()))


@router.post("/tokens/{token_id}/revoke", operation_id="revokeToken", response=TokenOut)
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End a token now; ending it again changes nothing."""
    token = services.revoke_token(token_id, by=actor(request))
    return respond(selectors.describe_tokens([token])[0])
