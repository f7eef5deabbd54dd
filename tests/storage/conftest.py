"""One Azurite for all tests of storage; each gets a folder or a container of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from pytest_django import Settings

from tests.storage.azurite import Azurite, running_azurite
from tests.storage.places import Container, Folder, Place

Kind = TypeVar("Kind", bound=Place)


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    with running_azurite() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Folder:
    """Files are kept in a folder."""
    place = Folder(tmp_path / "kept files")
    configured(place, settings)
    return place


@pytest.fixture
def container(azurite: Azurite, settings: Settings) -> Container:
    """Files are kept at Azure Blob."""
    place = Container(azurite)
    configured(place, settings)
    return place


@pytest.fixture(params=["folder", "container"])
def place(request: pytest.FixtureRequest) -> Place:
    """Each kind of place in turn."""
    found: Place = request.getfixturevalue(request.param)
    return found


def configured(place: Place, settings: Settings) -> None:
    for name, value in place.settings.items():
        setattr(settings, name, value)
