import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.communications.factories import a_building
from trackcenter.buildings.models import Building, Unit, unit_sort_key


@pytest.mark.parametrize(
    "order",
    [
        ["2", "12", "12a", "100"],
        ["EG 1", "EG 2", "EG 10", "OG 1"],
        ["a2", "A10"],
        ["1.2", "1.10", "2.1"],
        ["", "0", "1"],
    ],
)
def test_units_sort_as_people_count(order: list[str]) -> None:
    assert sorted(order, key=unit_sort_key) == order


@given(st.text(max_size=64))
def test_any_number_has_a_key_that_fits(number: str) -> None:
    key = unit_sort_key(number)
    assert len(key) <= 200
    assert key == unit_sort_key(number)


@pytest.mark.django_db
def test_a_building_counts_its_units_by_itself() -> None:
    here, there = a_building("B1"), a_building("B2")
    Unit.objects.create(building=here, number="1", sort_key="1")
    Unit.objects.bulk_create(
        Unit(building=place, number=str(number), sort_key=str(number))
        for place in (here, there)
        for number in range(2, 5)
    )
    assert dict(Building.objects.values_list("code", "unit_count")) == {"B1": 4, "B2": 3}


@pytest.mark.django_db
def test_codes_and_numbers_are_unique() -> None:
    here = a_building("B1")
    Unit.objects.create(building=here, number="1", sort_key="1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Unit.objects.create(building=here, number="1", sort_key="1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Building.objects.create(code="B1", name="again")
