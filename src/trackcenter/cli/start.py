"""What a command needs before it can work: settings, a database, Django."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console

from trackcenter import embedded
from trackcenter.config.environment import SettingsError, read_environment

if TYPE_CHECKING:
    from psycopg import sql

console = Console(stderr=True, highlight=False)
"""For people; standard output is for what another program may read."""


def stop(message: str, code: int = 1) -> NoReturn:
    """End the program with a sentence."""
    console.print(message, style="red", markup=False)
    sys.exit(code)


@contextmanager
def application() -> Iterator[None]:
    """Django, on the external database or on the embedded one, which runs as long as this does."""
    try:
        environment = read_environment(os.environ)
    except SettingsError as error:
        stop(str(error), 2)
    if environment.database_url or "_TRACKCENTER_EMBEDDED_APP_URL" in os.environ:
        _setup()
        yield
        return
    try:
        with embedded.running(environment.data) as server:
            os.environ["_TRACKCENTER_EMBEDDED_APP_URL"] = server.app_url
            os.environ["_TRACKCENTER_EMBEDDED_OWNER_URL"] = server.owner_url
            _setup()
            yield
    except embedded.EmbeddedError as error:
        stop(str(error))


def without_database() -> None:
    """Django for a command that asks the database nothing: none is started or reached."""
    try:
        read_environment(os.environ)
    except SettingsError as error:
        stop(str(error), 2)
    _setup()


def _setup() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trackcenter.config.settings")
    import django

    try:
        django.setup()
    except SettingsError as error:  # of what is kept on the disk
        stop(str(error), 2)


def reach(*, wait: bool = False) -> None:
    """Return once the database answers. Where it does not, end with a sentence, or (`wait`) say it
    once and try again until SIGTERM ends the program."""
    import psycopg
    from django.db import connections

    known = connections[migrating_alias()].get_connection_params()
    said = False
    with _ended_by_sigterm() if wait else nullcontext():
        while True:
            try:
                psycopg.connect(**{"connect_timeout": _PATIENCE, **known}).close()
                break
            except psycopg.OperationalError:
                # Its own words stand in the server's log; they are not repeated here.
                sentence = (
                    f"The database does not answer: {place()}. Check TRACKCENTER_DATABASE_URL, and "
                    "that the server is up and lets this machine in."
                )
                if not wait:
                    stop(sentence)
                if not said:
                    console.print(f"{sentence} Waiting for it.", style="red", markup=False)
                    said = True
                time.sleep(1)
    if said:
        console.print("The database answers.", markup=False)


_PATIENCE = 10
"""Seconds that one try to connect may take, unless the address says otherwise."""


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the program at once, also where it is the first of a container, for which the
    system has no such default."""
    if os.getpid() != 1:
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def place() -> str:
    """Which database this is, for people: without user and password."""
    from django.conf import settings

    if not settings.ENVIRONMENT.database_url:
        return f"the embedded database in {settings.DATA}"
    known = settings.DATABASES["default"]
    host = known["HOST"] or known["OPTIONS"].get("hostaddr") or "this machine"
    return f"the database {known['NAME']} on {host}"


def migrate(verbosity: int = 0, *, wait: bool = False) -> None:
    """Bring the database up to date, as its owner where that is another role.

    Several processes may do this at once: one works, the others wait. A database that does not
    answer ends the program with a sentence, or is waited for.
    """
    reach(wait=wait)
    from django.core.management import call_command
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    alias = migrating_alias()
    executor = MigrationExecutor(connections[alias])
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        connections[alias].close()
        return
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('trackcenter migrate'))")
        try:
            with _told_apart():
                call_command("migrate", database=alias, verbosity=verbosity, interactive=False)
                call_command("createcachetable", database=alias, verbosity=0)
                protect(alias)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('trackcenter migrate'))")
    connections[alias].close()


@contextmanager
def _told_apart() -> Iterator[None]:
    """A role that may not migrate is no fault of the migrations: it ends with a sentence."""
    from django.db import ProgrammingError
    from psycopg.errors import InsufficientPrivilege

    try:
        yield
    except ProgrammingError as error:
        if not isinstance(error.__cause__, InsufficientPrivilege):
            raise
        stop(
            "The database is of an earlier version, and this role may not bring it up to date. "
            "Run `trackcenter migrate --role ROLE` as the owner of its tables, ROLE being this one."
        )


def migrating_alias() -> str:
    """The connection that owns the tables: the embedded server's owner, else the only one."""
    from django.db import connections

    return "owner" if "owner" in connections else "default"


def protect(alias: str) -> None:
    """Take from the application's role what the append-only tables do not allow anyway.

    The triggers refuse it too; without the right, a dropped trigger helps nobody.
    """
    from django.db import connections

    if alias != "owner":
        return
    with connections[alias].cursor() as cursor:
        cursor.execute(_protection("trackcenter"))


def grant(role: str) -> None:
    """Let another role serve and work on this database: everything but history's change.

    For an external database whose tables belong to the role that migrates. Raises DatabaseError
    when there is no such role, or we may not grant.
    """
    from django.db import connections, transaction
    from psycopg import sql

    alias = migrating_alias()
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
        ):
            cursor.execute(sql.SQL(statement).format(sql.Identifier(role)))
        cursor.execute(_protection(role))


def _protection(role: str) -> "sql.Composed":
    from psycopg import sql

    from trackcenter.communications.triggers import APPEND_ONLY_TABLES

    tables = sql.SQL(", ").join(map(sql.Identifier, APPEND_ONLY_TABLES))
    revoke = sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}")
    return revoke.format(tables, sql.Identifier(role))
