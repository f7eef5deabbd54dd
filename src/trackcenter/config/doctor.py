"""`trackcenter doctor`: what is misconfigured, and how to mend it.

`examine_environment` needs nothing but the variables; `examine_installation` needs Django set up.
"""

import base64
import binascii
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from trackcenter.config.environment import PREFIX, SettingsError, is_loopback, read_environment

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

State = Literal["ok", "warn", "fail"]
OLDEST_POSTGRESQL = 15
EXTENSIONS = ("btree_gin", "pg_trgm")

LONGEST_LEASE = 120
"""Seconds. Half of the four minutes in which Azure knows a text message again: what a worker that
died has begun must be repeated before."""

WAITED_LONG = 2
"""Minutes that a job may wait without a worker: a restart takes less."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `mend` says what to do about it, unless it is fine."""

    state: State
    what: str
    mend: str = ""

    def __str__(self) -> str:
        line = f"{self.state:<4}  {self.what}"
        return f"{line}\n      → {self.mend}" if self.mend else line


def exit_code(findings: Iterable[Finding]) -> int:
    """1 when something fails, 0 otherwise."""
    return int(any(finding.state == "fail" for finding in findings))


def examine_environment(environ: Mapping[str, str] | None = None) -> list[Finding]:
    """The `TRACKCENTER_` variables alone. If one fails there is nothing to go on with."""
    try:
        environment = read_environment(environ)
    except SettingsError as error:
        mend = "Correct or unset the variable; the operations guide lists every setting."
        return [Finding("fail", problem, mend) for problem in error.problems]
    if environment.production:
        return [Finding("ok", "settings are readable; this is a production server")]
    return [Finding("ok", "settings are readable; this server is for this machine alone")]


def examine_installation() -> list[Finding]:
    """Everything else: database, storage, providers, production. Django must be set up."""
    return [
        *_database(),
        *_workers(),
        *_storage(),
        *_scanner(),
        *examine_service_bus(),
        *_seals(),
        *_time_stamps(),
        *_accounts(),
        *_email(),
        *_notifications(),
        *_sms(),
        *_addresses(),
        *_deployment(),
    ]


def _missing(purpose: str, names: Iterable[str], state: State) -> Iterator[Finding]:
    from django.conf import settings

    missing = [PREFIX + name for name in names if not getattr(settings, name)]
    if missing:
        yield Finding(state, f"{purpose}: settings are missing", f"Set {', '.join(missing)}.")
    else:
        yield Finding("ok", f"{purpose}: settings are complete")


