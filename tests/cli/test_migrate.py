"""The role that serves and works where the tables belong to another (decision 16)."""

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from tests.communications.factories import a_bill
from trackcenter.cli.start import grant
from trackcenter.communications.triggers import APPEND_ONLY_TABLES

pytestmark = pytest.mark.django_db


@pytest.fixture
def app() -> str:
    """A new role without any right."""
    with connection.cursor() as cursor:
        cursor.execute('CREATE ROLE "app-of-a-test"')
    return "app-of-a-test"


def test_the_other_role_may_write_everything_but_change_no_history(app: str) -> None:
    grant(app)
    grant(app)
    with connection.cursor() as cursor:
        cursor.execute(f'SET LOCAL ROLE "{app}"')
        a_bill()
        cursor.execute("UPDATE buildings SET name = name")
        assert cursor.rowcount == 1
        for table in APPEND_ONLY_TABLES:
            for change in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(DatabaseError) as refused, transaction.atomic():
                    cursor.execute(change)
                assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
        cursor.execute("RESET ROLE")


def test_a_role_that_is_not_there_is_said() -> None:
    with pytest.raises(DatabaseError, match="does not exist"):
        grant("nobody-of-that-name")
