import pytest

from tests.channels.samples import bill
from trackcenter.channels.letter.address import address_lines, posting_country


@pytest.mark.parametrize(
    ("country", "lines"),
    [
        ("DE", ("Jo Doe", "Main 1", "Rear", "12345 Town")),
        ("AT", ("Jo Doe", "Main 1", "Rear", "12345 TOWN", "ÖSTERREICH")),
        ("CH", ("Jo Doe", "Main 1", "Rear", "12345 Town", "SCHWEIZ")),
        ("GB", ("Jo Doe", "Main 1", "Rear", "TOWN", "12345", "VEREINIGTES KÖNIGREICH")),
        ("US", ("Jo Doe", "Main 1", "Rear", "TOWN 12345", "VEREINIGTE STAATEN")),
        ("HU", ("Jo Doe", "TOWN", "MAIN 1", "REAR", "12345", "UNGARN")),
        ("JP", ("Jo Doe", "Main 1", "Rear", "12345 Town", "JAPAN")),
    ],
)
def test_an_address_has_the_order_of_its_country(country: str, lines: tuple[str, ...]) -> None:
    snapshot = bill(
        recipient="Jo Doe",
        street="Main 1",
        street2="Rear",
        postcode="12345",
        city="Town",
        country=country,
    )
    assert address_lines(snapshot, origin="DE") == lines


def test_a_letter_within_a_country_does_not_name_it() -> None:
    assert address_lines(bill(), origin="DE")[-1] == "10115 Berlin"
    assert address_lines(bill(), origin="AT")[-2:] == ("10115 BERLIN", "DEUTSCHLAND")
    assert address_lines(bill(), origin=None)[-1] == "GERMANY"


def test_a_letter_is_posted_where_the_buildings_clock_is() -> None:
    assert posting_country(bill()) == "DE"
    assert posting_country(bill(timeZone="Europe/Vienna")) == "AT"
    assert posting_country(bill(timeZone=None)) is None
    assert posting_country(bill(), "CH") == "CH"


def test_an_unknown_country_has_the_plain_order() -> None:
    assert address_lines(bill(country="QX"), origin="DE")[-1] == "QX"
    assert address_lines(bill(country=None), origin="DE")[-1] == "10115 Berlin"