def _database() -> Iterator[Finding]:
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    from trackcenter.communications.triggers import APPEND_ONLY_TABLES

    try:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT current_setting('server_version_num')::int / 10000,
                       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                """
            )
            version, superuser = cursor.fetchone() or (0, False)
            cursor.execute(
                "SELECT extname FROM pg_extension WHERE extname = ANY(%s)", [list(EXTENSIONS)]
            )
            extensions = {row[0] for row in cursor.fetchall()}
            off = _tables_without_their_triggers(cursor)
        pending = MigrationExecutor(connection).migration_plan(
            MigrationExecutor(connection).loader.graph.leaf_nodes()
        )
    except DatabaseError:
        mend = f"Check {PREFIX}DATABASE_URL, and that the server is up and lets this machine in."
        yield Finding("fail", "the database does not answer", mend)
        return
    if version < OLDEST_POSTGRESQL:
        mend = f"Use PostgreSQL {OLDEST_POSTGRESQL} or newer."
        yield Finding("fail", f"PostgreSQL {version} is too old", mend)
    else:
        yield Finding("ok", f"PostgreSQL {version} answers")
    if superuser:
        mend = "Use a role without SUPERUSER: a superuser can switch the append-only rules off."
        yield Finding("warn", "the application is a superuser of the database", mend)
    if pending:
        mend = "`trackcenter serve` applies them when it starts."
        yield Finding("fail", f"{len(pending)} migrations are not applied yet", mend)
        return
    for name in EXTENSIONS:
        if name not in extensions:
            mend = f"As the database's owner: CREATE EXTENSION {name};"
            yield Finding("fail", f"the extension {name} is missing", mend)
    for table in off:
        rules = "append-only rules" if table in APPEND_ONLY_TABLES else "triggers that count"
        mend = f"ALTER TABLE {table} ENABLE TRIGGER USER; then `trackcenter audit verify`."
        yield Finding("fail", f"the {rules} of {table} are switched off or gone", mend)
    if not off:
        yield Finding("ok", "tables are up to date; events are append-only")


def _tables_without_their_triggers(cursor: "CursorWrapper") -> list[str]:
    """The tables that lack one of the triggers their models name, or have it switched off."""
    from django.apps import apps

    wanted = {
        (model._meta.db_table, trigger.get_pgid(model))
        for model in apps.get_models()
        for trigger in getattr(model._meta, "triggers", ())
    }
    cursor.execute(
        """
        SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE tgenabled IN ('O', 'A') AND pg_table_is_visible(tgrelid)
        """
    )
    return sorted({table for table, _ in wanted - set(cursor.fetchall())})


def _workers() -> Iterator[Finding]:
    """Whether somebody does the jobs that wait, and whether a dead worker is missed in time."""
    from django.conf import settings
    from django.db import DatabaseError, connection

    if settings.LEASE_SECONDS > LONGEST_LEASE:
        mend = f"Set {PREFIX}LEASE_SECONDS to {LONGEST_LEASE} or less; 30 is the default."
        what = (
            f"a send whose worker died is taken over after {settings.LEASE_SECONDS} seconds only, "
            "too late to repeat a text message safely"
        )
        yield Finding("warn", what, mend)
    alive = max(2 * settings.LEASE_SECONDS, 60)  # a worker says so four times a lease
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT count(*), extract(epoch FROM now() - min(due))::int / 60,
                       (SELECT count(*) FROM procrastinate_workers
                        WHERE last_heartbeat > now() - make_interval(secs => %s))
                FROM (
                    SELECT greatest(min(event.at), job.scheduled_at) AS due
                    FROM procrastinate_jobs AS job
                    JOIN procrastinate_events AS event
                        ON event.job_id = job.id AND event.type = 'deferred'
                    WHERE job.status = 'todo'
                    GROUP BY job.id
                ) AS waiting
                WHERE due < now() - make_interval(mins => %s)
                """,
                [alive, WAITED_LONG],
            )
            jobs, minutes, workers = cursor.fetchone() or (0, 0, 0)
    except DatabaseError:
        return  # said above
    if workers:
        yield Finding("ok", f"{workers} {'worker is' if workers == 1 else 'workers are'} at work")
    elif jobs:
        mend = "Start `trackcenter worker`; if its service runs, read its log."
        what = f"no worker is at work: {jobs} jobs wait, the oldest for {minutes} minutes"
        yield Finding("fail", what, mend)


def _scanner() -> Iterator[Finding]:
    from django.conf import settings

    from trackcenter.delivery_records.scanning import answers

    if not settings.CLAMD:
        return
    if answers(settings.CLAMD):
        yield Finding("ok", "the virus scanner answers")
    else:
        mend = f"Is clamd up, and listening at what {PREFIX}CLAMD says?"
        yield Finding("fail", "the virus scanner does not answer: uploads are refused", mend)


def _storage() -> Iterator[Finding]:
    from django.conf import settings

    from trackcenter.config.health import storage_trouble

    trouble = storage_trouble()
    if trouble:
        yield Finding("fail", trouble.what, trouble.mend)
    else:
        yield Finding("ok", "storage can be used")
    key = settings.DATA / "keys" / "secret_key"
    if key.is_file() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield Finding("fail", f"others can read {key}", f"chmod 600 {key}")


def _seals() -> Iterator[Finding]:
    """Whether events are sealed in time, and the newest seal is one of ours."""
    from django.db import DatabaseError

    from trackcenter.evidence import kept
    from trackcenter.evidence.keys import NoKey
    from trackcenter.evidence.sealed import OVERDUE
    from trackcenter.evidence.watch import look

    try:
        seen = look()
    except DatabaseError:
        return  # said above
    except NoKey as problem:
        mend = "The operations guide says how to keep and change the key (Seals)."
        yield Finding("fail", f"events cannot be sealed: {problem}", mend)
        return
    except kept.LogChanged as problem:
        yield Finding("fail", "events cannot be sealed", str(problem))
        return
    if seen.missed:
        own, what = seen.missed
        yield Finding("fail", f"seals are missing: {what}", kept.mend(own.path))
    elif seen.fault:
        mend = "Run `trackcenter audit verify`; the operations guide says what then (Audit)."
        yield Finding("fail", f"the newest seal does not hold: {seen.fault}", mend)
    elif seen.overdue:
        hours = OVERDUE.total_seconds() / 3600
        mend = "Is a worker without --channel running? `trackcenter audit seal` seals now."
        yield Finding("warn", f"events older than {hours:.0f} hours are not sealed", mend)
    elif seen.newest_at:
        when = f"{seen.newest_at:%Y-%m-%d %H:%M} UTC"
        yield Finding("ok", f"events are sealed, the last time {when}")


