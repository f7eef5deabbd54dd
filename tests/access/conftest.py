"""People and buildings for the tests of access."""

import pytest
from pytest_django import Settings

from tests.access.people import PASSWORD, Place, place
from trackcenter.access import services
from trackcenter.access.models import Role, User


@pytest.fixture(autouse=True)
def quick_hasher(settings: Settings) -> None:
    """These tests try hundreds of passwords; argon2 is slow on purpose."""
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]


@pytest.fixture
def here(db: None) -> Place:
    return place("HERE")


@pytest.fixture
def elsewhere(db: None) -> Place:
    return place("ELSEWHERE")


@pytest.fixture
def admin(db: None) -> User:
    return services.create_user(
        "Anna", role=Role.ADMIN, password=PASSWORD, email="anna@example.org"
    )


@pytest.fixture
def viewer(here: Place) -> User:
    return services.create_user(
        "victor", role=Role.VIEWER, password=PASSWORD, buildings=[here.building.code]
    )
