"""The OpenID provider of the environment in allauth's shape."""

from typing import Any, Final

from trackcenter.config.environment import Environment

PROVIDER_ID: Final = "oidc"
"""Part of the address to be registered at the provider:
`PUBLIC_URL/accounts/oidc/login/callback/`."""


def openid_providers(environment: Environment) -> dict[str, Any]:
    """For `SOCIALACCOUNT_PROVIDERS`: one provider, or none when it is not set up.

    The code flow with PKCE (RFC 7636). `OIDC_SERVER_URL` is the issuer, below which its
    configuration lies (OpenID Connect Discovery 1.0, section 4).
    """
    if not environment.oidc_server_url:
        return {}
    app = {
        "provider_id": PROVIDER_ID,
        "name": "OpenID Connect",
        "client_id": environment.oidc_client_id,
        "secret": environment.oidc_client_secret,
        "settings": {"server_url": environment.oidc_server_url},
    }
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