def _time_stamps() -> Iterator[Finding]:
    from django.conf import settings

    from trackcenter.evidence.stamps import NoTimeStamp, try_authority

    if not settings.TIME_STAMP_URL:
        return
    try:
        try_authority(settings.TIME_STAMP_URL)
    except NoTimeStamp as reason:
        mend = (
            f"Check {PREFIX}TIME_STAMP_URL, and that this machine may reach it; seals stand alone."
        )
        yield Finding("warn", f"seals get no time-stamp: {reason}", mend)
    else:
        yield Finding("ok", "the time-stamping authority answers")


def examine_service_bus() -> Iterator[Finding]:
    """Whether every topic can be written and read, where they are in use."""
    from django.conf import settings

    from trackcenter.queue.servicebus.broker import SUBSCRIPTION, examine, reachable

    if settings.QUEUE != "servicebus":
        return
    name = f"{PREFIX}SERVICEBUS_CONNECTION_STRING"
    if not reachable():
        mend = f"Check the Endpoint in {name}, and that this machine may connect to it (port 5671)."
        yield Finding("fail", "the Service Bus does not answer", mend)
        return
    refused = examine()
    for topic in refused:
        mend = (
            f"Make it, with a subscription {SUBSCRIPTION}; or {name} is not of a rule that may "
            "Listen and Send on the whole namespace."
        )
        yield Finding("fail", f"the topic {topic} of the Service Bus cannot be used", mend)
    if not refused:
        yield Finding("ok", "every topic of the Service Bus can be used")


def _accounts() -> Iterator[Finding]:
    from django.db import DatabaseError

    from trackcenter.access.models import Role, User

    yield from _openid()
    try:
        known = User.objects.filter(role=Role.ADMIN, is_active=True).exists()
    except DatabaseError:
        return  # said above
    if known:
        yield Finding("ok", "there is an administrator")
    else:
        yield Finding(
            "warn", "nobody can administer", "Run `trackcenter createadmin --username NAME`."
        )


def _openid() -> Iterator[Finding]:
    """Whether the OpenID provider answers, as whom, and what it makes of people."""
    import requests
    from django.conf import settings

    if not settings.OIDC_SERVER_URL:
        return
    address = f"{settings.OIDC_SERVER_URL}/.well-known/openid-configuration"
    try:
        answer = requests.get(address, timeout=10)
        answer.raise_for_status()
        issuer = str(answer.json()["issuer"]).rstrip("/")
    except (requests.RequestException, ValueError, KeyError, TypeError):
        mend = f"{PREFIX}OIDC_SERVER_URL must be the issuer; this machine asks {address}."
        yield Finding("fail", "the OpenID provider does not answer", mend)
        return
    if issuer != settings.OIDC_SERVER_URL:
        mend = f"Set {PREFIX}OIDC_SERVER_URL to {issuer}."
        yield Finding("warn", "the OpenID provider calls itself by another address", mend)
    else:
        yield Finding("ok", "the OpenID provider answers")
    if not settings.OIDC_ADMIN_GROUP:
        mend = f"Set {PREFIX}OIDC_ADMIN_GROUP, or make them administrators on the users' page."
        yield Finding("warn", "everybody who signs in by OpenID is a viewer at first", mend)


def _email() -> Iterator[Finding]:
    from django.conf import settings

    from trackcenter.providers.msgraph.config import credentials_needed

    if settings.EMAIL_PROVIDER == "acs":
        yield from _missing(
            "e-mail by ACS", ("ACS_ENDPOINT", "ACS_ACCESS_KEY", "EMAIL_FROM"), "warn"
        )
    else:
        yield from _missing(
            "e-mail by Graph",
            [*credentials_needed(settings), "GRAPH_MAILBOX", "GRAPH_CLIENT_STATE"],
            "warn",
        )


