"""Migrations: none is missing, and each can be taken back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

ELSEWHERE = "migrations"


@pytest.mark.django_db
def test_no_model_changed_without_its_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.fixture
def copied_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The alias of a copy of the tests' own database, migrated and empty."""
    with django_db_blocker.unblock():
        settings = connection.settings_dict
        name = f"{settings['NAME']}_{ELSEWHERE}"
        original, copy = sql.Identifier(settings["NAME"]), sql.Identifier(name)
        connection.close()  # nobody may be in a database that is copied
        with connection._nodb_cursor() as cursor:
            # Threads of an earlier test's worker may have left theirs open.
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [settings["NAME"]],
            )
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(copy))
            cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, original))
        connections.databases[ELSEWHERE] = {**settings, "NAME": name}
        yield ELSEWHERE
        connections[ELSEWHERE].close()
        del connections[ELSEWHERE]
        del connections.databases[ELSEWHERE]
        with connection._nodb_cursor() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE {}").format(copy))


def schema(alias: str) -> set[tuple[object, ...]]:
    """Every column, constraint, index and trigger of the public schema."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            """
            SELECT 'column', table_name::text, column_name::text,
                   data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '')
            FROM information_schema.columns WHERE table_schema = 'public'
            UNION ALL
            SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid)
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 't'
            UNION ALL
            SELECT 'index', tablename::text, indexname::text, indexdef
            FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL
            SELECT 'trigger', tgrelid::regclass::text, tgname::text, pg_get_triggerdef(oid)
            FROM pg_trigger WHERE NOT tgisinternal
            """
        )
        return set(cursor.fetchall())


@pytest.mark.slow
def test_names_of_old_bills_get_their_place_in_the_order(copied_database: str) -> None:
    connection_ = connections[copied_database]
    executor = MigrationExecutor(connection_)
    before = [("communications", "0004_attachment_thumbnail_sha256")]
    executor.migrate(before)
    old = executor.loader.project_state(before).apps

    def make(app: str, model: str, **fields: object) -> Any:
        return old.get_model(app, model).objects.using(copied_database).create(**fields)

    building = make("buildings", "Building", code="B1", name="B1")
    batch = make("communications", "Batch", building=building, year=2024)
    for number, name in enumerate(["Öztürk", "de Vries"]):
        unit = make("buildings", "Unit", building=building, number=str(number), sort_key=number)
        of = {"batch": batch, "unit": unit}
        snapshot = make("communications", "BillingSnapshot", **of, version=1, row={}, sha256="")
        search = f"{number}\n{name}"
        place = {"recipient_name": name, "sort_key": number, "search": search}
        make("communications", "UnitBill", **of, snapshot=snapshot, **place)
    call_command("migrate", database=copied_database, verbosity=0)
    with connection_.cursor() as cursor:
        cursor.execute("SELECT name_key, search FROM unit_bills ORDER BY name_key")
        assert cursor.fetchall() == [
            ("de vries", "1\nde Vries"),
            ("ozturk", "0\nÖztürk\nozturk"),
        ]


@pytest.mark.slow
def test_every_migration_goes_up_down_and_up_again(copied_database: str) -> None:
    alias = copied_database
    ours = [one for one in apps.get_app_configs() if one.name.startswith("trackcenter.")]
    whole = schema(alias)
    executor = MigrationExecutor(connections[alias])
    with_migrations = executor.loader.migrated_apps & {one.label for one in ours}
    assert len(with_migrations) >= 9
    executor.migrate([(label, None) for label in sorted(with_migrations)])
    left = set(connections[alias].introspection.table_names())
    assert left.isdisjoint({model._meta.db_table for one in ours for model in one.get_models()})
    call_command("migrate", database=alias, verbosity=0)
    assert schema(alias) == whole
