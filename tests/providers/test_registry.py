"""Which provider the settings choose."""

from types import SimpleNamespace
from typing import Any

import pytest

from trackcenter.providers import registry
from trackcenter.providers.acs.config import AcsConfig
from trackcenter.providers.acs.email import AcsEmail
from trackcenter.providers.acs.sms import AcsSms
from trackcenter.providers.base import ProviderFailure
from trackcenter.providers.msgraph.config import GraphConfig
from trackcenter.providers.msgraph.mail import GraphMail


def settings(**more: Any) -> SimpleNamespace:
    values = {
        "EMAIL_PROVIDER": "msgraph",
        "GRAPH_BASE_URL": "https://graph.microsoft.com/v1.0",
        "GRAPH_AUTHORITY": "https://login.microsoftonline.com",
        "GRAPH_TENANT_ID": "tenant",
        "GRAPH_CLIENT_ID": "client",
        "GRAPH_CLIENT_SECRET": "hush-graph",
        "GRAPH_CLIENT_STATE": "hush-state",
        "ACS_ENDPOINT": "https://contoso.communication.azure.com/",
        "ACS_ACCESS_KEY": "aHVzaC1hY3M=",
    }
    return SimpleNamespace(**values | more)


def test_the_settings_choose() -> None:
    assert isinstance(registry.email_provider(settings()), GraphMail)
    assert isinstance(registry.email_provider(settings(EMAIL_PROVIDER="acs")), AcsEmail)
    assert isinstance(registry.sms_provider(settings()), AcsSms)


def test_a_provider_and_its_token_live_as_long_as_its_settings() -> None:
    assert registry.graph_mail(settings()) is registry.graph_mail(settings())
    changed = settings(GRAPH_CLIENT_SECRET="other")
    assert registry.graph_mail(changed) is not registry.graph_mail(settings())


@pytest.mark.parametrize(
    ("lacks", "names"),
    [
        ({"EMAIL_PROVIDER": "pigeon"}, "acs or msgraph"),
        ({"GRAPH_TENANT_ID": ""}, "TRACKCENTER_GRAPH_TENANT_ID"),
        ({"GRAPH_BASE_URL": "http://graph.microsoft.com/v1.0"}, "TRACKCENTER_GRAPH_BASE_URL"),
        ({"EMAIL_PROVIDER": "acs", "ACS_ENDPOINT": None}, "TRACKCENTER_ACS_ENDPOINT"),
        ({"EMAIL_PROVIDER": "acs", "ACS_ACCESS_KEY": "not base64!"}, "TRACKCENTER_ACS_ACCESS_KEY"),
    ],
)
def test_what_lacks_is_named(lacks: dict[str, Any], names: str) -> None:
    with pytest.raises(ProviderFailure, match=names) as refused:
        registry.email_provider(settings(**lacks))
    assert refused.value.misconfigured


def test_secrets_are_not_shown() -> None:
    shown = repr(GraphConfig.from_settings(settings()))
    shown += repr(AcsConfig.from_settings(settings()))
    assert "hush" not in shown
