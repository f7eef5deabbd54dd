"""What the provider's claims make of somebody."""

from typing import Any

import pytest
from pytest_django import Settings

from trackcenter.access.models import Role
from trackcenter.access.openid import role_of
from trackcenter.config.environment import read_environment
from trackcenter.config.openid import openid_providers

GROUP = "7d6a1f0e-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"id_token": {"groups": ["other", GROUP]}}, Role.ADMIN),
        ({"id_token": {"groups": GROUP}}, Role.ADMIN),
        ({"id_token": {"roles": [GROUP]}, "userinfo": {}}, Role.ADMIN),
        ({"id_token": {}, "userinfo": {"groups": [GROUP]}}, Role.ADMIN),
        ({"id_token": {"groups": [GROUP.upper()]}}, Role.VIEWER),
        ({"id_token": {"groups": f"{GROUP},other"}}, Role.VIEWER),
        # Entra ID with too many groups sends a link instead of them.
        ({"id_token": {"_claim_names": {"groups": "src1"}}}, Role.VIEWER),
        ({"id_token": {"groups": None}}, Role.VIEWER),
        ({"id_token": {"groups": {GROUP: True}}}, Role.VIEWER),
        ({}, Role.VIEWER),
    ],
)
def test_only_the_group_itself_makes_an_administrator(
    claims: dict[str, Any], role: Role, settings: Settings
) -> None:
    settings.OIDC_ADMIN_GROUP = GROUP
    assert role_of(claims) == role


def test_without_a_group_roles_are_kept_here_alone(settings: Settings) -> None:
    settings.OIDC_ADMIN_GROUP = None
    assert role_of({"id_token": {"groups": [None, "", GROUP]}}) is None


def test_the_provider_is_asked_with_pkce_and_only_when_it_is_set_up() -> None:
    assert openid_providers(read_environment({})) == {}
    names = {"SERVER_URL": "https://login.example", "CLIENT_ID": "me", "CLIENT_SECRET": "secret"}
    environ = {f"TRACKCENTER_OIDC_{name}": value for name, value in names.items()}
    made = openid_providers(read_environment(environ))["openid_connect"]
    assert made["OAUTH_PKCE_ENABLED"]
    assert made["APPS"][0]["settings"] == {"server_url": "https://login.example"}
