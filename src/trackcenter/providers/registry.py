"""Which provider serves a channel: one line each. `docs/guides/add-a-provider.md` says the rest.

A provider lives as long as the process, with its connections and its token; changed settings
make another one.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from trackcenter.providers.acs.config import AcsConfig
from trackcenter.providers.acs.email import AcsEmail
from trackcenter.providers.acs.sms import AcsSms
from trackcenter.providers.base import EmailProvider, ProviderFailure, SmsProvider
from trackcenter.providers.msgraph.config import GraphConfig
from trackcenter.providers.msgraph.mail import GraphMail
from trackcenter.providers.wire import Pool


def email_provider(settings: Any, name: str | None = None) -> EmailProvider:
    """The provider called `name`, by default the one that `EMAIL_PROVIDER` names.

    ProviderFailure(misconfigured) says what lacks.
    """
    make = EMAIL.get(name or settings.EMAIL_PROVIDER)
    if make is None:
        raise ProviderFailure(
            f"TRACKCENTER_EMAIL_PROVIDER is {settings.EMAIL_PROVIDER!r}; "
            f"it can be {' or '.join(sorted(EMAIL))}.",
            code="configuration",
            misconfigured=True,
        )
    return make(settings)


def sms_provider(settings: Any) -> SmsProvider:
    """The provider of text messages: there is one so far."""
    return SMS["acs"](settings)


def graph_mail(settings: Any) -> GraphMail:
    """Graph itself, for reading inboxes and keeping subscriptions, whoever sends."""
    return _graph_mail(GraphConfig.from_settings(settings))


def acs_sms(settings: Any) -> AcsSms:
    """Azure's text messages themselves, for asking after a lost report."""
    return _acs_sms(AcsConfig.from_settings(settings))


def acs_email(settings: Any) -> AcsEmail:
    """Azure's mail itself."""
    return _acs_email(AcsConfig.from_settings(settings))


def forget() -> None:
    """Let the providers be made anew, without tokens and pauses, as another process makes them."""
    for make in (_graph_mail, _acs_sms, _acs_email):
        make.cache_clear()


@cache
def _pool() -> Pool:
    return Pool()


@cache
def _graph_mail(config: GraphConfig) -> GraphMail:
    return GraphMail(config, _pool())


@cache
def _acs_sms(config: AcsConfig) -> AcsSms:
    return AcsSms(config, _pool())


@cache
def _acs_email(config: AcsConfig) -> AcsEmail:
    return AcsEmail(config, _pool())


EMAIL: dict[str, Callable[[Any], EmailProvider]] = {
    "msgraph": graph_mail,
    "acs": acs_email,
}
SMS: dict[str, Callable[[Any], SmsProvider]] = {
    "acs": acs_sms,
}
