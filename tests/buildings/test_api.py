from typing import Any

import pytest
from django.test import Client

from tests.api_client import api_client, every_page, get, places
from tests.communications.factories import a_bill, a_building, an_event
from trackcenter.communications.payloads import Delivered, Failed, Sent, Trouble
from trackcenter.kit.ids import new_id
from trackcenter.kit.pagination import encode_cursor

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Client:
    return api_client()


def codes(page: Any) -> list[str]:
    return [item["code"] for item in page["items"]]


def test_no_buildings_is_an_empty_list(api: Client) -> None:
    assert get(api, "/buildings") == {"items": [], "nextCursor": None}


def test_a_building_shows_its_years_units_and_counts(api: Client) -> None:
    mail, text = a_bill("EMAIL", "SMS", year=2024)
    a_bill("EMAIL", unit="2", year=2025)
    an_event(mail, Sent(provider="test"))
    an_event(mail, Delivered())
    an_event(text, Failed(error=Trouble(message="no"), outcome="UNKNOWN"))
    (shown,) = get(api, "/buildings")["items"]
    assert (shown["code"], shown["unitCount"], shown["years"]) == ("B1", 2, [2025, 2024])
    stats = shown["stats"]
    assert (stats["total"], stats["delivered"], stats["failed"], stats["pending"]) == (3, 1, 1, 1)
    assert stats["outcomeUnknown"] == 1
    assert stats["byChannel"]["EMAIL"]["total"] == 2
    assert stats["byChannel"]["SMS"]["failed"] == 1


def test_a_building_without_bills_counts_nothing(api: Client) -> None:
    a_building("NEW", name="Neubau")
    (shown,) = get(api, "/buildings")["items"]
    assert (shown["years"], shown["stats"]["total"], shown["stats"]["byChannel"]) == ([], 0, {})


@pytest.mark.parametrize("limit", [1, 2, 5, 200])
def test_pages_by_name_have_no_gaps_though_names_repeat(api: Client, limit: int) -> None:
    for number in range(9):
        a_building(f"B{number}", name=["Alpha", "Beta", "Ölweg"][number % 3])
    items = every_page(api, "/buildings", limit=limit)
    assert len({item["id"] for item in items}) == 9
    assert [item["name"] for item in items] == sorted(item["name"] for item in items)


def test_a_building_that_comes_while_somebody_pages_disturbs_no_other(api: Client) -> None:
    for code in "bdfh":
        a_building(code)
    first = get(api, "/buildings", limit=2)
    a_building("a")
    a_building("g")
    rest = every_page(api, "/buildings", limit=2, cursor=first["nextCursor"])
    assert codes(first) + [item["code"] for item in rest] == ["b", "d", "f", "g", "h"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ÖLWEG", ["B1"]),
        ("ölw", ["B1"]),
        ("b2", ["B2"]),
        ("straße 5", ["B2"]),
        ("100%", ["B3"]),
        ("%", ["B3"]),
        ("_", []),
        ("  haus  ", ["B2"]),
        ("nowhere", []),
    ],
)
def test_search_looks_in_code_name_and_address(api: Client, search: str, found: list[str]) -> None:
    a_building("B1", name="Am Ölweg")
    a_building("B2", name="Haus Süd", address="Lange Straße 5, 01067 Dresden")
    a_building("B3", name="The 100% Green")
    assert sorted(codes(get(api, "/buildings", search=search))) == found


def test_a_viewer_sees_the_granted_buildings_only() -> None:
    for code in ("B1", "B2", "B3"):
        a_bill(building=code)
    viewer = api_client("vera", role="VIEWER", buildings=["B1", "B3"])
    assert codes(get(viewer, "/buildings")) == ["B1", "B3"]
    assert codes(get(viewer, "/buildings", search="b2")) == []
    assert codes(get(api_client("nemo", role="VIEWER"), "/buildings")) == []


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"limit": "201"}, "limit"),
        ({"cursor": "!"}, "cursor"),
        ({"cursor": encode_cursor("name", "no uuid")}, "cursor"),
        ({"search": "x" * 201}, "search"),
        ({"page": "2"}, "page"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_so(
    api: Client, query: dict[str, str], place: str
) -> None:
    assert places(get(api, "/buildings", expect=422, **query)) == [["query", place]]


def test_one_building_is_asked_for_by_its_id(api: Client) -> None:
    one, other = a_building("B1"), a_building("B2")
    assert codes(get(api, "/buildings", id=str(one.id))) == ["B1"]
    assert codes(get(api, "/buildings", id=str(new_id()))) == []
    get(api, "/buildings", id="B1", expect=422)
    viewer = api_client("vera", role="VIEWER", buildings=["B2"])
    assert codes(get(viewer, "/buildings", id=str(one.id))) == []
    assert codes(get(viewer, "/buildings", id=str(other.id))) == ["B2"]