def _notifications() -> Iterator[Finding]:
    """Whether Graph tells us about new mail: without it bounces come by the hourly look alone."""
    from django.conf import settings
    from django.db import DatabaseError

    from trackcenter.providers.base import ProviderFailure
    from trackcenter.providers.msgraph.config import credentials_needed
    from trackcenter.queue.retry import RetryAt
    from trackcenter.receipts.subscriptions import examine, watched_mailboxes

    if settings.EMAIL_PROVIDER != "msgraph":
        return
    try:
        complete = all(getattr(settings, name) for name in credentials_needed(settings))
        if not (complete and watched_mailboxes()):
            return  # said above, or below under the public address
        watches = examine()
    except DatabaseError:
        return  # said above
    except ProviderFailure as failure:
        mend = "Check GRAPH_* and what the application may do (Mail.ReadWrite, Mail.Send)."
        code = f" ({failure.code})" if failure.code else ""
        yield Finding("fail", f"Microsoft Graph cannot be used: {failure}{code}", mend)
        return
    except RetryAt as busy:
        yield Finding("warn", f"Microsoft Graph was not asked: {busy}", "Ask again in a minute.")
        return
    for watch in watches:
        if watch.expires_at is None:
            mend = "While the server runs: `trackcenter subscriptions ensure`."
            what = f"Graph does not tell of new mail of {watch.mailbox}: no subscription lives"
            yield Finding("warn", what, mend)
        else:
            until = f"{watch.expires_at:%Y-%m-%d %H:%M} UTC"
            yield Finding("ok", f"Graph tells of new mail of {watch.mailbox} until {until}")


def _sms() -> Iterator[Finding]:
    from django.conf import settings

    yield from _missing("SMS by ACS", ("ACS_ENDPOINT", "ACS_ACCESS_KEY", "SMS_FROM"), "warn")
    if settings.ACS_ACCESS_KEY:
        try:
            base64.b64decode(settings.ACS_ACCESS_KEY, validate=True)
        except (binascii.Error, ValueError):
            mend = f"Copy {PREFIX}ACS_ACCESS_KEY from the portal again; it is base64."
            yield Finding("fail", "the access key of ACS is not base64", mend)
    if not settings.EVENTGRID_SECRETS:
        mend = f"Set {PREFIX}EVENTGRID_SECRETS and the same secret in Event Grid's subscription."
        yield Finding("warn", "delivery reports of SMS are refused: no secret is set", mend)


def _addresses() -> Iterator[Finding]:
    from django.conf import settings
    from django.http.request import validate_host

    if not settings.PUBLIC_URL:
        mend = f"Set {PREFIX}PUBLIC_URL to the https address the providers can reach."
        yield Finding("warn", "providers cannot call back: there is no public address", mend)
        return
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    host = f"[{host}]" if ":" in host else host
    if not validate_host(host, settings.ALLOWED_HOSTS):
        mend = f"Add {host} to {PREFIX}ALLOWED_HOSTS."
        yield Finding("fail", "the public address is not among the allowed hosts", mend)
    if "*" in settings.ALLOWED_HOSTS:
        mend = f"Name the hosts in {PREFIX}ALLOWED_HOSTS."
        yield Finding("warn", "any host name is allowed", mend)
    if not settings.BEHIND_TLS and not is_loopback(host):
        mend = f"Put a TLS proxy in front and begin {PREFIX}PUBLIC_URL with https."
        yield Finding("warn", "passwords travel unencrypted: the address is plain http", mend)


def _deployment() -> Iterator[Finding]:
    """Django's own checks; those for deployment count where this is one, behind TLS."""
    from django.conf import settings
    from django.core import checks

    deployed = settings.PRODUCTION and settings.BEHIND_TLS
    found = [
        message
        for message in checks.run_checks(include_deployment_checks=deployed)
        if not message.is_silenced()
    ]
    for message in found:
        state: State = "fail" if deployed or message.level >= checks.ERROR else "warn"
        yield Finding(state, f"{message.id}: {message.msg}", str(message.hint or ""))
    if not found:
        yield Finding("ok", "Django's checks find nothing" + (" (deployment)" if deployed else ""))
